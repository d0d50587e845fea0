import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { authFileWarning, LoginKeeper } from '../../src/index.ts';
import { createAutoStore } from '../../src/storage/auto-store.ts';
import { createFileStore } from '../../src/storage/file-store.ts';
import { createKeyringStore, keyringAccount, type OpenKeyringEntry } from '../../src/storage/keyring-store.ts';
import { openLoginStore } from '../../src/storage/open-login-store.ts';
import { createHome, failure, signal } from '../support/home.ts';

const DOCUMENT = { auth_mode: 'apikey', OPENAI_API_KEY: 'sk-secret' };

/** A keyring in memory, that fails as long as `broken` says so. */
function fakeKeyring() {
  const entries = new Map<string, string>();
  const state = { broken: false };
  const open: OpenKeyringEntry = async (service, account) => {
    const name = `${service} ${account}`;
    const guard = (): void => {
      if (state.broken) throw new Error('no service: sk-secret');
    };
    guard();
    return {
      read: async () => entries.get(name) ?? null,
      write: async (secret) => {
        guard();
        entries.set(name, secret);
      },
      remove: async () => entries.delete(name),
    };
  };
  return { entries, state, open };
}

describe('the file', () => {
  test('is made for its owner only, pretty, and replaced in one step [AUTH-30]', async () => {
    await using home = await createHome();
    const deep = join(home.path, 'not', 'there');
    const store = createFileStore(deep);
    expect(await store.read({ signal })).toBeUndefined();
    await store.write(DOCUMENT);
    await store.write(DOCUMENT);
    const file = join(deep, 'auth.json');
    expect(await readFile(file, 'utf8')).toBe('{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "sk-secret"\n}');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(deep)).toEqual(['auth.json']);
    expect([await store.remove(), await store.remove()]).toEqual([true, false]);
  });

  test.skipIf(process.platform === 'win32')('that is a pipe is refused at once [AUTH-119]', async () => {
    await using home = await createHome();
    execFileSync('mkfifo', [home.file]);
    const error = await failure(createFileStore(home.path).read({ signal }));
    expect(error.message).toBe(`${home.file} can not be read: it is a pipe; put it right, or set CODEX_API_KEY`);
  });

  test('that others can read is said so, and is closed by the next write [AUTH-31]', async () => {
    await using home = await createHome();
    expect(await authFileWarning(home.path)).toBeUndefined();
    await home.write(DOCUMENT);
    expect(await authFileWarning(home.path)).toBeUndefined();
    await chmod(home.file, 0o644);
    expect(await authFileWarning(home.path)).toBe(
      `${home.file} can be read by others than its owner; run chmod 600 on it`,
    );
    await createFileStore(home.path).write(DOCUMENT);
    expect(await authFileWarning(home.path)).toBeUndefined();
  });

  test('that is a link stays one; a link that leads nowhere is not replaced [AUTH-30]', async () => {
    await using home = await createHome();
    const real = join(home.path, 'real.json');
    await writeFile(real, '{}');
    await symlink(real, home.file);
    await createFileStore(home.path).write(DOCUMENT);
    expect([await readlink(home.file), JSON.parse(await readFile(real, 'utf8'))]).toEqual([real, DOCUMENT]);
    await rm(real);
    expect((await failure(createFileStore(home.path).write(DOCUMENT))).code).toBe('not-writable');
  });

  test('that another client is just writing is read when it is whole [AUTH-32]', async () => {
    await using home = await createHome();
    await home.write('{"auth_mode": "apikey", "OPENAI');
    const reading = createFileStore(home.path).read({ signal });
    await home.write(DOCUMENT);
    expect(await reading).toEqual(DOCUMENT);
  });

  test('that can not be written is a typed error without the content [AUTH-33]', async () => {
    await using home = await createHome();
    await mkdir(home.file);
    const error = await failure(createFileStore(home.path).write(DOCUMENT));
    expect(error.code).toBe('not-writable');
    expect(error.message).toContain(home.file);
    expect(`${error.message}${String(error.cause)}`).not.toContain('sk-secret');
    expect(await readdir(home.path)).toEqual(['auth.json']);
  });

  test.each([
    ['torn', '{"OPENAI_API_KEY": "sk-se', 'malformed-file'],
    ['of another kind', '[]', 'malformed-file'],
    ['of an unknown mode', '{"auth_mode":"future","tokens":{"x":1}}', 'malformed-file'],
    ['of another version', '{"version":9}', 'malformed-file'],
    ['with tokens of another shape', '{"tokens":5}', 'malformed-file'],
    ['with a key that is no text', '{"OPENAI_API_KEY":5}', 'malformed-file'],
  ])('that is %s is never overwritten by a login; taking it away is allowed [AUTH-33]', async (_name, text, code) => {
    await using home = await createHome();
    await home.write(text);
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    const saving = keeper.save({ kind: 'api-key', key: 'k' }, { signal });
    expect((await failure(saving)).code).toBe(code);
    expect(await home.text()).toBe(text);
    expect(await keeper.remove({ signal })).toBe(true);
  });

  test.each([
    ['an object without fields', '{}'],
    ['fields without values', '{"auth_mode":null,"OPENAI_API_KEY":null,"agent":null,"personal_access_token":""}'],
    ['a login beside fields that are not known', '{"OPENAI_API_KEY":"sk-old","version":9,"tokens":5}'],
  ])('that holds %s is replaced by a login [AUTH-33]', async (_name, text) => {
    await using home = await createHome();
    await home.write(text);
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    await keeper.save({ kind: 'api-key', key: 'k' }, { signal });
    expect(await home.json()).toEqual({ auth_mode: 'apikey', OPENAI_API_KEY: 'k' });
  });

  test('that is empty is explained, and a login replaces it [AUTH-33]', async () => {
    await using home = await createHome();
    await home.write('');
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    expect((await failure(keeper.read({ signal }))).message).toBe(
      `${home.file} is empty; fix it, move it away or run quire logout and log in again, or set CODEX_API_KEY`,
    );
    await keeper.save({ kind: 'api-key', key: 'k' }, { signal });
    expect(await home.json()).toEqual({ auth_mode: 'apikey', OPENAI_API_KEY: 'k' });
  });
});

describe('the keyring', () => {
  test('keeps compact JSON under one name for each home, and then there is no file [AUTH-13]', async () => {
    await using home = await createHome();
    const keyring = fakeKeyring();
    const file = createFileStore(home.path);
    await file.write(DOCUMENT);
    const store = createKeyringStore({ home: home.path, file, openEntry: keyring.open });
    expect(await store.read({ signal })).toBeUndefined();
    await store.write(DOCUMENT);
    const account = await keyringAccount(home.path);
    expect(account).toMatch(/^cli\|[0-9a-f]{16}$/);
    expect([...keyring.entries]).toEqual([[`Codex Auth ${account}`, JSON.stringify(DOCUMENT)]]);
    expect(await file.read({ signal })).toBeUndefined();
    expect(await store.read({ signal })).toEqual(DOCUMENT);
    await file.write(DOCUMENT);
    expect([await store.remove(), await store.remove()]).toEqual([true, false]);
    expect(await file.read({ signal })).toBeUndefined();
  });

  test('that a login goes to leaves a file alone that is not understood [AUTH-33]', async () => {
    await using home = await createHome();
    await home.write('{"version":9}');
    const file = createFileStore(home.path);
    await createKeyringStore({ home: home.path, file, openEntry: fakeKeyring().open }).write(DOCUMENT);
    expect(await home.text()).toBe('{"version":9}');
  });

  test('that is locked or not there is a typed error with a remedy [AUTH-34]', async () => {
    await using home = await createHome();
    const keyring = fakeKeyring();
    keyring.state.broken = true;
    const store = createKeyringStore({ home: home.path, file: createFileStore(home.path), openEntry: keyring.open });
    const calls = [
      () => store.read({ signal }),
      () => store.write(DOCUMENT),
      () => store.remove(),
      () => store.probe(),
    ];
    for (const call of calls) {
      const error = await failure(call());
      expect(error.code).toBe('keyring');
      expect(error.message).toContain('cli_auth_credentials_store');
      expect(error.message).not.toContain('sk-secret');
    }
  });

  test('of the system itself is never one that forgets with the next start [AUTH-34]', async () => {
    await using home = await createHome();
    const nowhere = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' };
    const before = process.env['DBUS_SESSION_BUS_ADDRESS'];
    process.env['DBUS_SESSION_BUS_ADDRESS'] = nowhere.DBUS_SESSION_BUS_ADDRESS;
    try {
      const store = await openLoginStore('keyring', home.path);
      const asked = await store.write(DOCUMENT).catch((error: unknown) => error);
      // On Linux without a service; elsewhere the system's own keyring is used by no test.
      if (process.platform === 'linux') expect(asked).toMatchObject({ code: 'keyring' });
    } finally {
      if (before === undefined) delete process.env['DBUS_SESSION_BUS_ADDRESS'];
      else process.env['DBUS_SESSION_BUS_ADDRESS'] = before;
    }
  });

  test('comes first where both may be used, and the file takes its place when it fails [AUTH-35]', async () => {
    await using home = await createHome();
    const keyring = fakeKeyring();
    const file = createFileStore(home.path);
    const store = createAutoStore({
      keyring: createKeyringStore({ home: home.path, file, openEntry: keyring.open }),
      file,
    });
    keyring.state.broken = true;
    await store.write(DOCUMENT);
    expect(await file.read({ signal })).toEqual(DOCUMENT);
    expect(await store.read({ signal })).toEqual(DOCUMENT);
    keyring.state.broken = false;
    expect(await store.read({ signal })).toEqual(DOCUMENT);
    await store.write({ ...DOCUMENT, OPENAI_API_KEY: 'other' });
    expect(await file.read({ signal })).toBeUndefined();
    expect(await store.read({ signal })).toMatchObject({ OPENAI_API_KEY: 'other' });
    expect(await store.remove()).toBe(true);
    keyring.state.broken = true;
    await store.write(DOCUMENT);
    expect(await store.remove()).toBe(true);
    expect(await store.read({ signal })).toBeUndefined();
  });
});

test('a login in memory is gone with the program and is nowhere on the disk [AUTH-36]', async () => {
  await using home = await createHome();
  const keeper = new LoginKeeper({ home: home.path, environment: {}, storeKind: 'ephemeral' });
  await keeper.save({ kind: 'api-key', key: 'k' }, { signal });
  expect(await keeper.read({ signal })).toEqual({ kind: 'api-key', key: 'k' });
  expect(await readdir(home.path)).toEqual([]);
  const next = new LoginKeeper({ home: home.path, environment: {}, storeKind: 'ephemeral' });
  expect(await next.read({ signal })).toBeUndefined();
});
