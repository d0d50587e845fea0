import type { ModelProvider } from '@quire/protocol';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that hold credentials of the runtime itself. */
const OWN_KEYS = ['CODEX_API_KEY', 'CODEX_ACCESS_TOKEN'];

/** What commands inherit: everything but the keys with which this run authorises itself. */
export function commandEnvironment(environment: Environment, provider: Pick<ModelProvider, 'envKey'>): Environment {
  const hidden = new Set(OWN_KEYS);
  if (provider.envKey !== undefined) hidden.add(provider.envKey);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.has(name)));
}
