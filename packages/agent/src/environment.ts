import type { ModelProvider } from '@quire/protocol';
import type { Config, ShellEnvironmentPolicy } from '@quire/store';
import { fitsOne } from './variable-pattern.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that hold credentials of the runtime itself. */
const OWN_KEYS = ['CODEX_API_KEY', 'CODEX_ACCESS_TOKEN'];

/** Source: observed, peer 0.169. */
const CORE_VARIABLES: readonly string[] = [
  'HOME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TEMP',
  'TMP',
  'TMPDIR',
  'USER',
];

/** Source: observed, peer 0.169. */
const DEFAULT_EXCLUDES: readonly string[] = ['*KEY*', '*SECRET*', '*TOKEN*'];

/** What programs of the user inherit: everything but the keys and headers with which this run authorises itself. */
export function programEnvironment(
  environment: Environment,
  provider: Pick<ModelProvider, 'id' | 'envKey' | 'envHttpHeaders'>,
): Environment {
  const hidden = new Set(OWN_KEYS);
  if (provider.envKey !== undefined) hidden.add(provider.envKey);
  // Those of the built-in provider name an organization, and are read by other programs.
  if (provider.id !== 'openai') for (const name of Object.values(provider.envHttpHeaders)) hidden.add(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.has(name)));
}

/**
 * What commands inherit: of what programs do, the part that the user's policy lets through. What the policy sets is
 * there as it is: whoever names a key there means it for commands.
 */
export function commandEnvironment(
  environment: Environment,
  { provider, shellEnvironmentPolicy: policy }: Pick<Config, 'provider' | 'shellEnvironmentPolicy'>,
): Environment {
  return applyPolicy(programEnvironment(environment, provider), policy);
}

/** Source for the order of the parts: observed, peer 0.169. */
function applyPolicy(environment: Environment, policy: ShellEnvironmentPolicy): Environment {
  const { inherit, defaultExcludes, exclude, set, includeOnly } = policy;
  const excluded = defaultExcludes ? [...DEFAULT_EXCLUDES, ...exclude] : exclude;
  const isInherited = (name: string): boolean =>
    inherit === 'all' || (inherit === 'core' && fitsOne(name, CORE_VARIABLES));
  const inherited = Object.entries(environment).filter(([name]) => isInherited(name) && !fitsOne(name, excluded));
  const all = Object.entries({ ...Object.fromEntries(inherited), ...set });
  return Object.fromEntries(includeOnly.length === 0 ? all : all.filter(([name]) => fitsOne(name, includeOnly)));
}
