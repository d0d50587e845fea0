import { readFile } from 'node:fs/promises';
import { type Credentials, isJsonObject, type JsonObject, objectAt, stringAt } from '@quire/protocol';
import { AuthError } from './auth-error.ts';

const REMEDY = 'fix or delete the file, or set CODEX_API_KEY';

/**
 * Credentials from `auth.json`, `undefined` when there is no such file or it holds no usable ones.
 * Throws AuthError for a file that can not be read or understood, or the reason of `signal`.
 */
export async function readAuthFile(
  path: string,
  options: { readonly signal: AbortSignal },
): Promise<Credentials | undefined> {
  let text: string;
  try {
    text = await readFile(path, { encoding: 'utf8', signal: options.signal });
  } catch (error) {
    options.signal.throwIfAborted();
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined;
    const word = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new AuthError(
      'unreadable-file',
      `cannot read ${path} (${word}); check its permissions, or set CODEX_API_KEY`,
      {
        cause: error,
      },
    );
  }
  return credentialsFromAuthFile(parse(text, path), path);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function parse(text: string, path: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may be a token: it is not passed on as the cause.
    throw new AuthError('malformed-file', `${path} is not valid JSON; ${REMEDY}`);
  }
  if (!isJsonObject(value)) throw new AuthError('malformed-file', `${path} does not hold a JSON object; ${REMEDY}`);
  return value;
}

/**
 * Which of the file's credentials count. Source: the peer's rule; `auth_mode` when present, else a key
 * wins over tokens.
 */
function credentialsFromAuthFile(file: JsonObject, path: string): Credentials | undefined {
  const key = trimmed(stringAt(file, 'OPENAI_API_KEY'));
  const mode = file['auth_mode'];
  switch (mode) {
    case 'apikey':
      if (key === undefined) {
        throw new AuthError('malformed-file', `${path} says "apikey" but holds no OPENAI_API_KEY; ${REMEDY}`);
      }
      return { kind: 'api-key', token: key };
    case undefined:
    case null:
      return key === undefined ? chatgptCredentials(file, path) : { kind: 'api-key', token: key };
    case 'chatgpt':
    case 'chatgptAuthTokens':
      return chatgptCredentials(file, path);
    default:
      throw new AuthError('malformed-file', `${path} has an auth_mode that is not supported here; ${REMEDY}`);
  }
}

function chatgptCredentials(file: JsonObject, path: string): Credentials | undefined {
  const raw = file['tokens'];
  if (raw === undefined || raw === null) return undefined;
  const tokens = objectAt(file, 'tokens');
  const accessToken = tokens === undefined ? undefined : trimmed(stringAt(tokens, 'access_token'));
  if (tokens === undefined || accessToken === undefined) {
    throw new AuthError('malformed-file', `${path} has tokens without an access_token; ${REMEDY}`);
  }
  // Tokens that were never stamped with a refresh time count as none.
  if (stringAt(file, 'last_refresh') === undefined) return undefined;
  return { kind: 'chatgpt', accessToken, accountId: trimmed(stringAt(tokens, 'account_id')) };
}

function trimmed(value: string | undefined): string | undefined {
  const text = value?.trim();
  return text === undefined || text === '' ? undefined : text;
}
