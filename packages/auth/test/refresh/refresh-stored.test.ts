import { Simulator } from '@quire/simulator';
import { expect, test } from 'vitest';
import { loginOf } from '../../src/credentials/auth-document.ts';
import { generationOf } from '../../src/refresh/generation.ts';
import { changeLockPath } from '../../src/refresh/lock-paths.ts';
import { refreshStored } from '../../src/refresh/refresh-stored.ts';
import { createFileStore } from '../../src/storage/file-store.ts';
import { createHome, signal, stored } from '../support/home.ts';

test('who comes while a refresh token is in use does not even read the login before it is stored [AUTH-100]', async () => {
  await using sim = await Simulator.start({ oauth: {} });
  await using home = await createHome();
  await home.write(stored(sim.oauth.logIn()));
  const store = createFileStore(home.path);
  const login = loginOf((await store.read({ signal })) ?? {}, store.place);
  if (login?.kind !== 'chatgpt') throw new Error('no login');
  const common = {
    lockPath: changeLockPath(home.path),
    environment: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/token` },
    client: undefined,
    generation: generationOf(login),
    accountId: login.accountId,
    nowMs: Date.now,
  };
  const hold = sim.oauth.holdNext('token');
  const first = refreshStored({ ...common, store });
  await hold.arrived;
  let reads = 0;
  const read: typeof store.read = (options) => {
    reads += 1;
    return store.read(options);
  };
  const second = refreshStored({ ...common, store: { ...store, read } });
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  const readsMeanwhile = reads;
  hold.release();
  expect([await first, await second, readsMeanwhile]).toEqual([{ kind: 'refreshed' }, { kind: 'adopted' }, 0]);
  expect([sim.oauth.refreshes.length, sim.oauth.reuseRevocations]).toEqual([1, 0]);
});
