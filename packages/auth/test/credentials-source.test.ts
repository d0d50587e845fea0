import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AuthError, type CredentialsSourceOptions, createCredentialsSource } from '../src/index.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'quire-auth-'));
});
afterEach(() => rm(home, { recursive: true }));

const signal = new AbortController().signal;
const OPENAI: CredentialsSourceOptions['provider'] = {
  id: 'openai',
  envKey: undefined,
  envKeyInstructions: undefined,
  bearerToken: undefined,
  requiresOpenaiAuth: true,
};
const TOKENS = { id_token: 'i', access_token: 'access-1', refresh_token: 'r', account_id: 'account-1' };

function sourceFor(options: Partial<CredentialsSourceOptions> = {}) {
  return createCredentialsSource({ provider: OPENAI, home, environment: {}, apiKeyFromEnvironment: true, ...options });
}

async function failure(promise: Promise<unknown>): Promise<AuthError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof AuthError) return error;
  throw new Error(`expected an AuthError, got ${String(error)}`);
}

const writeAuth = (value: unknown) =>
  writeFile(join(home, 'auth.json'), typeof value === 'string' ? value : JSON.stringify(value));

describe('order', () => {
  const environment = { KEY: ' from-variable\n', CODEX_API_KEY: ' from-environment ' };

  test('the variable of env_key wins over everything and is trimmed [AUTH-01]', async () => {
    await writeAuth({ OPENAI_API_KEY: 'stored' });
    const provider = { ...OPENAI, envKey: 'KEY', bearerToken: 'literal' };
    expect(await sourceFor({ provider, environment }).current({ signal })).toEqual({
      kind: 'api-key',
      token: 'from-variable',
    });
  });

  test('the literal bearer token comes next [AUTH-01]', async () => {
    const provider = { ...OPENAI, bearerToken: 'literal' };
    expect(await sourceFor({ provider, environment }).current({ signal })).toEqual({
      kind: 'api-key',
      token: 'literal',
    });
  });

  test('CODEX_API_KEY wins over the stored login where it is enabled, and only there [AUTH-02]', async () => {
    await writeAuth({ OPENAI_API_KEY: 'stored' });
    expect(await sourceFor({ environment }).current({ signal })).toEqual({
      kind: 'api-key',
      token: 'from-environment',
    });
    expect(await sourceFor({ environment, apiKeyFromEnvironment: false }).current({ signal })).toEqual({
      kind: 'api-key',
      token: 'stored',
    });
  });

  test('a provider that does not use the login gets neither it nor CODEX_API_KEY [AUTH-03]', async () => {
    await writeAuth({ OPENAI_API_KEY: 'stored' });
    const provider = { ...OPENAI, id: 'local', requiresOpenaiAuth: false };
    expect(await sourceFor({ provider, environment }).current({ signal })).toEqual({ kind: 'none' });
  });

  test('OPENAI_API_KEY of the environment is not used [AUTH-04]', async () => {
    const error = await failure(sourceFor({ environment: { OPENAI_API_KEY: 'x' } }).current({ signal }));
    expect(error.code).toBe('no-credentials');
  });
});

describe('what to do when they are refused [AUTH-118]', () => {
  const login = { auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens: TOKENS, last_refresh: new Date().toISOString() };
  const custom = { ...OPENAI, id: 'mine', requiresOpenaiAuth: false };
  test.each([
    [
      'the variable of a provider',
      { provider: { ...custom, envKey: 'KEY', envKeyInstructions: 'ask the operator' }, environment: { KEY: 'key' } },
      'the key was refused: check the variable KEY (ask the operator)',
    ],
    [
      'the key of a provider',
      { provider: { ...custom, bearerToken: 'key' } },
      'the key was refused: check model_providers.mine.experimental_bearer_token',
    ],
    [
      'nothing at all',
      { provider: custom },
      'this provider wants a key: name the variable that holds it as model_providers.mine.env_key',
    ],
    [
      'the variable of this program',
      { environment: { CODEX_API_KEY: 'key' } },
      'the key was refused: check CODEX_API_KEY, or leave it away and log in with quire login',
    ],
    [
      'a key of the program around this one',
      { environment: { CODEX_API_KEY: 'key' }, apiKeyName: 'apiKey' },
      'the key was refused: check apiKey, or leave it away and log in with quire login',
    ],
    [
      'a stored key',
      { stored: { OPENAI_API_KEY: 'key' } },
      'the stored key was refused: store another with quire login --with-api-key',
    ],
    ['a login', { stored: login }, 'the login is no longer accepted: log in again with quire login'],
  ])(
    'is told for %s',
    async (_, { stored, ...options }: Partial<CredentialsSourceOptions> & { readonly stored?: unknown }, remedy) => {
      if (stored !== undefined) await writeAuth(stored);
      const source = sourceFor(options);
      await source.current({ signal });
      expect(source.remedy).toBe(remedy);
    },
  );
});

describe('auth.json', () => {
  test.each([
    ['apikey mode', { auth_mode: 'apikey', OPENAI_API_KEY: 'key-1' }, { kind: 'api-key', token: 'key-1' }],
    [
      'chatgpt mode',
      { auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens: TOKENS, last_refresh: '2026-02-01T10:00:00Z' },
      { kind: 'chatgpt', accessToken: 'access-1', accountId: 'account-1' },
    ],
    [
      'chatgpt mode although a key is there',
      { auth_mode: 'chatgpt', OPENAI_API_KEY: 'key-1', tokens: TOKENS, last_refresh: '2026-02-01T10:00:00Z' },
      { kind: 'chatgpt', accessToken: 'access-1', accountId: 'account-1' },
    ],
    [
      'no mode: the key wins over tokens',
      { OPENAI_API_KEY: 'key-1', tokens: TOKENS, last_refresh: '2026-02-01T10:00:00Z' },
      { kind: 'api-key', token: 'key-1' },
    ],
    [
      'no mode and no key, account unknown',
      { OPENAI_API_KEY: null, tokens: { ...TOKENS, account_id: null }, last_refresh: '2026-02-01T10:00:00Z' },
      { kind: 'chatgpt', accessToken: 'access-1', accountId: undefined },
    ],
  ])('%s [AUTH-05] [CHECK-03] [CHECK-04]', async (_name, file, expected) => {
    await writeAuth(file);
    expect(await sourceFor().current({ signal })).toEqual(expected);
  });

  test.each([
    ['a missing file', undefined],
    ['tokens without last_refresh', { tokens: TOKENS }],
    ['an empty object', {}],
  ])('%s means no credentials, and the message says what to do in one line [AUTH-06]', async (_name, file) => {
    if (file !== undefined) await writeAuth(file);
    const error = await failure(sourceFor().current({ signal }));
    expect([error.code, error.message]).toEqual([
      'no-credentials',
      'no credentials for the model provider "openai": log in with `quire login` or set CODEX_API_KEY; to try without a key: `npm run demo` or `quire simulate`',
    ]);
  });

  test.each([
    ['an unreadable time', '{"tokens":{"access_token":"a"},"last_refresh":"secret-1"}', 'last_refresh that is no time'],
    ['broken JSON', '{"OPENAI_API_KEY": "secret-1', 'is not valid JSON'],
    ['an array', '[]', 'does not hold a JSON object'],
    ['apikey mode without a key', '{"auth_mode":"apikey"}', 'holds no OPENAI_API_KEY'],
    ['an unknown mode', '{"auth_mode":"secret-1"}', 'auth_mode that is not supported'],
    ['a key that is no text', '{"OPENAI_API_KEY":["secret-1"]}', 'holds a value of OPENAI_API_KEY that is no text'],
    ['another version', '{"version":"secret-1"}', 'holds no login that is understood here, perhaps a newer one'],
    ['tokens of the wrong shape', '{"tokens":"secret-1"}', 'tokens without an access_token'],
  ])('%s is an error that names the file and the remedy and no token [AUTH-07]', async (_name, text, message) => {
    await writeAuth(text);
    const error = await failure(sourceFor().current({ signal }));
    expect(error.code).toBe('malformed-file');
    expect(error.message).toContain(join(home, 'auth.json'));
    expect(error.message).toContain(message);
    expect(error.message).toContain('set CODEX_API_KEY');
    expect(`${error.message}${String(error.cause)}`).not.toContain('secret-1');
  });

  test('a file that can not be read is an error that names it [AUTH-08]', async () => {
    await mkdir(join(home, 'auth.json'));
    const error = await failure(sourceFor().current({ signal }));
    expect([error.code, error.message]).toEqual([
      'unreadable-file',
      `${join(home, 'auth.json')} can not be read: it is a directory; put it right, or set CODEX_API_KEY`,
    ]);
  });
});

test.each([undefined, '', '  '])(
  'an env_key variable that is %j is an error that names it [AUTH-09]',
  async (value) => {
    const provider = { ...OPENAI, id: 'acme', envKey: 'ACME_KEY', envKeyInstructions: 'see acme.example/keys' };
    const error = await failure(sourceFor({ provider, environment: { ACME_KEY: value } }).current({ signal }));
    expect([error.code, error.message]).toEqual([
      'missing-variable',
      'the model provider "acme" takes its key from the environment variable ACME_KEY, which is not set (see acme.example/keys)',
    ]);
  },
);

test('the file is read at the first request only; a failure is not kept [AUTH-10]', async () => {
  const source = sourceFor();
  expect((await failure(source.current({ signal }))).code).toBe('no-credentials');
  await writeAuth({ OPENAI_API_KEY: 'key-1' });
  expect(await source.current({ signal })).toEqual({ kind: 'api-key', token: 'key-1' });
  await rm(join(home, 'auth.json'));
  expect(await source.current({ signal })).toEqual({ kind: 'api-key', token: 'key-1' });
});

test('an aborted signal rejects with its reason [AUTH-11]', async () => {
  const reason = new Error('stop');
  await expect(sourceFor().current({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('a key that no header can carry is refused and not shown [AUTH-15]', async () => {
  const source = createCredentialsSource({
    provider: {
      id: 'mine',
      envKey: 'MY_KEY',
      envKeyInstructions: undefined,
      bearerToken: undefined,
      requiresOpenaiAuth: false,
    },
    home: '/nonexistent',
    environment: { MY_KEY: 'sk-sécret' },
    apiKeyFromEnvironment: false,
  });

  await expect(source.current({ signal: new AbortController().signal })).rejects.toMatchObject({
    code: 'unusable-key',
    message:
      'the key for the model provider "mine" holds spaces, line ends or other characters that can not be sent; set it anew',
  });
});
