import { type Dialer, NetworkError } from '@quire/network';
import { isJsonObject, type JsonObject, type ModelErrorCode, parseJsonObject, stringAt } from '@quire/protocol';
import { decodeJwt } from '../credentials/jwt.ts';
import type { ChatgptLogin } from '../credentials/login.ts';
import { CLIENT_ID } from '../endpoints.ts';
import { type ClientIdentity, type PostAnswer, post } from '../post.ts';
import { type LossReason, lost, type RefreshFailure } from './refresh-outcome.ts';

/** Longest wait for the answer of the token endpoint. */
const REFRESH_TIMEOUT_MS = 30_000;

export interface RefreshRequest {
  readonly url: URL;
  readonly dialer: Dialer;
  readonly client: ClientIdentity | undefined;
  readonly nowMs: () => number;
  readonly timeoutMs?: number;
}

/** Asks for new tokens. What the answer leaves out stays as it was. */
export async function requestRefresh(
  login: ChatgptLogin,
  request: RefreshRequest,
): Promise<{ readonly login: ChatgptLogin } | { readonly failure: RefreshFailure }> {
  const { url, dialer, client, nowMs, timeoutMs = REFRESH_TIMEOUT_MS } = request;
  let answer: PostAnswer;
  try {
    answer = await post(url, {
      dialer,
      client,
      body: { client_id: CLIENT_ID, grant_type: 'refresh_token', refresh_token: login.refreshToken },
      timeoutMs,
      // Nobody gives up a grant that is on its way: the server may have counted it already.
      signal: new AbortController().signal,
    });
  } catch (error) {
    return { failure: connectionFailure(error) };
  }
  if (answer.status < 200 || answer.status > 299) return { failure: refusal(answer, url) };
  const body = parseJsonObject(answer.text);
  const fresh = body === undefined ? undefined : merge(login, body, nowMs());
  return fresh === undefined ? { failure: notTokens(answer, url) } : { login: fresh };
}

function merge(login: ChatgptLogin, body: JsonObject, nowMs: number): ChatgptLogin | undefined {
  const [idToken, accessToken, refreshToken] = [
    tokenAt(body, 'id_token'),
    tokenAt(body, 'access_token'),
    tokenAt(body, 'refresh_token'),
  ];
  if (idToken === undefined && accessToken === undefined && refreshToken === undefined) return undefined;
  return {
    ...login,
    // Other clients do not read a file whose ID token is no JWT.
    idToken: idToken !== undefined && decodeJwt(idToken) !== undefined ? idToken : login.idToken,
    accessToken: accessToken ?? login.accessToken,
    refreshToken: refreshToken ?? login.refreshToken,
    lastRefreshMs: nowMs,
  };
}

/** Only what a header can carry. */
function tokenAt(body: JsonObject, name: string): string | undefined {
  const value = stringAt(body, name);
  return value !== undefined && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

const REASONS: Readonly<Record<string, LossReason>> = {
  refresh_token_expired: 'expired',
  refresh_token_reused: 'exhausted',
  refresh_token_invalidated: 'revoked',
};

/** Source: sheet of the login, section 6.1, as observed with the peer 0.169. */
function refusal({ status, text }: PostAnswer, url: URL): RefreshFailure {
  const code = errorCode(text)?.toLowerCase();
  const reason = code !== undefined && Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
  if (reason !== undefined) return lost(reason);
  if (status === 401 || (status === 400 && code === 'invalid_grant')) return lost('other');
  const message = `the login could not be renewed: ${url.host} answered with status ${status}`;
  const isServer = status >= 500;
  return {
    kind: 'transient',
    code: isServer ? 'internal-server-error' : 'unexpected-status',
    message: `${message}${status < 400 ? ', which is no answer to that; check for a proxy or a portal in between' : ''}`,
    retryable: true,
  };
}

/** `error.code`, else `error`, else `code`. */
function errorCode(text: string): string | undefined {
  const body = parseJsonObject(text);
  if (body === undefined) return undefined;
  const { error } = body;
  if (isJsonObject(error)) return stringAt(error, 'code');
  return typeof error === 'string' ? error : stringAt(body, 'code');
}

function notTokens({ text }: PostAnswer, url: URL): RefreshFailure {
  const what = /^\s*</.test(text) ? 'a web page' : 'something that holds no tokens';
  return {
    kind: 'transient',
    code: 'stream-protocol',
    message: `the login could not be renewed: ${url.host} answered with ${what}; check for a proxy or a portal in between`,
    retryable: true,
  };
}

const CODES: Readonly<Record<NetworkError['code'], ModelErrorCode>> = {
  dns: 'dns',
  tcp: 'connection-failed',
  tls: 'tls',
  proxy: 'proxy',
  timeout: 'request-timeout',
  configuration: 'configuration',
};

function connectionFailure(error: unknown): RefreshFailure {
  if (!(error instanceof NetworkError)) throw error;
  return {
    kind: 'transient',
    code: CODES[error.code],
    message: `the login could not be renewed: ${error.message}`,
    retryable: error.retryable,
  };
}
