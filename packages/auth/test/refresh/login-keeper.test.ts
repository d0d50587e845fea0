import { chmod, readdir, stat } from 'node:fs/promises';
import type { ModelError } from '@quire/protocol';
import { ACCOUNTS, delay, reset, Simulator, stall, status } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { createCredentialsSource, LoginKeeper, type LoginKeeperOptions, type LoginLog } from '../../src/index.ts';
import { createHome, DAY_MS, type Home, reason, signal, stored } from '../support/home.ts';

interface Stage extends AsyncDisposable {
  readonly sim: Simulator;
  readonly home: Home;
  readonly log: LoginLog[];
  keeper(options?: Partial<LoginKeeperOptions>): LoginKeeper;
}

/** A login that is stored, and the server it came from. */
async function stage(
  options: { readonly oauth?: Parameters<typeof Simulator.start>[0]; readonly accountId?: string | null } = {},
): Promise<Stage> {
  const sim = await Simulator.start({ oauth: {}, ...options.oauth });
  const home = await createHome();
  const log: LoginLog[] = [];
  return {
    sim,
    home,
    log,
    keeper: (more = {}) =>
      new LoginKeeper({
        home: home.path,
        environment: { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/token` },
        log: (record) => log.push(record),
        ...more,
      }),
    async [Symbol.asyncDispose]() {
      await sim.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

const token = (login: unknown): unknown => (login as { accessToken?: string } | undefined)?.accessToken;
const tokensIn = async (home: Home): Promise<Record<string, string>> =>
  (await home.json())['tokens'] as Record<string, string>;
const opaque = { oauth: { oauth: { opaqueAccessTokens: true } } };

describe('ahead of the end', () => {
  test('a token of 8.1 days is renewed once, before it is used; what comes back is stored [AUTH-12]', async () => {
    await using given = await stage(opaque);
    const { sim, home } = given;
    const old = sim.oauth.logIn();
    await home.write({ ...stored(old, { lastRefreshMs: Date.now() - 8.1 * DAY_MS }), x_unknown: [1] });
    const before = Date.now();
    const keeper = given.keeper({ client: { originator: 'me', userAgent: 'me/1' } });
    const [one, other] = await Promise.all([keeper.current({ signal }), keeper.current({ signal })]);
    const tokens = await tokensIn(home);
    expect([token(one), token(other), token(await keeper.current({ signal }))]).toEqual(
      Array(3).fill(tokens['access_token']),
    );
    expect(tokens['access_token']).not.toBe(old.accessToken);
    expect(tokens['refresh_token']).not.toBe(old.refreshToken);
    expect(Date.parse(String((await home.json())['last_refresh']))).toBeGreaterThanOrEqual(before);
    expect((await home.json())['x_unknown']).toEqual([1]);
    expect((await stat(home.file)).mode & 0o777).toBe(0o600);
    expect(sim.oauth.requests.map(({ endpoint, fields }) => [endpoint, fields])).toEqual([
      [
        'token',
        {
          client_id: 'app_EMoamEEZ73f0CkXaXp7hrann',
          grant_type: 'refresh_token',
          refresh_token: old.refreshToken,
        },
      ],
    ]);
    expect(sim.oauth.requests[0]?.headers).toMatchObject({ originator: 'me', 'user-agent': 'me/1' });
    expect(sim.oauth.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(given.log).toEqual([
      { kind: 'login-renewed', reason: 'proactive-expiry', by: 'this', durationMs: expect.any(Number) },
    ]);
    expect(await readdir(home.path)).toEqual(['auth.json']);
  });

  test('a token of 7.9 days is used as it is [AUTH-12]', async () => {
    await using given = await stage(opaque);
    const old = given.sim.oauth.logIn();
    await given.home.write(stored(old, { lastRefreshMs: Date.now() - 7.9 * DAY_MS }));
    expect(token(await given.keeper().current({ signal }))).toBe(old.accessToken);
    expect(given.sim.oauth.requests).toEqual([]);
  });

  test('an answer without a refresh token leaves the old one; an ID token that is none is not taken [AUTH-53]', async () => {
    await using given = await stage();
    const { sim, home } = given;
    const old = sim.oauth.logIn();
    await home.write(stored(old));
    const body = { access_token: 'fresh', id_token: 'no jwt' };
    sim.oauth.failNext('token', status(/* code */ 200, { body }));
    await given.keeper().renewNow({ signal });
    expect(await tokensIn(home)).toEqual({
      id_token: old.idToken,
      access_token: 'fresh',
      refresh_token: old.refreshToken,
      account_id: 'account-1',
    });
  });

  test('tokens that end soon are renewed in their turn, but not for every request [AUTH-54]', async () => {
    await using given = await stage({ oauth: { oauth: { accessTokenLifetimeSeconds: 120 } } });
    await given.home.write(stored(given.sim.oauth.logIn()));
    let now = Date.now();
    const keeper = given.keeper({ now: () => now });
    for (let count = 0; count < 5; count += 1) await keeper.current({ signal });
    expect(given.sim.oauth.refreshes.length).toBe(1);
    now += 61_000;
    await keeper.current({ signal });
    expect(given.sim.oauth.refreshes.length).toBe(2);
  });
});

describe('a renewal that fails', () => {
  const cases: readonly [string, Parameters<typeof given>[0], string][] = [
    [
      'a web page',
      status(/* code */ 200, { headers: HTML(), body: '<html>portal</html>' }),
      'answered with a web page',
    ],
    ['an error of the server', status(/* code */ 500, { body: 'oops' }), 'answered with status 500'],
    [
      'a web page for an error',
      status(/* code */ 503, { headers: HTML(), body: '<html>' }),
      'answered with status 503',
    ],
    ['too many requests', status(/* code */ 429), 'answered with status 429'],
    ['another way', status(/* code */ 302, { headers: { location: '/x' } }), 'which is no answer to that'],
    ['nothing of use', status(/* code */ 200, { body: {} }), 'holds no tokens'],
    ['a reset', reset(), 'closed the connection'],
    ['silence', stall(), 'did not answer within 1 s'],
    ['an answer that comes too late', delay(/* delayMs */ 5000, status(/* code */ 200)), 'did not answer within 1 s'],
  ];
  function HTML() {
    return { 'content-type': 'text/html' };
  }
  async function given(answer: Parameters<Simulator['oauth']['failNext']>[1] | undefined) {
    const scene = await stage();
    const old = scene.sim.oauth.logIn();
    // Ends within the margin, and is good still.
    await scene.home.write(stored(old));
    if (answer !== undefined) scene.sim.oauth.failNext('token', answer);
    return { ...scene, old, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
  }

  test.each(cases)(
    'with %s leaves a good access token in use, and the login as it was [AUTH-55]',
    async (_name, answer, message) => {
      await using scene = await given(answer);
      const inAnHour = Date.now() + 3600_000 - 60_000;
      // Only where it is what ends the wait: a busy machine takes its time for the others.
      const limit = message.includes('within 1 s') ? { refreshTimeoutMs: 1_000 } : {};
      const keeper = scene.keeper({ ...limit, now: () => inAnHour });
      expect(token(await keeper.current({ signal }))).toBe(scene.old.accessToken);
      expect(scene.log).toMatchObject([{ kind: 'renewal-failed', permanent: false }]);
      expect(JSON.stringify(scene.log)).toContain(message);
      expect(JSON.stringify(scene.log)).not.toContain(scene.old.refreshToken);
      expect((await tokensIn(scene.home))['refresh_token']).toBe(scene.old.refreshToken);
      // No server is asked again for a while, as long as nobody refuses the token.
      await keeper.current({ signal });
      expect(scene.sim.oauth.refreshes.length).toBe(1);
    },
  );

  test('when nothing listens is worth another try [AUTH-55]', async () => {
    await using home = await createHome();
    await home.write(stored({ accessToken: 'a', refreshToken: 'r' }));
    const environment = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: 'http://127.0.0.1:1/oauth/token' };
    const error = (await reason(new LoginKeeper({ home: home.path, environment }).renewNow({ signal }))) as ModelError;
    expect([error.code, error.retryable]).toEqual(['connection-failed', true]);
  });

  test.each([
    ['expired', 401, { error: { code: 'refresh_token_expired' } }, 'has expired'],
    ['used twice', 401, { error: { code: 'REFRESH_TOKEN_REUSED' } }, 'renewed by another program'],
    ['revoked', 400, { error: 'refresh_token_invalidated' }, 'was revoked'],
    ['revoked, said otherwise', 403, { code: 'refresh_token_invalidated' }, 'was revoked'],
    ['refused', 401, { error: { code: 'something' } }, 'can not be renewed'],
    ['refused without a word', 401, '', 'can not be renewed'],
    ['an invalid grant', 400, { error: 'invalid_grant' }, 'can not be renewed'],
  ])('because the login is %s is told once, and not asked again [AUTH-56]', async (_name, code, body, message) => {
    await using scene = await given(status(code, { body }));
    const keeper = scene.keeper();
    await keeper.read({ signal });
    for (let count = 0; count < 3; count += 1) {
      const error = (await reason(keeper.renewNow({ signal }))) as ModelError;
      expect([error.code, error.retryable]).toEqual(['unauthorized', false]);
      expect(error.message).toContain(message);
      expect(error.message).toContain('quire login');
    }
    expect(scene.sim.oauth.refreshes.length).toBe(1);
    // Somebody logs in again, in another terminal.
    const again = scene.sim.oauth.logIn();
    await scene.home.write(stored(again));
    expect(token(await keeper.renewNow({ signal }))).toBe(again.accessToken);
    expect(scene.sim.oauth.refreshes.length).toBe(1);
  });

  test('another program that used the token first and stored what came is believed [AUTH-57]', async () => {
    await using scene = await given(/* answer */ undefined);
    const { sim, home } = scene;
    const hold = sim.oauth.holdNext('token');
    // Without the lock, as programs do that do not know it.
    const other = sim.oauth.logIn();
    sim.oauth.revoke(scene.old.refreshToken);
    const renewing = scene.keeper().renewNow({ signal });
    await hold.arrived;
    await home.write(stored(other));
    hold.release();
    expect(token(await renewing)).toBe(other.accessToken);
    expect(scene.log).toMatchObject([{ kind: 'login-renewed', by: 'another' }]);
  });

  test.skipIf(process.getuid?.() === 0)(
    'a refresh token is not spent when nothing can be stored [AUTH-58]',
    async () => {
      await using scene = await given(/* answer */ undefined);
      await chmod(scene.home.path, 0o500);
      const error = (await reason(scene.keeper().renewNow({ signal }))) as ModelError;
      await chmod(scene.home.path, 0o700);
      expect(error).toMatchObject({ code: 'configuration', retryable: false });
      expect(scene.sim.oauth.requests).toEqual([]);
    },
  );

  test('a store that can not be written is found out before the refresh token is spent [AUTH-58]', async () => {
    await using scene = await given(/* answer */ undefined);
    const { createFileStore } = await import('../../src/storage/file-store.ts');
    const { AuthError } = await import('../../src/index.ts');
    const full = {
      ...createFileStore(scene.home.path),
      probe: () => Promise.reject(new AuthError('not-writable', 'the disk is full')),
    };
    const error = (await reason(scene.keeper({ store: full }).renewNow({ signal }))) as ModelError;
    expect(error).toMatchObject({
      code: 'configuration',
      message: 'the login could not be renewed: the disk is full',
      retryable: false,
    });
    expect(scene.sim.oauth.requests).toEqual([]);
  });

  test('a caller that gives up does not give up the grant [AUTH-59]', async () => {
    await using scene = await given(/* answer */ undefined);
    const hold = scene.sim.oauth.holdNext('token');
    const keeper = scene.keeper();
    const aborting = new AbortController();
    const why = new Error('enough');
    const renewing = reason(keeper.renewNow({ signal: aborting.signal }));
    await hold.arrived;
    aborting.abort(why);
    expect(await renewing).toBe(why);
    hold.release();
    await keeper.renewNow({ signal });
    expect(token(await keeper.read({ signal }))).toBe((await tokensIn(scene.home))['access_token']);
    expect([scene.sim.oauth.refreshes.length, scene.sim.oauth.reuseRevocations]).toEqual([1, 0]);
  });
});

describe('after a 401', () => {
  const steps = async (keeper: LoginKeeper): Promise<unknown[]> => {
    const seen = [];
    for await (const { mode, phase, changed, credentials } of keeper.recover({ signal })) {
      seen.push([mode, phase, changed, token(credentials)]);
    }
    return seen;
  };

  test('the login is read again, then renewed, then there is nothing left [AUTH-60]', async () => {
    await using given = await stage();
    const old = given.sim.oauth.logIn();
    await given.home.write(stored(old));
    const keeper = given.keeper();
    await keeper.current({ signal });
    const seen = await steps(keeper);
    const fresh = (await tokensIn(given.home))['access_token'];
    expect(fresh).not.toBe(old.accessToken);
    expect(seen).toEqual([
      ['managed', 'reload', false, old.accessToken],
      ['managed', 'refresh_token', true, fresh],
    ]);
  });

  test('tokens that another process has stored are taken, without asking a server [AUTH-60]', async () => {
    await using given = await stage();
    await given.home.write(stored(given.sim.oauth.logIn()));
    const keeper = given.keeper();
    await keeper.current({ signal });
    const newer = given.sim.oauth.logIn();
    await given.home.write(stored(newer));
    const { value } = await keeper.recover({ signal })[Symbol.asyncIterator]().next();
    expect(value).toMatchObject({ phase: 'reload', changed: true, credentials: { accessToken: newer.accessToken } });
    expect(given.sim.oauth.requests).toEqual([]);
    expect(token(await keeper.current({ signal }))).toBe(newer.accessToken);
  });

  test.each([
    ['another account', stored({ accessToken: 'x', refreshToken: 'y' }, { accountId: 'other' })],
    ['no account that is known', stored({ accessToken: 'x', refreshToken: 'y' }, { accountId: null })],
    ['a key', { OPENAI_API_KEY: 'k' }],
    ['nothing', {}],
  ])('%s on the disk ends it at once [AUTH-61]', async (_name, document) => {
    await using given = await stage();
    await given.home.write(stored(given.sim.oauth.logIn()));
    const keeper = given.keeper();
    await keeper.current({ signal });
    await given.home.write(document);
    const error = (await reason(steps(keeper))) as ModelError;
    expect([error.code, error.retryable]).toEqual(['unauthorized', false]);
    expect(error.message).toContain('removed or replaced');
    expect(given.sim.oauth.requests).toEqual([]);
  });

  test('each recovery that fails for now asks the server again [AUTH-60]', async () => {
    await using given = await stage();
    await given.home.write(stored(given.sim.oauth.logIn()));
    const keeper = given.keeper();
    await keeper.current({ signal });
    const oops = status(/* code */ 500);
    given.sim.oauth.failNext('token', oops, oops, oops);
    for (let count = 0; count < 3; count += 1) {
      expect(await reason(steps(keeper))).toMatchObject({ code: 'internal-server-error', retryable: true });
    }
    expect(given.sim.oauth.refreshes.length).toBe(3);
  });

  test('nothing can be done for a key, wherever it comes from [AUTH-62]', async () => {
    await using home = await createHome();
    await home.write({ OPENAI_API_KEY: 'k' });
    const provider = {
      id: 'openai',
      envKey: undefined,
      envKeyInstructions: undefined,
      bearerToken: undefined,
      requiresOpenaiAuth: true,
    };
    for (const environment of [{}, { CODEX_API_KEY: 'e' }]) {
      const source = createCredentialsSource({ provider, home: home.path, environment, apiKeyFromEnvironment: true });
      await source.current({ signal });
      const seen = [];
      for await (const step of source.recover({ signal })) seen.push(step);
      expect(seen).toEqual([]);
    }
  });
});

test('a login of an account that is not known is renewed as long as nobody changed it [AUTH-61]', async () => {
  await using given = await stage({ oauth: { oauth: { account: ACCOUNTS.bare } } });
  await given.home.write(stored(given.sim.oauth.logIn(), { accountId: null }));
  expect(token(await given.keeper().renewNow({ signal }))).toBe((await tokensIn(given.home))['access_token']);
});
