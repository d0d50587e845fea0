import { setTimeout as delay } from 'node:timers/promises';
import { createDialer } from '@quire/network';
import type { JsonObject } from '@quire/protocol';
import { AuthError } from '../auth-error.ts';
import { loginOf, withTokens } from '../credentials/auth-document.ts';
import type { ChatgptLogin } from '../credentials/login.ts';
import { type Environment, refreshUrl } from '../endpoints.ts';
import type { ClientIdentity } from '../post.ts';
import { lockLogin } from '../storage/change-login.ts';
import type { LoginStore } from '../storage/login-store.ts';
import { generationOf } from './generation.ts';
import { lost, type RefreshFailure, type RefreshOutcome } from './refresh-outcome.ts';
import { requestRefresh } from './request-refresh.ts';

/** A holder has at most two reads, one request and one write to do. */
export const LOCK_WAIT_MS = 60_000;

export interface StoredRefresh {
  readonly store: LoginStore;
  /** Taken by everybody who changes the store. */
  readonly lockPath: string;
  readonly environment: Environment;
  readonly client: ClientIdentity | undefined;
  /** The login that is to be renewed; when the store holds another one there is nothing left to do. */
  readonly generation: string;
  readonly accountId: string | undefined;
  readonly nowMs: () => number;
  readonly timeoutMs?: number;
}

/**
 * Renews the stored login, alone among all processes: under the lock it is read again, and only if it is still the one
 * that was meant is the refresh token used. Once that is sent, the answer is waited for and stored, whatever happens
 * to whoever asked. A failure is a value.
 */
export async function refreshStored(request: StoredRefresh): Promise<RefreshOutcome> {
  try {
    await using _lock = await lockLogin(request.lockPath, { waitMs: LOCK_WAIT_MS });
    return await refreshAlone(request);
  } catch (error) {
    return { kind: 'failed', failure: storeFailure(error) };
  }
}

const WRITE_ATTEMPTS = 5;
const WRITE_RETRY_MS = 200;

const NEVER = new AbortController().signal;

async function refreshAlone(request: StoredRefresh): Promise<RefreshOutcome> {
  const { store, environment, client, nowMs, timeoutMs } = request;
  await store.takeUp?.();
  const found = await readLogin(store);
  const standing = compare(found?.login, request);
  if (found === undefined || standing !== undefined) return standing ?? failed(lost('signed-in-elsewhere'));
  if (found.login.refreshToken === '') return failed(lost('other'));
  // A refresh token is good once: it must not be spent when what comes back can not be kept.
  await store.probe();
  const dialer = createDialer({ environment });
  try {
    const url = refreshUrl(environment);
    const timing = timeoutMs === undefined ? {} : { timeoutMs };
    const answer = await requestRefresh(found.login, { url, dialer, client, nowMs, ...timing });
    if ('failure' in answer) return await afterFailure(answer.failure, request);
    return await keep({ before: found, login: answer.login }, request);
  } finally {
    dialer.close();
  }
}

/** There is no other copy of what is written here. */
async function keep(
  grant: { readonly before: Stored; readonly login: ChatgptLogin },
  request: StoredRefresh,
): Promise<RefreshOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    const next = await mergedWithStored(grant, request);
    if ('outcome' in next) return next.outcome;
    try {
      await request.store.write(next.document);
      return { kind: 'refreshed' };
    } catch (error) {
      if (attempt === WRITE_ATTEMPTS) throw error;
      await delay(WRITE_RETRY_MS);
    }
  }
}

/**
 * What is to be stored, beside what has come there since: a program that does not know the lock may have logged in or out,
 * and what it did stays.
 */
async function mergedWithStored(
  { before, login }: { readonly before: Stored; readonly login: ChatgptLogin },
  request: StoredRefresh,
): Promise<{ readonly document: JsonObject } | { readonly outcome: RefreshOutcome }> {
  let now: Stored | undefined;
  try {
    now = await readLogin(request.store, { isAgain: true });
  } catch {
    return { document: withTokens(before.document, login) }; // the grant must not be lost for that
  }
  const outcome = compare(now?.login, request);
  if (now === undefined || outcome !== undefined) return { outcome: outcome ?? failed(lost('signed-in-elsewhere')) };
  const idToken = login.idToken === before.login.idToken ? now.login.idToken : login.idToken;
  return { document: withTokens(now.document, { ...login, idToken, accountId: now.login.accountId }) };
}

/** A program that does not know the lock may have been faster. */
async function afterFailure(failure: RefreshFailure, request: StoredRefresh): Promise<RefreshOutcome> {
  if (failure.kind === 'transient') return failed(failure);
  const found = await readLogin(request.store);
  return compare(found?.login, request)?.kind === 'adopted' ? { kind: 'adopted' } : failed(failure);
}

/** What is to be done about a login that is not the one meant; `undefined`: it is. */
function compare(login: ChatgptLogin | undefined, request: StoredRefresh): RefreshOutcome | undefined {
  if (login === undefined) return failed(lost('signed-in-elsewhere'));
  if (generationOf(login) === request.generation) return undefined;
  const isSameAccount = login.accountId !== undefined && login.accountId === request.accountId;
  return isSameAccount ? { kind: 'adopted' } : failed(lost('signed-in-elsewhere'));
}

interface Stored {
  readonly document: JsonObject;
  readonly login: ChatgptLogin;
}

async function readLogin(store: LoginStore, { isAgain = false } = {}): Promise<Stored | undefined> {
  const again = isAgain ? store.readAgain?.({ signal: NEVER }) : undefined;
  const document = await (again ?? store.read({ signal: NEVER }));
  const login = document === undefined ? undefined : loginOf(document, store.place);
  return document === undefined || login?.kind !== 'chatgpt' ? undefined : { document, login };
}

function failed(failure: RefreshFailure): RefreshOutcome {
  return { kind: 'failed', failure };
}

function storeFailure(error: unknown): RefreshFailure {
  if (!(error instanceof AuthError)) throw error;
  const message = `the login could not be renewed: ${error.message}`;
  return { kind: 'transient', code: 'configuration', message, retryable: error.code === 'in-use' };
}
