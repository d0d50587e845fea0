import { isJsonObject, parseJsonObject, stringAt } from '@quire/protocol';
import { STORE_KINDS, type StoreKind } from '../storage/login-store.ts';
import { openLoginStore } from '../storage/open-login-store.ts';
import { changeLockPath } from './lock-paths.ts';
import { refreshStored } from './refresh-stored.ts';

/** What another process is told. No token is part of it: they stay in the store. */
export interface RefreshOrder {
  readonly home: string;
  readonly storeKind: StoreKind;
  readonly generation: string;
  readonly accountId: string | null;
  readonly client: { readonly originator: string; readonly userAgent: string } | null;
}

/** Where this module is, for the process that is to run it. */
export const REFRESH_PROGRAM_URL = import.meta.url;

/** The first line of its output: from here on a renewal may be under way. */
export const READY = 'ready';

/**
 * The whole life of a process of its own: reads an order from stdin, has the stored login renewed and writes the outcome
 * as JSON. It goes on when whoever started it is gone, so that no grant is lost between its arrival and the store.
 *
 * @public named by the text of the program that `refreshElsewhere` starts
 */
export async function runRefreshProgram(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.stdout.on('error', () => undefined); // nobody listens any more
  let text = '';
  for await (const chunk of process.stdin) text += String(chunk);
  const order = parseOrder(text);
  if (order === undefined) return;
  process.stdout.write(`${READY}\n`);
  const { home, storeKind, generation, accountId, client } = order;
  const outcome = await refreshStored({
    store: await openLoginStore(storeKind, home),
    lockPath: changeLockPath(home),
    environment: process.env,
    client: client ?? undefined,
    generation,
    accountId: accountId ?? undefined,
    nowMs: Date.now,
  });
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

function parseOrder(text: string): RefreshOrder | undefined {
  const order = parseJsonObject(text);
  if (order === undefined) return undefined;
  const [home, generation] = [stringAt(order, 'home'), stringAt(order, 'generation')];
  const storeKind = STORE_KINDS.find((kind) => kind === order['storeKind']);
  if (home === undefined || generation === undefined || storeKind === undefined) return undefined;
  const { client } = order;
  const [originator, userAgent] = isJsonObject(client)
    ? [stringAt(client, 'originator'), stringAt(client, 'userAgent')]
    : [];
  return {
    home,
    generation,
    storeKind,
    accountId: stringAt(order, 'accountId') ?? null,
    client: originator === undefined || userAgent === undefined ? null : { originator, userAgent },
  };
}
