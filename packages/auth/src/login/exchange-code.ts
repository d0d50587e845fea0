import { NetworkError } from '@quire/network';
import { isJsonObject, parseJsonObject, stringAt } from '@quire/protocol';
import { AuthError } from '../auth-error.ts';
import { accountClaims, decodeJwt } from '../credentials/jwt.ts';
import type { ChatgptLogin } from '../credentials/login.ts';
import { CLIENT_ID, DEFAULT_ISSUER, issuerUrl } from '../endpoints.ts';
import { type PostAnswer, post } from '../post.ts';
import type { LoginContext } from './login-context.ts';

const TIMEOUT_MS = 30_000;
const KEY_TIMEOUT_MS = 10_000;

export interface CodeGrant {
  readonly code: string;
  readonly redirectUri: string;
  readonly verifier: string;
}

/** Trades a code for tokens. Rejects with AuthError 'login-failed', or the reason of the signal. */
export async function exchangeCode(context: LoginContext, grant: CodeGrant): Promise<ChatgptLogin> {
  const answer = await postForm(context, {
    grant_type: 'authorization_code',
    code: grant.code,
    redirect_uri: grant.redirectUri,
    client_id: CLIENT_ID,
    code_verifier: grant.verifier,
  });
  if (answer.status < 200 || answer.status > 299) {
    throw new AuthError(
      'login-failed',
      `the login was refused (status ${answer.status}): ${failureDetail(answer.text)}`,
    );
  }
  const body = parseJsonObject(answer.text) ?? {};
  const [idToken, accessToken, refreshToken] = ['id_token', 'access_token', 'refresh_token'].map((name) =>
    stringAt(body, name),
  );
  const claims = idToken === undefined ? undefined : decodeJwt(idToken);
  if (idToken === undefined || claims === undefined || accessToken === undefined || refreshToken === undefined) {
    throw new AuthError(
      'login-failed',
      'the token server did not answer with tokens; check for a proxy or a portal in between, then try again',
    );
  }
  const { accountId } = accountClaims(claims);
  return { kind: 'chatgpt', idToken, accessToken, refreshToken, accountId, lastRefreshMs: Date.now() };
}

/** An API key for the same account, where the service gives one. No failure of this matters. */
export async function exchangeForKey(context: LoginContext, login: ChatgptLogin): Promise<string | undefined> {
  try {
    const fields = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      client_id: CLIENT_ID,
      requested_token: 'openai-api-key',
      subject_token: login.idToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    };
    const { status, text } = await postForm(context, fields, { timeoutMs: KEY_TIMEOUT_MS });
    return status === 200 ? stringAt(parseJsonObject(text) ?? {}, 'access_token') : undefined;
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}

async function postForm(
  context: LoginContext,
  fields: Readonly<Record<string, string>>,
  { timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
): Promise<PostAnswer> {
  const { issuer = DEFAULT_ISSUER, dialer, client, signal } = context;
  const url = issuerUrl(issuer, '/oauth/token');
  return await reaching(() => post(url, { dialer, client, signal, timeoutMs, body: new URLSearchParams(fields) }));
}

/** A connection that fails is a login that fails. */
export async function reaching<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof NetworkError)) throw cause;
    throw new AuthError('login-failed', `the login server can not be reached: ${cause.message}`, { cause });
  }
}

/** What a server says of its refusal, without anything that could be a token. Source: order of the peer. */
export function failureDetail(text: string): string {
  if (text.trim() === '') return 'it did not say why';
  const body = parseJsonObject(text);
  if (body === undefined) return /^\s*</.test(text) ? 'it answered with a web page' : safe(text);
  const { error } = body;
  const nested = isJsonObject(error) ? (stringAt(error, 'message') ?? stringAt(error, 'code')) : undefined;
  const plain = typeof error === 'string' ? error : undefined;
  const detail = stringAt(body, 'error_description') ?? nested ?? plain;
  return detail === undefined ? 'it did not say why' : safe(detail);
}

const MAX_DETAIL = 300;

/** One line; long runs of letters and digits are left out, as tokens and codes are. */
export function safe(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.replace(/[\w.~+/=-]{32,}/g, '…').slice(0, MAX_DETAIL);
}
