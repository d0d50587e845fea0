import type { ModelProvider } from '@quire/protocol';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that hold credentials of the runtime itself. */
const OWN_KEYS = ['CODEX_API_KEY', 'CODEX_ACCESS_TOKEN'];

/** What commands inherit: everything but the keys and headers with which this run authorises itself. */
export function commandEnvironment(
  environment: Environment,
  provider: Pick<ModelProvider, 'id' | 'envKey' | 'envHttpHeaders'>,
): Environment {
  const hidden = new Set(OWN_KEYS);
  if (provider.envKey !== undefined) hidden.add(provider.envKey);
  // Those of the built-in provider name an organization, and are read by other programs.
  if (provider.id !== 'openai') for (const name of Object.values(provider.envHttpHeaders)) hidden.add(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.has(name)));
}
