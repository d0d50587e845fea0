import type { FileLock } from '@quire/files';
import { AuthError } from '../auth-error.ts';
import { loginOf } from '../credentials/auth-document.ts';
import type { ChatgptLogin } from '../credentials/login.ts';
import type { Environment } from '../endpoints.ts';
import type { ClientIdentity } from '../post.ts';
import { lockLogin } from '../storage/change-login.ts';
import type { LoginStore, StoreKind } from '../storage/login-store.ts';
import { generationOf } from './generation.ts';
import { changeLockPath, renewalLockPath } from './lock-paths.ts';
import type { RefreshOutcome } from './refresh-outcome.ts';
import { LOCK_WAIT_MS, refreshStored } from './refresh-stored.ts';

export interface Renewal {
  readonly home: string;
  readonly store: LoginStore;
  /** How another process opens the same store; `undefined`: none can. */
  readonly storeKind: StoreKind | undefined;
  readonly environment: Environment;
  readonly client: ClientIdentity | undefined;
  readonly nowMs: () => number;
  readonly timeoutMs: number | undefined;
}

/**
 * Has the stored login renewed, where possible by a process that outlives this one. Of many processes that want the
 * same, one does it and the others find it done.
 */
export async function renew(login: ChatgptLogin, renewal: Renewal): Promise<RefreshOutcome> {
  const { home, store, storeKind, environment, client, nowMs, timeoutMs } = renewal;
  const generation = generationOf(login);
  const { accountId } = login;
  const here = (): Promise<RefreshOutcome> =>
    refreshStored({
      store,
      lockPath: changeLockPath(home),
      environment,
      client,
      generation,
      accountId,
      nowMs,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  if (storeKind === undefined || storeKind === 'ephemeral') return await here();
  const { refreshElsewhere } = await import('./refresh-elsewhere.ts');
  await using _gate = await openGate(home);
  if (await isDone(store, { generation, accountId })) return { kind: 'adopted' };
  const order = { home, storeKind, generation, accountId: accountId ?? null, client: client ?? null };
  const outcome = (await refreshElsewhere(order, { environment })) ?? (await here());
  // One that was ended may have stored the tokens before.
  const isAdopted = outcome.kind === 'failed' && (await isDone(store, { generation, accountId }));
  return isAdopted ? { kind: 'adopted' } : outcome;
}

/** Only saves work: what must be done alone is done under another lock. */
async function openGate(home: string): Promise<FileLock | undefined> {
  try {
    return await lockLogin(renewalLockPath(home), { waitMs: 2 * LOCK_WAIT_MS });
  } catch (error) {
    if (error instanceof AuthError) return undefined;
    throw error;
  }
}

async function isDone(
  store: LoginStore,
  wanted: { readonly generation: string; readonly accountId: string | undefined },
): Promise<boolean> {
  if (wanted.accountId === undefined) return false;
  try {
    const document = await store.read({ signal: new AbortController().signal });
    const stored = document === undefined ? undefined : loginOf(document, store.place);
    if (stored?.kind !== 'chatgpt' || stored.accountId !== wanted.accountId) return false;
    return generationOf(stored) !== wanted.generation;
  } catch (error) {
    if (error instanceof AuthError) return false; // the renewal itself tells it
    throw error;
  }
}
