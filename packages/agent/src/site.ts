import { homedir } from 'node:os';
import {
  type Config,
  chooseOssProvider,
  featureOverrides,
  type LoadConfigOptions,
  loadConfig,
  resolveHome,
} from '@quire/store';
import { AgentError } from './agent-error.ts';
import type { QuireOptions, ThreadOptions } from './api.ts';
import type { Environment } from './environment.ts';
import { currentDirectory, resolveWorkingDirectory } from './place.ts';

/** Where a thread works and what is configured there. */
export interface Site {
  readonly home: string;
  readonly cwd: string;
  readonly config: Config;
  /** Of this program. */
  readonly environment: Environment;
  readonly signal: AbortSignal;
}

export function homeOf(options: Pick<QuireOptions, 'home'>, environment: Environment): string {
  return options.home ?? resolveHome({ environment, homeDirectory: homedir() });
}

/** @throws AgentError, ConfigError, or the reason of the signal */
export async function readSite(
  options: QuireOptions,
  thread: Pick<ThreadOptions, 'workingDirectory' | 'signal'>,
  environment: Environment,
): Promise<Site> {
  const signal = thread.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const home = homeOf(options, environment);
  const cwd = await resolveWorkingDirectory(thread.workingDirectory ?? currentDirectory());
  const config = await readConfig(options, { home, cwd, environment });
  return { home, cwd, config, environment, signal };
}

/** @throws AgentError, ConfigError */
async function readConfig(
  options: QuireOptions,
  place: Pick<LoadConfigOptions, 'home' | 'cwd' | 'environment'>,
): Promise<Config> {
  const { profile, ignoreUserConfig = false, oss } = options;
  if (profile !== undefined && ignoreUserConfig) {
    throw new AgentError(
      'invalid-argument',
      `the profile ${JSON.stringify(profile)} belongs to the user's configuration, which is to be ignored; leave --profile or --ignore-user-config away`,
    );
  }
  const given = { ...place, overrides: overridesOf(options), ignoreUserConfig, profile };
  if (oss === undefined || oss === false) return await loadConfig(given);
  const choice = chooseOssProvider(
    oss === true
      ? { named: undefined, configured: (await loadConfig(given)).ossProvider }
      : { named: oss, configured: undefined },
  );
  // The model of the file is one of another provider; one that is named for this run is meant.
  const overrides = [`model=${choice.defaultModel}`, ...given.overrides, `model_provider=${choice.providerId}`];
  const config = await loadConfig({ ...given, overrides });
  if (config.provider.id === choice.providerId) return config;
  throw new AgentError(
    'configuration',
    `--oss asks for ${choice.providerId}, but this machine is managed and its model_provider is ${config.provider.id}; leave --oss away`,
  );
}

/** What is said of this run alone, the strongest last. */
function overridesOf({ configOverrides = [], features = {}, baseUrl }: QuireOptions): readonly string[] {
  const named = Object.keys(features);
  const switches = featureOverrides({
    enable: named.filter((name) => features[name] === true),
    disable: named.filter((name) => features[name] === false),
  });
  const address = baseUrl === undefined ? [] : [`openai_base_url=${JSON.stringify(baseUrl)}`];
  return [...configOverrides, ...switches, ...address];
}
