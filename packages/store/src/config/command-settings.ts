import type { ConfigKeyName } from './config-keys.ts';
import type { SettingReader } from './setting-reader.ts';

/** Which variables commands get. A later part goes before an earlier one. */
export interface ShellEnvironmentPolicy {
  /** `core`: those without which programs do not find themselves. */
  readonly inherit: 'all' | 'core' | 'none';
  /** Takes away what sounds like a credential. */
  readonly defaultExcludes: boolean;
  /** Names to take away; `*` and `?` stand for any text and any character, and case does not matter. */
  readonly exclude: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  /** If there is one, only what matches stays, of `set` too. */
  readonly includeOnly: readonly string[];
}

export interface CommandSettings {
  readonly shellEnvironmentPolicy: ShellEnvironmentPolicy;
  /** Models may ask for a login shell, and get one when they say nothing. */
  readonly allowLoginShell: boolean;
  /** Longest wait of a look at a session that types nothing. */
  readonly backgroundTerminalMaxTimeoutMs: number;
}

/** Source: the peer. */
const DEFAULT_LONGEST_WAIT_MS = 300_000;
/** A day; also within what timers of the platform can hold. */
const LONGEST_WAIT_MS = 86_400_000;

/** No name of a variable holds one of these, so that whoever writes one means more than the text. */
const UNUSUAL_IN_PATTERN = /[[\]{}!^=,\\]/;

export function readCommandSettings(reader: SettingReader, warnings: string[]): CommandSettings {
  const longestWaitMs = reader.integer(
    { key: 'background_terminal_max_timeout' },
    { minimum: 0, cap: LONGEST_WAIT_MS },
  );
  return {
    shellEnvironmentPolicy: readPolicy(reader, warnings),
    allowLoginShell: reader.boolean({ key: 'allow_login_shell' }) ?? true,
    backgroundTerminalMaxTimeoutMs: longestWaitMs ?? DEFAULT_LONGEST_WAIT_MS,
  };
}

function readPolicy(reader: SettingReader, warnings: string[]): ShellEnvironmentPolicy {
  reader.requireTable('shell_environment_policy');
  const patterns = (key: ConfigKeyName) => readPatterns(reader, { key, warnings });
  return {
    inherit: reader.oneOf({ key: 'shell_environment_policy.inherit' }, ['all', 'core', 'none']) ?? 'all',
    defaultExcludes: reader.boolean({ key: 'shell_environment_policy.ignore_default_excludes' }) === false,
    exclude: patterns('shell_environment_policy.exclude'),
    set: readVariables(reader),
    includeOnly: patterns('shell_environment_policy.include_only'),
  };
}

function readPatterns(
  reader: SettingReader,
  { key, warnings }: { readonly key: ConfigKeyName; readonly warnings: string[] },
): readonly string[] {
  const patterns = reader.stringList({ key }) ?? [];
  for (const pattern of patterns) {
    if (pattern !== '' && !UNUSUAL_IN_PATTERN.test(pattern)) continue;
    warnings.push(
      `${key}: ${JSON.stringify(pattern)} fits no variable; only * and ? are special in a pattern, anything else stands for itself`,
    );
  }
  return patterns;
}

/** @throws ConfigError for what no process can be given */
function readVariables(reader: SettingReader): ShellEnvironmentPolicy['set'] {
  const setting = { key: 'shell_environment_policy.set' } as const;
  const variables = reader.stringMap(setting) ?? {};
  for (const [name, value] of Object.entries(variables)) {
    if (name === '' || /[=\0]/.test(name)) {
      throw reader.invalid(setting, `holds ${JSON.stringify(name)}, which can not be the name of a variable`);
    }
    if (value.includes('\0')) {
      throw reader.invalid(setting, `holds a NUL character in ${name}, which no variable can have`);
    }
  }
  return variables;
}
