import { createRedactor } from '../rollout/redact.ts';
import { isTable } from './layers.ts';

/** What stands for a secret. */
const HIDDEN = '*****';

/** Tables whose values are secret whatever they look like, below any table. */
const SECRET_TABLES: ReadonlySet<string> = new Set(['http_headers', 'headers', 'query_params', 'env', 'set']);
/** Tables that `env` and `set` are secret in. */
const TABLES_WITH_VARIABLES: ReadonlySet<string> = new Set(['mcp_servers', 'shell_environment_policy']);
/** Settings that name where a secret is, or count something, in spite of their names. */
const HARMLESS_NAME =
  /(?:_env_var|_env_vars|_limit|_store|_url|_max_tokens)$|^(?:env_key|env_http_headers|max_tokens)$/;
const SECRET_NAME = /(?:token|secret|password|passwd|api_?key|authorization|credential)/i;

/**
 * The value as it may be shown: secrets are `HIDDEN`, whether their key says that they are or their form does. Keys
 * are never hidden.
 */
export function withoutSecrets(path: readonly string[], value: unknown): unknown {
  if (isSecretPath(path)) return hide(value);
  // Where a table of secrets should be, anything else may be one of them.
  if (!isTable(value) && isSecretPath([...path, ''])) return hide(value);
  if (typeof value === 'string') return hasSecretForm(value) ? HIDDEN : value;
  if (Array.isArray(value)) return value.map((entry) => withoutSecrets(path, entry));
  if (!isTable(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, withoutSecrets([...path, name], entry)] as const),
  );
}

/**
 * The texts that `withoutSecrets` hides or cuts, so that they can be looked for elsewhere; of an address what stands
 * before the host and behind the question mark.
 */
export function secretTexts(path: readonly string[], value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((entry) => secretTexts(path, entry));
  if (isTable(value)) return Object.entries(value).flatMap(([name, entry]) => secretTexts([...path, name], entry));
  if (typeof value !== 'string') return [];
  return isSecretPath(path) || hasSecretForm(value) ? [value, ...addressSecrets(value)] : addressSecrets(value);
}

function addressSecrets(text: string): readonly string[] {
  if (!text.includes('://') || !URL.canParse(text)) return [];
  const { username, password, searchParams } = new URL(text);
  const parts = [username, password, ...searchParams.values()].filter((part) => part !== '');
  return parts.flatMap((part) => [part, decoded(part)]);
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

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS_NAME.test(name);
}

/** The form of it stays: what is a table or a list is one. */
function hide(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hide);
  if (!isTable(value)) return HIDDEN;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, hide(entry)] as const));
}

function hasSecretForm(text: string): boolean {
  return createRedactor().redactText(text) !== text;
}
