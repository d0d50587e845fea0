import { readdir } from 'node:fs/promises';
import { createDialer } from '@quire/network';
import type { ModelError } from '@quire/protocol';
import { encodeJwt } from '@quire/simulator';
import { describe, expect, test, vi } from 'vitest';
import { accountOf, type HostTokens, LoginKeeper, loadLogins, type TokenHost } from '../src/index.ts';
import { createHome, failure, reason, signal, stored } from './support/home.ts';

const tokens = (name: string, accountId = 'w1'): HostTokens => ({
  accessToken: encodeJwt({
    jti: name,
    email: 'a@b.test',
    'https://api.openai.com/auth': { chatgpt_plan_type: 'plus' },
  }),
  accountId,
  planType: undefined,
});
const hostOf = (refresh: TokenHost['refresh']): TokenHost => ({ refresh });
const silent = hostOf(() => new Promise(() => undefined));

async function recoverOnce(keeper: LoginKeeper): Promise<unknown> {
  return (await keeper.recover({ signal })[Symbol.asyncIterator]().next()).value;
}

test('host-owned tokens win over what is stored, and are written nowhere [AUTH-70] [CHECK-16] [TRAP-10]', async () => {
  await using home = await createHome();
  await home.write(stored({ accessToken: 'stored', refreshToken: 'r' }));
  const before = await home.text();
  const keeper = new LoginKeeper({ home: home.path, environment: {} });
  const given = tokens('one');
  keeper.useHost(given, silent);
  const login = await keeper.current({ signal });
  expect(login).toEqual({
    kind: 'chatgpt-host',
    accessToken: given.accessToken,
    accountId: 'w1',
    email: 'a@b.test',
    planType: 'plus',
  });
  expect(login && accountOf(login)?.plan).toBe('plus');
  expect([keeper.hasHost, await home.text(), await readdir(home.path)]).toEqual([true, before, ['auth.json']]);
  expect(await keeper.remove({ signal })).toBe(true);
  expect([keeper.hasHost, await keeper.read({ signal })]).toEqual([false, undefined]);
});

test('a 401 asks the host once, and its answer is used [AUTH-71]', async () => {
  await using home = await createHome();
  const asked: unknown[] = [];
  const keeper = new LoginKeeper({ home: home.path, environment: {} });
  const fresh = tokens('two', 'w2');
  keeper.useHost(
    tokens('one'),
    hostOf(async (request) => {
      asked.push(request);
      return fresh;
    }),
  );
  const seen = [];
  for await (const step of keeper.recover({ signal })) seen.push(step);
  expect(seen).toEqual([
    {
      mode: 'external',
      phase: 'external_refresh',
      changed: true,
      credentials: { kind: 'chatgpt', accessToken: fresh.accessToken, accountId: 'w2' },
    },
  ]);
  expect(asked).toEqual([{ reason: 'unauthorized', previousAccountId: 'w1' }]);
  expect(await readdir(home.path)).toEqual([]);
});

test('a host that does not answer is not waited for [AUTH-72]', async () => {
  await using home = await createHome();
  const keeper = new LoginKeeper({ home: home.path, environment: {}, hostTimeoutMs: 20 });
  let isToldToStop = false;
  keeper.useHost(
    tokens('one'),
    hostOf((_request, options) => {
      options.signal.addEventListener('abort', () => {
        isToldToStop = true;
      });
      return new Promise(() => undefined);
    }),
  );
  const error = (await reason(recoverOnce(keeper))) as ModelError;
  expect([error.code, error.retryable, isToldToStop]).toEqual(['request-timeout', true, true]);
});

test('a host has ten seconds [AUTH-72] [CHECK-14]', async () => {
  await using home = await createHome();
  const keeper = new LoginKeeper({ home: home.path, environment: {} });
  keeper.useHost(tokens('one'), silent);
  vi.useFakeTimers();
  try {
    let error: unknown;
    const waiting = reason(recoverOnce(keeper)).then((told) => {
      error = told;
    });
    await vi.advanceTimersByTimeAsync(9_999);
    expect(error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(error).toMatchObject({
      code: 'request-timeout',
      retryable: true,
      message: 'the host program sent no new tokens within 10 s',
    });
  } finally {
    vi.useRealTimers();
  }
});

test('beside tokens of a host nobody logs in, by no way, until they are given up [AUTH-75] [CHECK-17] [TRAP-10]', async () => {
  await using home = await createHome();
  const keeper = new LoginKeeper({ home: home.path, environment: {} });
  const dialer = createDialer({ environment: {} });
  const begun: unknown[] = [];
  const context = {
    keeper,
    dialer,
    client: undefined,
    issuer: 'http://127.0.0.1:1',
    workspaces: undefined,
    environment: {},
    onWarning: () => undefined,
    onAuthorizationUrl: (url: string) => begun.push(url),
    onPrompt: (prompt: unknown) => begun.push(prompt),
    ports: [0],
    signal,
  };
  const logins = loadLogins();
  keeper.useHost(tokens('one'), silent);
  const refused = [
    await failure(logins.withKey(keeper, 'sk-new', { signal })),
    await failure(logins.withBrowser(context)),
    await failure(logins.withDevice(context)),
  ];
  expect([refused.map(({ code }) => code), begun, await readdir(home.path)]).toEqual([
    ['host-owned', 'host-owned', 'host-owned'],
    [],
    [],
  ]);
  await keeper.remove({ signal });
  await logins.withKey(keeper, 'sk-new', { signal });
  expect(await home.json()).toEqual({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-new' });
  dialer.close();
});

test('of an error of the host only its code is told, and the next attempt asks again [AUTH-73] [CHECK-15] [TRAP-10]', async () => {
  await using home = await createHome();
  const keeper = new LoginKeeper({ home: home.path, environment: {} });
  let asked = 0;
  keeper.useHost(
    tokens('one'),
    hostOf(async () => {
      asked += 1;
      throw Object.assign(new Error('secret-token'), { code: -32001 });
    }),
  );
  for (let count = 0; count < 2; count += 1) {
    const error = (await reason(recoverOnce(keeper))) as ModelError;
    expect([error.message, error.retryable, error.cause]).toEqual([
      'the host program could not renew its tokens (-32001)',
      true,
      undefined,
    ]);
  }
  expect(asked).toBe(2);
});

test('tokens of another workspace, or no tokens, are refused at the start and for now at a renewal [AUTH-74] [CHECK-18]', async () => {
  await using home = await createHome();
  const keeper = new LoginKeeper({ home: home.path, environment: {}, workspaces: ['w1'] });
  expect(() => keeper.useHost(tokens('one', 'w2'), silent)).toThrow(expect.objectContaining({ code: 'forbidden' }));
  expect(() => keeper.useHost({ ...tokens('one'), accessToken: 'opaque' }, silent)).toThrow(
    expect.objectContaining({ code: 'unusable-key' }),
  );
  const answers = [tokens('two', 'w2'), tokens('three')];
  keeper.useHost(
    tokens('one'),
    hostOf(async () => answers.shift() ?? tokens('none')),
  );
  expect(await reason(recoverOnce(keeper))).toMatchObject({ code: 'unexpected-status', retryable: true });
  expect(await recoverOnce(keeper)).toMatchObject({ changed: true, credentials: { accountId: 'w1' } });
});

describe('a host that is at fault is told of without what it said, and keeps nothing waiting:', () => {
  const NO_TOKEN = 'the access token of the host program is no text that can be sent';
  const NO_WORKSPACE = 'the workspace of the host program is no text that can be sent';
  const { accessToken } = tokens('two');
  test.each<[string, () => unknown, string]>([
    [
      'it throws at once',
      () => {
        throw new Error('secret-token-abc');
      },
      'the host program could not renew its tokens',
    ],
    ['it gives nothing', () => undefined, NO_TOKEN],
    ['it gives null, later', async () => null, NO_TOKEN],
    ['it gives a token alone', async () => accessToken, NO_TOKEN],
    ['it gives other names', async () => ({ access_token: accessToken, account_id: 'w1' }), NO_TOKEN],
    ['it gives a token with a line end', async () => ({ accessToken: `${accessToken}\n`, accountId: 'w1' }), NO_TOKEN],
    ['it gives no workspace', async () => ({ accessToken }), NO_WORKSPACE],
    ['it gives a workspace that can not be sent', async () => ({ accessToken, accountId: 'wörk' }), NO_WORKSPACE],
    [
      'it gives a token that is none',
      async () => ({ accessToken: 'opaque', accountId: 'w1' }),
      'the access token of the host program is no JWT',
    ],
  ])('%s [AUTH-132]', async (_what, answer, message) => {
    await using home = await createHome();
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    const before = tokens('one');
    keeper.useHost(before, hostOf(answer as TokenHost['refresh']));
    const aborting = new AbortController();
    const removed = vi.spyOn(aborting.signal, 'removeEventListener');
    const added = vi.spyOn(aborting.signal, 'addEventListener');
    vi.useFakeTimers();
    try {
      const error = await reason(keeper.recover({ signal: aborting.signal }).next());
      expect(error).toMatchObject({ name: 'ModelError', code: 'unexpected-status', retryable: true, message });
      expect(String((error as Error).cause)).not.toContain(accessToken);
      expect([vi.getTimerCount(), removed.mock.calls.length]).toEqual([0, added.mock.calls.length]);
    } finally {
      vi.useRealTimers();
    }
    expect(await keeper.read({ signal })).toMatchObject({ accessToken: before.accessToken });
  });

  test.each([undefined, {}, { accessToken }, { accessToken: `${accessToken}\n`, accountId: 'w1' }])(
    'nor does it begin with what is no login: %j [AUTH-132]',
    async (given) => {
      await using home = await createHome();
      const keeper = new LoginKeeper({ home: home.path, environment: {} });
      expect(() => keeper.useHost(given as HostTokens, silent)).toThrow(
        expect.objectContaining({ name: 'AuthError', code: 'unusable-key' }),
      );
      expect(keeper.hasHost).toBe(false);
    },
  );
});

test('while a host owns the tokens no other login is stored, until it is logged out [AUTH-75]', async () => {
  await using home = await createHome();
  const keeper = new LoginKeeper({ home: home.path, environment: {} });
  keeper.useHost(tokens('one'), silent);
  const other = { kind: 'api-key', key: 'sk-other' } as const;
  expect(await reason(keeper.save(other, { signal }))).toMatchObject({ code: 'host-owned' });
  expect(await readdir(home.path)).toEqual([]);
  await keeper.remove({ signal });
  await keeper.save(other, { signal });
  expect(await keeper.read({ signal })).toEqual(other);
});
