import { ConfigError } from './config-error.ts';
import type { ConfigTable } from './layers.ts';

/**
 * The whole TOML library behind one door. It is loaded on first use: a start without a configuration file
 * and with plain `-c` values never pays for it.
 */
async function loadToml(): Promise<typeof import('smol-toml')> {
  return import('smol-toml');
}

// Integers beyond 2^53 stay exact, so that a check on the range sees what was written.
const PARSE_OPTIONS = { integersAsBigInt: 'asNeeded' } as const;

/** @throws ConfigError 'syntax' with file, line and column. */
export async function parseTomlDocument(text: string, source: string): Promise<ConfigTable> {
  const { parse, TomlError } = await loadToml();
  try {
    return parse(text, PARSE_OPTIONS);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column } = error;
    // Only the first line, and no cause: the rest quotes the file, which may hold a token.
    const reason = firstLine(error.message).replace(/^Invalid TOML document: /, '');
    throw new ConfigError('syntax', `${source}:${line}:${column}: not valid TOML: ${reason}`, { source, line, column });
  }
}

/** The value of one TOML expression, or `undefined` when `text` is not one. */
export async function parseTomlValue(text: string): Promise<unknown> {
  const { parse, TomlError } = await loadToml();
  try {
    const table = parse(`value = ${text}`, PARSE_OPTIONS);
    return Object.keys(table).length === 1 ? table['value'] : undefined;
  } catch (cause) {
    if (cause instanceof TomlError) return undefined;
    throw cause;
  }
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end === -1 ? text : text.slice(0, end);
}
