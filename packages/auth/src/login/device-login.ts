import { NetworkError } from '@quire/network';
import { type JsonObject, parseJsonObject, stringAt } from '@quire/protocol';
import { AuthError } from '../auth-error.ts';
import type { ChatgptLogin } from '../credentials/login.ts';
import { CLIENT_ID, DEFAULT_ISSUER, issuerUrl } from '../endpoints.ts';
import { type PostAnswer, post } from '../post.ts';
import { sleep } from '../waiting.ts';
import { exchangeCode, failureDetail, reaching } from './exchange-code.ts';
import { requireAllowed, storeLogin } from './finish-login.ts';
import type { LoginContext } from './login-context.ts';

/** What the person does on another machine. */
export interface DevicePrompt {
  readonly verificationUrl: string;
  readonly userCode: string;
  readonly expiresInMs: number;
}

export interface DeviceLoginOptions extends LoginContext {
  /** Shows it. Must not throw. */
  readonly onPrompt: (prompt: DevicePrompt) => void;
  /** Default: fifteen minutes. */
  readonly timeoutMs?: number;
  /** Shortest time between two polls; a server that names none is not asked without a pause. Default: one second. */
  readonly minIntervalMs?: number;
}

const TIMEOUT_MS = 15 * 60_000;
const MIN_INTERVAL_MS = 1000;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * Logs in through a browser on another machine, where the person types in a code. Rejects with AuthError
 * ('no-device-login' when the server has no such thing), or the reason of the signal.
 */
export async function logInWithDevice(options: DeviceLoginOptions): Promise<ChatgptLogin> {
  const { issuer = DEFAULT_ISSUER, timeoutMs = TIMEOUT_MS } = options;
  await options.keeper.requireStorable({ signal: options.signal });
  const started = await startDevice(options);
  options.onPrompt({
    verificationUrl: issuerUrl(issuer, '/codex/device').href,
    userCode: started.userCode,
    expiresInMs: timeoutMs,
  });
  const grant = await pollUntilAllowed(options, started);
  const login = await exchangeCode(options, {
    ...grant,
    redirectUri: issuerUrl(issuer, '/deviceauth/callback').href,
  });
  requireAllowed(options, login);
  await storeLogin(options, login, { exchangedKey: undefined });
  return login;
}

interface Started {
  readonly deviceId: string;
  readonly userCode: string;
  readonly intervalMs: number;
}

async function startDevice(options: DeviceLoginOptions): Promise<Started> {
  const answer = await postJson(options, '/deviceauth/usercode', { client_id: CLIENT_ID });
  if (answer.status === 404) {
    throw new AuthError('no-device-login', 'this server offers no login by device code; use quire login without it');
  }
  const body = bodyOf(answer);
  const deviceId = stringAt(body, 'device_auth_id');
  const userCode = stringAt(body, 'user_code') ?? stringAt(body, 'usercode');
  if (deviceId === undefined || userCode === undefined) {
    throw new AuthError('login-failed', 'the login server did not answer with a code; try again later');
  }
  return { deviceId, userCode, intervalMs: intervalOf(body) };
}

/** A text of seconds. */
function intervalOf(body: JsonObject): number {
  const seconds = Number(body['interval'] ?? 0);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
}

async function pollUntilAllowed(
  options: DeviceLoginOptions,
  { deviceId, userCode, intervalMs }: Started,
): Promise<{ readonly code: string; readonly verifier: string }> {
  const { timeoutMs = TIMEOUT_MS, minIntervalMs = MIN_INTERVAL_MS, signal } = options;
  const endsAtMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await poll(options, { device_auth_id: deviceId, user_code: userCode });
    if (!(answer instanceof AuthError) && answer.status !== 403 && answer.status !== 404) {
      const body = bodyOf(answer);
      const [code, verifier] = [stringAt(body, 'authorization_code'), stringAt(body, 'code_verifier')];
      if (code !== undefined && verifier !== undefined) return { code, verifier };
      throw new AuthError('login-failed', 'the login server allowed the login but sent no code; try again');
    }
    const leftMs = endsAtMs - performance.now();
    if (leftMs <= 0) {
      if (answer instanceof AuthError) throw answer;
      throw new AuthError('login-failed', `nobody typed in the code within ${Math.round(timeoutMs / 60_000)} minutes`);
    }
    await sleep(Math.min(Math.max(intervalMs, minIntervalMs), leftMs), signal);
  }
}

/** A connection that fails now says nothing of the login: the person types in the code meanwhile. */
async function poll(
  options: DeviceLoginOptions,
  body: Readonly<Record<string, string>>,
): Promise<PostAnswer | AuthError> {
  try {
    return await postJson(options, '/deviceauth/token', body);
  } catch (error) {
    if (error instanceof AuthError && error.cause instanceof NetworkError && error.cause.retryable) return error;
    throw error;
  }
}

function bodyOf({ status, text }: PostAnswer): JsonObject {
  if (status >= 200 && status <= 299) return parseJsonObject(text) ?? {};
  throw new AuthError('login-failed', `the login server answered with status ${status}: ${failureDetail(text)}`);
}

async function postJson(
  { issuer = DEFAULT_ISSUER, dialer, client, signal }: DeviceLoginOptions,
  path: string,
  body: Readonly<Record<string, string>>,
): Promise<PostAnswer> {
  const url = issuerUrl(issuer, `/api/accounts${path}`);
  return await reaching(() => post(url, { dialer, client, signal, body, timeoutMs: REQUEST_TIMEOUT_MS }));
}
