import { isJsonObject, type JsonObject, objectAt, parseJsonObject, stringAt } from '@quire/protocol';
import { AuthError } from '../auth-error.ts';
import type { ChatgptLogin, StoredLogin } from './login.ts';

/** Any text with a number in it is a time for `Date.parse`. */
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Where something is stored, for messages. */
export interface Place {
  readonly name: string;
  /** What to do when what is stored there can not be used. */
  readonly remedy: string;
}

/**
 * The object that is stored. Throws AuthError 'malformed-file' or 'empty-file', which quotes nothing: the text may be a token.
 */
export function parseAuthDocument(text: string, place: Place): JsonObject {
  const document = parseJsonObject(text);
  if (document !== undefined) return document;
  if (text.trim() === '') throw new AuthError('empty-file', `${place.name} is empty; ${place.remedy}`);
  throw malformed(place, isJson(text) ? 'does not hold a JSON object' : 'is not valid JSON');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The parser's message quotes the text, which may be a token: it is not passed on.
    return false;
  }
}

/**
 * Which of the stored credentials count; `undefined` when there are no usable ones. Throws AuthError 'malformed-file',
 * also when there are none but something that is not understood.
 */
export function loginOf(document: JsonObject, place: Place): StoredLogin | undefined {
  const login = knownLogin(document, place);
  if (login === undefined) refuseUnknown(document, place);
  return login;
}

const TEXT_FIELDS = ['OPENAI_API_KEY', 'personal_access_token', 'last_refresh'];
const FIELDS = [...TEXT_FIELDS, 'auth_mode', 'tokens'];

/** What another program may have put there is no empty place. */
function refuseUnknown(document: JsonObject, place: Place): void {
  const given = Object.entries(document).filter(([, value]) => value !== undefined && value !== null);
  for (const [name, value] of given) {
    if (!FIELDS.includes(name)) throw malformed(place, 'holds no login that is understood here, perhaps a newer one');
    if (TEXT_FIELDS.includes(name) && typeof value !== 'string')
      throw malformed(place, `holds a value of ${name} that is no text`);
  }
}

/** Source: the peer's rule; `auth_mode` when present, else a key wins over tokens. */
function knownLogin(document: JsonObject, place: Place): StoredLogin | undefined {
  const key = trimmed(stringAt(document, 'OPENAI_API_KEY'));
  const token = trimmed(stringAt(document, 'personal_access_token'));
  const mode = document['auth_mode'];
  switch (mode) {
    case 'apikey':
      if (key === undefined) throw malformed(place, 'says "apikey" but holds no OPENAI_API_KEY');
      return { kind: 'api-key', key };
    case undefined:
    case null:
      if (key !== undefined) return { kind: 'api-key', key };
      return chatgptLogin(document, place) ?? (token === undefined ? undefined : { kind: 'access-token', token });
    case 'personalAccessToken':
      if (token === undefined) throw malformed(place, 'says "personalAccessToken" but holds no personal_access_token');
      return { kind: 'access-token', token };
    case 'chatgpt':
    // Never written by a client that keeps to the rules; what is there authorises requests all the same.
    case 'chatgptAuthTokens':
      return chatgptLogin(document, place);
    default:
      throw malformed(place, 'has an auth_mode that is not supported here, perhaps of a newer version');
  }
}

function chatgptLogin(document: JsonObject, place: Place): ChatgptLogin | undefined {
  const raw = document['tokens'];
  if (raw === undefined || raw === null) return undefined;
  const tokens = objectAt(document, 'tokens');
  const accessToken = tokens === undefined ? undefined : trimmed(stringAt(tokens, 'access_token'));
  if (tokens === undefined || accessToken === undefined) {
    throw malformed(place, 'has tokens without an access_token');
  }
  // Tokens that were never stamped with a refresh time count as none.
  const lastRefresh = stringAt(document, 'last_refresh');
  if (lastRefresh === undefined) return undefined;
  const lastRefreshMs = RFC_3339.test(lastRefresh) ? Date.parse(lastRefresh) : Number.NaN;
  if (Number.isNaN(lastRefreshMs)) throw malformed(place, 'has a last_refresh that is no time');
  return {
    kind: 'chatgpt',
    idToken: stringAt(tokens, 'id_token') ?? '',
    accessToken,
    refreshToken: trimmed(stringAt(tokens, 'refresh_token')) ?? '',
    accountId: trimmed(stringAt(tokens, 'account_id')),
    lastRefreshMs,
  };
}

/** What is stored of a new login. Nothing of an older one is carried over. */
export function documentOf(
  login: StoredLogin,
  options: {
    /** Given for the login by the service. It does not count as long as there are tokens. */
    readonly exchangedKey?: string | undefined;
  } = {},
): JsonObject {
  if (login.kind === 'api-key') return { auth_mode: 'apikey', OPENAI_API_KEY: login.key };
  // Source: file written by the peer 0.169.
  if (login.kind === 'access-token') return { OPENAI_API_KEY: null, personal_access_token: login.token };
  return {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: options.exchangedKey ?? null,
    tokens: tokensOf(login),
    last_refresh: new Date(login.lastRefreshMs).toISOString(),
  };
}

/** The stored object with renewed tokens. Everything else in it stays, known or not. */
export function withTokens(document: JsonObject, login: ChatgptLogin): JsonObject {
  const tokens = document['tokens'];
  return {
    ...document,
    tokens: { ...(isJsonObject(tokens) ? tokens : {}), ...tokensOf(login) },
    last_refresh: new Date(login.lastRefreshMs).toISOString(),
  };
}

function tokensOf(login: ChatgptLogin): JsonObject {
  return {
    id_token: login.idToken,
    access_token: login.accessToken,
    refresh_token: login.refreshToken,
    account_id: login.accountId ?? null,
  };
}

function malformed(place: Place, what: string): AuthError {
  return new AuthError('malformed-file', `${place.name} ${what}; ${place.remedy}`);
}

function trimmed(value: string | undefined): string | undefined {
  const text = value?.trim();
  return text === undefined || text === '' ? undefined : text;
}
