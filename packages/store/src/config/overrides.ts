import { ConfigError } from './config-error.ts';
import { adoptValue, type ConfigTable, createTable, isTable } from './layers.ts';
import { parseTomlValue } from './toml.ts';

/** Errors name this source for everything that came with a `-c`. */
export const OVERRIDE_SOURCE = '-c';

/**
 * One table from raw `-c key=value` texts; later ones win.
 *
 * A text is split at its first `=` and both sides are trimmed. The key is split at every dot, without
 * quoting. The value is TOML, or else the text itself without quote characters at its end; but one that begins like
 * a list, a table or a string must be TOML. Missing tables are made; a scalar in the way is replaced by a table.
 * @throws ConfigError 'malformed-override', 'invalid-value'
 */
export async function parseOverrides(overrides: readonly string[]): Promise<ConfigTable> {
  const table = createTable();
  for (const override of overrides) {
    const { key, valueText } = splitOverride(override);
    assign(table, key.split('.'), await parseOverrideValue(key, valueText));
  }
  return table;
}

function splitOverride(override: string): { readonly key: string; readonly valueText: string } {
  const equals = override.indexOf('=');
  if (equals === -1) {
    // What follows the first word may be a secret that only lacks its "=".
    const [word = ''] = override.trim().split(/[\s:]/, 1);
    throw malformed(`-c ${JSON.stringify(word)} has no "="; write -c key=value, for example -c model=gpt-5`);
  }
  const key = override.slice(0, equals).trim();
  if (key === '') {
    throw malformed('-c has no key before "="; write -c key=value, for example -c model=gpt-5');
  }
  return { key, valueText: override.slice(equals + 1).trim() };
}

function malformed(message: string): ConfigError {
  return new ConfigError('malformed-override', message, { source: OVERRIDE_SOURCE });
}

/**
 * The value of a `-c` text, or of a setting that is written on the command line by itself (`isArgument` false).
 * @throws ConfigError 'invalid-value'
 */
export async function parseOverrideValue(
  key: string,
  text: string,
  { isArgument = true }: { readonly isArgument?: boolean } = {},
): Promise<unknown> {
  const trivial = parseTrivialValue(text);
  if (trivial !== undefined) return trivial;
  const reading = await parseTomlValue(text);
  if ('value' in reading) return adoptValue(reading.value);
  if (!BEGINS_AS_TOML.test(text)) return stripEndQuotes(text);
  const [place, what] = isArgument ? [`${OVERRIDE_SOURCE}: `, 'whole -c argument'] : ['', 'value'];
  throw new ConfigError(
    'invalid-value',
    `${place}${key} is not valid TOML: ${reading.problem}; ` +
      `close what the value opens, and put single quotes around the ${what} in a shell`,
    { key, source: OVERRIDE_SOURCE },
  );
}

/** A list, a table or a string was meant: taking it as text would hide the slip. */
const BEGINS_AS_TOML = /^[[{"']/;

const SMALL_INTEGER = /^(?:0|-?[1-9][0-9]{0,14})$/;
/** No TOML value begins with a letter or an underscore, but for four words. */
const BARE_WORD = /^(?!(?:true|false|inf|nan)$)[A-Za-z_][A-Za-z0-9_./:@-]*$/;
/** Printable ASCII without the quote itself and, for double quotes, without the escape character. */
const PLAIN_STRING = /^(?:"[ !#-[\]-~]*"|'[ -&(-~]*')$/;

/**
 * What `parseOverrideValue` gives for the everyday forms, without loading the TOML library. `undefined`
 * means: ask the library. A property test holds the two against each other.
 */
export function parseTrivialValue(text: string): string | number | boolean | undefined {
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (SMALL_INTEGER.test(text)) return Number(text);
  if (PLAIN_STRING.test(text)) return text.slice(1, -1);
  return BARE_WORD.test(text) ? text : undefined;
}

function stripEndQuotes(text: string): string {
  return text.replace(/["']+$/, '');
}

function assign(table: ConfigTable, path: readonly string[], value: unknown): void {
  let parent = table;
  for (const segment of path.slice(0, -1)) {
    const existing = parent[segment];
    const next = isTable(existing) ? existing : createTable();
    parent[segment] = next;
    parent = next;
  }
  parent[path.at(-1) ?? ''] = value;
}
