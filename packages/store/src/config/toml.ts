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
    // No cause: it quotes the file.
    const message = `${source}:${line}:${column}: not valid TOML: ${reasonOf(error)}`;
    throw new ConfigError('syntax', message, { source, line, column });
  }
}

export type TomlValueReading = { readonly value: unknown } | { readonly problem: string };

/** The value of one TOML expression, or why `text` is not one: a few words that do not quote it. */
export async function parseTomlValue(text: string): Promise<TomlValueReading> {
  const { parse, TomlError } = await loadToml();
  try {
    const table = parse(`value = ${text}`, PARSE_OPTIONS);
    return Object.keys(table).length === 1 ? { value: table['value'] } : { problem: 'more than one value' };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return { problem: reasonOf(error) };
  }
}

/** Only the first line: the rest quotes the text, which may hold a token. */
function reasonOf(error: Error): string {
  return firstLine(error.message).replace(/^Invalid TOML document: /, '');
}

function firstLine(text: string): string {
  const end = text.indexOf('\n');
  return end === -1 ? text : text.slice(0, end);
}
