import { homedir } from 'node:os';
import { type Config, loadConfig, resolveHome } from '@quire/store';
import type { QuireOptions, ThreadOptions } from './api.ts';
import type { Environment } from './environment.ts';
import { currentDirectory, resolveWorkingDirectory } from './place.ts';

/** Where a thread works and what is configured there. */
export interface Site {
  readonly home: string;
  readonly cwd: string;
  readonly config: Config;
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
  const config = await loadConfig({
    home,
    cwd,
    environment,
    overrides: overridesOf(options),
    ignoreUserConfig: options.ignoreUserConfig ?? false,
  });
  return { home, cwd, config, signal };
}

function overridesOf(options: QuireOptions): readonly string[] {
  const overrides = options.configOverrides ?? [];
  return options.baseUrl === undefined
    ? overrides
    : [...overrides, `openai_base_url=${JSON.stringify(options.baseUrl)}`];
}
