import { createRedactor } from '../rollout/redact.ts';
import { isTable } from './layers.ts';
import { HIDDEN, isSecretName, type ReplaceSecret, replaceInAddresses, replaceInWords } from './secret-parts.ts';

/** Tables whose values are secret whatever they look like, below any table. */
const SECRET_TABLES: ReadonlySet<string> = new Set(['http_headers', 'headers', 'query_params', 'env', 'set']);
/** Tables that `env` and `set` are secret in. */
const TABLES_WITH_VARIABLES: ReadonlySet<string> = new Set(['mcp_servers', 'shell_environment_policy']);

/**
 * The value as it may be shown: secrets are `HIDDEN`, whether their key, the name of an option or a query parameter, or
 * their form says that they are. Keys are never hidden.
 */
export function withoutSecrets(path: readonly string[], value: unknown): unknown {
  if (isSecretPath(path)) return hide(value);
  // Where a table of secrets should be, anything else may be one of them.
  if (!isTable(value) && isSecretPath([...path, ''])) return hide(value);
  if (typeof value === 'string') return textWithoutSecrets(value);
  if (isTextList(value)) return wordsWithoutSecrets(value);
  if (Array.isArray(value)) return value.map((entry) => withoutSecrets(path, entry));
  if (!isTable(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, withoutSecrets([...path, name], entry)] as const),
  );
}

/** A text that may be an address, where no path says more. */
export function textWithoutSecrets(text: string): string {
  return shown(
    text,
    replaceInAddresses(text, () => HIDDEN),
  );
}

/** A command line, where no path says more. */
export function wordsWithoutSecrets(words: readonly string[]): readonly string[] {
  return replaceInWords(words, () => HIDDEN).map((word, index) => shown(words[index] ?? '', word));
}

/** The texts that `withoutSecrets` hides or cuts, so that they can be looked for elsewhere. */
export function secretTexts(path: readonly string[], value: unknown): readonly string[] {
  if (isTextList(value)) {
    const inWords = collect((replace) => replaceInWords(value, replace));
    return [...value.flatMap((entry) => secretTexts(path, entry)), ...inWords];
  }
  if (Array.isArray(value)) return value.flatMap((entry) => secretTexts(path, entry));
  if (isTable(value)) return Object.entries(value).flatMap(([name, entry]) => secretTexts([...path, name], entry));
  if (typeof value !== 'string') return [];
  const inAddresses = collect((replace) => replaceInAddresses(value, replace));
  return isSecretPath(path) || hasSecretForm(value) ? [value, ...inAddresses] : inAddresses;
}

/** As they stand there, and as they read. */
function collect(visit: (replace: ReplaceSecret) => unknown): readonly string[] {
  const found: string[] = [];
  visit((secret) => {
    found.push(secret, decoded(secret), decoded(secret.replaceAll('+', ' ')));
    return secret;
  });
  return [...new Set(found)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a literal percent sign
  }
}

/** Whether all that can stand at the path is secret. */
function isSecretPath(path: readonly string[]): boolean {
  // Arguments of a program that prints a token may hold another one.
  if (path[0] === 'model_providers' && path[2] === 'auth' && path[3] === 'args') return true;
  if (path[0] === 'features') return false;
  return path.some((name, index) => {
    if (index === 0) return isSecretName(name) && path.length === 1;
    if (SECRET_TABLES.has(name) && index < path.length - 1) return hidesValues(path, index);
    return index === path.length - 1 && isSecretName(name);
  });
}

function hidesValues(path: readonly string[], index: number): boolean {
  const name = path[index];
  return (name !== 'env' && name !== 'set') || TABLES_WITH_VARIABLES.has(path[0] ?? '');
}

/** The form of it stays: what is a table or a list is one. */
function hide(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hide);
  if (!isTable(value)) return HIDDEN;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, hide(entry)] as const));
}

/** @param cut what is left of `text`; a whole address is judged by that, and so keeps its host */
function shown(text: string, cut: string): string {
  const isAddress = !/\s/.test(text) && URL.canParse(text);
  return hasSecretForm(isAddress ? cut : text) ? HIDDEN : cut;
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function hasSecretForm(text: string): boolean {
  return createRedactor().redactText(text) !== text;
}
