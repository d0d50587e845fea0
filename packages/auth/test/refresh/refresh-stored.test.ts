import { rm, writeFile } from 'node:fs/promises';
import { Simulator } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { AuthError } from '../../src/auth-error.ts';
import { loginOf } from '../../src/credentials/auth-document.ts';
import { generationOf } from '../../src/refresh/generation.ts';
import { changeLockPath } from '../../src/refresh/lock-paths.ts';
import { refreshStored, type StoredRefresh } from '../../src/refresh/refresh-stored.ts';
import { createAutoStore } from '../../src/storage/auto-store.ts';
import { createFileStore } from '../../src/storage/file-store.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
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

describe('while a refresh token is in use, what a program without the lock', () => {
  /** Gives the outcome, the file as that program left it and as it is in the end. */
  async function renewBeside(scene: Awaited<ReturnType<typeof stage>>, change: () => Promise<void>) {
    const hold = scene.sim.oauth.holdNext('token');
    const renewal = refreshStored(scene.request);
    await hold.arrived;
    await change();
    const left = await scene.home.text().catch(() => 'no file');
    hold.release();
    const outcome = await renewal;
    return { outcome, left, after: await scene.home.text().catch(() => 'no file') };
  }

  test.each([
    ['the login of another account', { accessToken: 'A', refreshToken: 'R' }, 'account-2', LOST],
    ['newer tokens of the same account', { accessToken: 'A', refreshToken: 'R' }, 'account-1', { kind: 'adopted' }],
  ])('stores stays: %s [AUTH-131]', async (_what, other, accountId, outcome) => {
    await using scene = await stage();
    const told = await renewBeside(scene, () => scene.home.write(stored(other, { accountId })));
    expect(told).toEqual({ outcome, left: told.left, after: told.left });
    expect(told.left).toContain('"R"');
  });

  test('stores stays: a key [AUTH-131]', async () => {
    await using scene = await stage();
    const told = await renewBeside(scene, () => scene.home.write({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-new' }));
    expect(told).toEqual({ outcome: LOST, left: told.left, after: told.left });
  });

  test('takes away stays away [AUTH-131]', async () => {
    await using scene = await stage();
    const told = await renewBeside(scene, () => rm(scene.home.file));
    expect(told).toEqual({ outcome: LOST, left: 'no file', after: 'no file' });
  });

  test('writes beside the same tokens stays beside the new ones [AUTH-131] [AUTH-22]', async () => {
    await using scene = await stage();
    const { outcome } = await renewBeside(scene, () =>
      scene.home.write({ ...stored(scene.tokens), OPENAI_API_KEY: 'sk-exchanged', theirs: { kept: true } }),
    );
    const after = await scene.home.json();
    expect([outcome, after]).toEqual([
      { kind: 'refreshed' },
      expect.objectContaining({ OPENAI_API_KEY: 'sk-exchanged', theirs: { kept: true } }),
    ]);
    expect(after['tokens']).not.toMatchObject({ refresh_token: scene.tokens.refreshToken });
  });

  test('leaves torn does not cost the grant [AUTH-131] [AUTH-101]', async () => {
    await using scene = await stage();
    const { outcome, after } = await renewBeside(scene, () => writeFile(scene.home.file, '{"auth_mode":'));
    expect(outcome).toEqual({ kind: 'refreshed' });
    const { access_token: token } = (JSON.parse(after) as { readonly tokens: Record<string, string> }).tokens;
    expect(scene.sim.oauth.accepts(token ?? '')).toBe(true);
  });

  test('leaves in a keyring that is locked by then does not cost the grant [AUTH-131] [AUTH-101]', async () => {
    await using scene = await stage();
    const document = (await scene.store.read({ signal })) ?? {};
    const keyring = createMemoryStore();
    await keyring.write(document);
    await rm(scene.home.file);
    let isLocked = false;
    const read: typeof keyring.read = async (options) => {
      if (isLocked) throw new AuthError('keyring', 'it is locked');
      return await keyring.read(options);
    };
    const write: typeof keyring.write = async () => {
      throw new AuthError('keyring', 'it is locked');
    };
    const store = createAutoStore({ keyring: { ...keyring, read, write }, file: scene.store });
    const told = await renewBeside({ ...scene, request: { ...scene.request, store } }, async () => {
      isLocked = true;
    });
    expect([told.outcome, told.left]).toEqual([{ kind: 'refreshed' }, 'no file']);
    expect(told.after).not.toContain(scene.tokens.refreshToken);
  });
});
