export type ConfigErrorCode =
  /** The folder that an environment variable names does not exist or is no folder. */
  | 'home-missing'
  | 'unreadable-file'
  /** The file is not TOML; `line` and `column` say where. */
  | 'syntax'
  /** A `-c` text without `=` or without a key. */
  | 'malformed-override'
  | 'wrong-type'
  | 'invalid-value'
  | 'unknown-provider'
  /** No file and no table has the name that `--profile` or `profile` gives. */
  | 'unknown-profile'
  /** A name of `--enable` or `--disable`. */
  | 'unknown-feature'
  /** The file could not be replaced, or the setting in it not changed without loss. */
  | 'not-writable'
  /** Another process is writing the file. */
  | 'in-use';

export interface ConfigErrorDetails {
  /** Dotted key of the setting. */
  readonly key?: string;
  /** The same as names of tables and setting. */
  readonly path?: readonly string[];
  /** Absolute path of the file, or `-c`. */
  readonly source?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  readonly cause?: unknown;
}

/** The configuration can not be used as it is; the message says what to change. Never retryable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;
  readonly key: string | undefined;
  readonly path: readonly string[] | undefined;
  readonly source: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;

  constructor(code: ConfigErrorCode, message: string, details: ConfigErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.key = details.key;
    this.path = details.path;
    this.source = details.source;
    this.line = details.line;
    this.column = details.column;
  }
}
