import { type Account, accountOf, credentialsOf, type Login, type LoginKeeper } from '@quire/auth';
import { systemClock } from '@quire/host';
import { type AccountSnapshot, loadAccountTools, RateLimitStore } from '@quire/model-client';
import { type Credentials, ModelError } from '@quire/protocol';
import { readLastRateLimits } from '@quire/store';
import type { LoginPlace } from '../login/place.ts';

/** `service`: it was asked just now. `recorded`: turns heard of it. */
export type AccountSource = 'service' | 'recorded';

/** All that is known of the account at one moment. */
export interface AccountReading {
  readonly login: Login | undefined;
  readonly account: Account | undefined;
  readonly snapshot: AccountSnapshot;
  /** Absent: nothing is known of limits. */
  readonly source: AccountSource | undefined;
  /** Why the service could not be asked; a sentence with a remedy. */
  readonly problem: string | undefined;
  readonly nowMs: number;
}

/** For asking the service, a renewal of the tokens included. Milliseconds. */
const ASK_TIMEOUT_MS = 15_000;
const RECORDED_TIMEOUT_MS = 2_000;
const CHATGPT_BASE_URL = 'https://chatgpt.com/backend-api';
/** Recorded turns of this provider heard of the limits of the account. */
const ACCOUNT_PROVIDER = 'openai';

/**
 * Asks the account service; when that fails, what recorded turns heard is the newest there is. Rejects with AuthError for
 * a login that can not be read, or with the reason of the signal.
 */
export async function readAccount(
  place: LoginPlace,
  { offline }: { readonly offline: boolean },
): Promise<AccountReading> {
  const store = new RateLimitStore({ clock: systemClock });
  const { keeper, signal } = place;
  let login = await keeper.read({ signal });
  let problem: string | undefined;
  let source: AccountSource | undefined;
  if (login !== undefined && login.kind !== 'api-key') {
    problem = offline ? undefined : await ask(store, place);
    source = offline || problem !== undefined ? await recall(store, place) : 'service';
    // Renewed meanwhile, perhaps with another plan.
    login = await keeper.read({ signal });
  }
  const account = login && accountOf(login);
  const nowMs = systemClock.now();
  const { accountSnapshot } = await loadAccountTools();
  const snapshot = accountSnapshot(store, { nowMs, planOfLogin: account?.rawPlan });
  return { login, account, snapshot, source, problem, nowMs };
}

/** `undefined` when the service answered, else why not. */
async function ask(store: RateLimitStore, place: LoginPlace): Promise<string | undefined> {
  const budget = AbortSignal.timeout(ASK_TIMEOUT_MS);
  try {
    await askWithRecovery(store, { ...place, signal: AbortSignal.any([place.signal, budget]) });
    return undefined;
  } catch (error) {
    place.signal.throwIfAborted();
    if (budget.aborted) {
      return `the account service did not answer within ${ASK_TIMEOUT_MS / 1000} s; check the network with quire doctor`;
    }
    return error instanceof Error ? error.message : String(error);
  }
}

async function askWithRecovery(store: RateLimitStore, place: LoginPlace): Promise<void> {
  const { keeper, dialer, client, config, signal } = place;
  const { refreshUsage } = await loadAccountTools();
  let credentials: Credentials = await currentCredentials(keeper, signal);
  const steps = keeper.recover({ signal });
  try {
    for (;;) {
      const refusal = await refreshUsage(store, {
        dialer,
        chatgptBaseUrl: config.chatgptBaseUrl ?? CHATGPT_BASE_URL,
        credentials,
        userAgent: client.userAgent,
        nowMs: systemClock.now(),
        signal,
      }).then(() => undefined, unauthorizedOrThrow);
      if (refusal === undefined) return;
      const step = await steps.next();
      if (step.done === true) throw refusal;
      credentials = step.value.credentials;
    }
  } finally {
    await steps.return();
  }
}

async function currentCredentials(keeper: LoginKeeper, signal: AbortSignal): Promise<Credentials> {
  const login = await keeper.current({ signal });
  return login === undefined ? { kind: 'none' } : credentialsOf(login);
}

function unauthorizedOrThrow(error: unknown): ModelError {
  if (error instanceof ModelError && error.httpStatus === 401) return error;
  throw error;
}

async function recall(store: RateLimitStore, place: LoginPlace): Promise<AccountSource | undefined> {
  const { home, signal } = place;
  const limits = await readLastRateLimits({
    home,
    providerId: ACCOUNT_PROVIDER,
    signal,
    timeoutMs: RECORDED_TIMEOUT_MS,
  });
  for (const { snapshot, atMs } of limits) store.update(snapshot, { asOfMs: atMs });
  return store.all.size === 0 ? undefined : 'recorded';
}
