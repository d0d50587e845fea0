import type { SettingPath, SettingReader } from './setting-reader.ts';

/**
 * A program that prints the token of a provider: run without a shell and with nothing on stdin, its trimmed stdout is
 * the token. What it prints is secret, and so may be its arguments.
 */
export interface ProviderTokenCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly timeoutMs: number;
  /** How long a token is used before the next is asked for. 0: until it is refused. */
  readonly refreshIntervalMs: number;
}

const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_REFRESH_INTERVAL_MS = 300_000;
/** Timers take no more: 2^31 - 1. */
const MAX_TIMER_MS = 2_147_483_647;

type AuthKey = 'command' | 'args' | 'cwd' | 'timeout_ms' | 'refresh_interval_ms';

/** Other credentials of the provider, which would contradict the command. Source: the peer. */
const EXCLUDED = ['env_key', 'experimental_bearer_token', 'requires_openai_auth'] as const;

/** @throws ConfigError */
export function readTokenCommand(reader: SettingReader, id: string): ProviderTokenCommand | undefined {
  if (reader.requireTokenCommandTable(id) === undefined) return undefined;
  const at = (key: AuthKey): SettingPath => ({ key: `model_providers.<id>.auth.${key}`, id });
  const command = reader.nonEmptyString(at('command'));
  // Everything is read before it is compared, so that a wrong type is named first.
  const rest = {
    args: reader.stringList(at('args')) ?? [],
    cwd: reader.path(at('cwd')) ?? reader.baseDirectoryOf(at('command')),
    timeoutMs: reader.integer(at('timeout_ms'), { minimum: 1, cap: MAX_TIMER_MS }) ?? DEFAULT_TIMEOUT_MS,
    refreshIntervalMs:
      reader.integer(at('refresh_interval_ms'), { minimum: 0, cap: MAX_TIMER_MS }) ?? DEFAULT_REFRESH_INTERVAL_MS,
  };
  if (command === undefined) throw reader.invalid(at('command'), 'is missing; name the program that prints the token');
  for (const other of EXCLUDED) {
    const setting = { key: `model_providers.<id>.${other}`, id } as const;
    const value = reader.raw(setting);
    if (value !== undefined && value !== false)
      throw reader.invalid(setting, 'does not go with auth; keep one of them');
  }
  return { command, ...rest };
}
