import { Simulator } from '@quire/simulator';
import { expect, test } from 'vitest';
import { loginOf } from '../../src/credentials/auth-document.ts';
import { generationOf } from '../../src/refresh/generation.ts';
import { changeLockPath } from '../../src/refresh/lock-paths.ts';
import { refreshStored, type StoredRefresh } from '../../src/refresh/refresh-stored.ts';
import { createFileStore } from '../../src/storage/file-store.ts';
import { createHome, signal, stored } from '../support/home.ts';

/** A stored login, and a way to have the login renewed that was read once. */
async function stage() {
  const sim = await Simulator.start({ oauth: {} });
  const home = await createHome();
  const tokens = sim.oauth.logIn();
  await home.write(stored(tokens));
  const store = createFileStore(home.path);
  const login = loginOf((await store.read({ signal })) ?? {}, store.place);
  if (login?.kind !== 'chatgpt') throw new Error('no login');
  const request: StoredRefresh = {
    store,
    lockPath: changeLockPath(home.path),
    environment: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/token` },
    client: undefined,
    generation: generationOf(login),
    accountId: login.accountId,
    nowMs: Date.now,
  };
  const dispose = async (): Promise<void> => {
    await sim.close();
    await home[Symbol.asyncDispose]();
  };
  return { sim, home, tokens, store, request, [Symbol.asyncDispose]: dispose };
}

test('who comes while a refresh token is in use does not even read the login before it is stored [AUTH-100]', async () => {
  await using scene = await stage();
  const { sim, store, request } = scene;
  const hold = sim.oauth.holdNext('token');
  const first = refreshStored(request);
  await hold.arrived;
  let reads = 0;
  const read: typeof store.read = (options) => {
    reads += 1;
    return store.read(options);
  };
  const second = refreshStored({ ...request, store: { ...store, read } });
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  const readsMeanwhile = reads;
  hold.release();
  expect([await first, await second, readsMeanwhile]).toEqual([{ kind: 'refreshed' }, { kind: 'adopted' }, 0]);
  expect([sim.oauth.refreshes.length, sim.oauth.reuseRevocations]).toEqual([1, 0]);
});

const LOST = {
  kind: 'failed',
  failure: {
    kind: 'permanent',
    reason: 'signed-in-elsewhere',
    message:
      'the stored login was removed or replaced by that of another account since this run began; start again to use it',
  },
};

test.each([
  ['another access token', { accessToken: 'newer' }, 'account-1', { kind: 'adopted' }],
  ['another refresh token', { refreshToken: 'newer' }, 'account-1', { kind: 'adopted' }],
  ['tokens of another account', { accessToken: 'newer', refreshToken: 'newer' }, 'account-2', LOST],
  ['tokens of nobody known', { accessToken: 'newer' }, null, LOST],
])('finding %s under the lock, nothing is asked or written [AUTH-105]', async (_what, other, accountId, outcome) => {
  await using scene = await stage();
  const { sim, home, tokens, request } = scene;
  await home.write(stored({ ...tokens, ...other }, { accountId }));
  const before = await home.text();
  expect(await refreshStored(request)).toEqual(outcome);
  expect([sim.oauth.refreshes, await home.text()]).toEqual([[], before]);
});

test('finding the same tokens again they are renewed, whatever else has changed [AUTH-105]', async () => {
  await using scene = await stage();
  const { sim, home, tokens, request } = scene;
  await home.write(stored(tokens, { accountId: 'account-2', lastRefreshMs: 0 }));
  expect(await refreshStored(request)).toEqual({ kind: 'refreshed' });
  expect(sim.oauth.refreshes.length).toBe(1);
});
