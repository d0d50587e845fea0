import { writeFile } from 'node:fs/promises';
import { createDialer, NetworkError } from '@quire/network';
import { ACCOUNTS, reset, Simulator, type SimulatorOptions, stall, status } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { type DeviceLoginOptions, type DevicePrompt, LoginKeeper, loadLogins } from '../../src/index.ts';
import { createHome, failure, type Home, reason, signal, stored } from '../support/home.ts';

interface Stage extends AsyncDisposable {
  readonly sim: Simulator;
  readonly home: Home;
  readonly keeper: LoginKeeper;
  readonly context: DeviceLoginOptions;
  readonly prompts: DevicePrompt[];
}

async function stage(options: SimulatorOptions = {}): Promise<Stage> {
  const sim = await Simulator.start({ oauth: {}, ...options });
  const home = await createHome();
  const environment = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/token?x=1` };
  const keeper = new LoginKeeper({ home: home.path, environment });
  const dialer = createDialer({ environment: {} });
  const prompts: DevicePrompt[] = [];
  return {
    sim,
    home,
    keeper,
    prompts,
    context: {
      keeper,
      dialer,
      client: undefined,
      issuer: `${sim.issuer}/`,
      workspaces: undefined,
      environment,
      onWarning: (message) => {
        throw new Error(message);
      },
      onPrompt: (prompt) => prompts.push(prompt),
      minIntervalMs: 1,
      signal,
    },
    async [Symbol.asyncDispose]() {
      dialer.close();
      await sim.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

describe('by device code', () => {
  test('polls are answered 403 until the person has typed in the code [AUTH-90] [CHECK-22] [TRAP-04]', async () => {
    await using given = await stage();
    const { sim, home } = given;
    const done = loadLogins().withDevice(given.context);
    await sim.oauthRequest(({ endpoint }) => endpoint === 'device-token', { index: 1 });
    const [prompt] = given.prompts;
    expect(prompt).toEqual({
      verificationUrl: `${sim.issuer}/codex/device`,
      userCode: sim.oauth.pendingUserCodes[0],
      expiresInMs: 900_000,
    });
    sim.oauth.approveDevice(prompt?.userCode ?? '', ACCOUNTS.business);
    expect(await done).toMatchObject({ kind: 'chatgpt', accountId: 'workspace-1' });
    const requests = sim.oauth.requests;
    expect(requests[0]?.fields).toEqual({ client_id: 'app_EMoamEEZ73f0CkXaXp7hrann' });
    expect(requests.at(-1)?.fields).toMatchObject({
      grant_type: 'authorization_code',
      redirect_uri: `${sim.issuer}/deviceauth/callback`,
    });
    expect(await home.json()).toMatchObject({ auth_mode: 'chatgpt', OPENAI_API_KEY: null });
  });

  test('404 is pending too, any other answer ends it, and so does the time [AUTH-91] [TRAP-04]', async () => {
    await using given = await stage();
    given.sim.oauth.failNext('device-token', status(/* code */ 404), status(/* code */ 500, { body: 'oops' }));
    expect((await failure(loadLogins().withDevice(given.context))).message).toBe(
      'the login server answered with status 500: oops',
    );
    expect(given.sim.oauth.requests.filter(({ endpoint }) => endpoint === 'device-token').length).toBe(2);
    const late = loadLogins().withDevice({ ...given.context, timeoutMs: 10 });
    expect((await failure(late)).message).toContain('nobody typed in the code');
  });

  test('a server without it says so with an error of its own [AUTH-92] [CHECK-23]', async () => {
    await using given = await stage({ oauth: { withoutDeviceLogin: true } });
    expect((await failure(loadLogins().withDevice(given.context))).code).toBe('no-device-login');
    expect(given.prompts).toEqual([]);
  });

  test('the interval is a text of seconds, and may be missing [AUTH-90] [TRAP-04]', async () => {
    for (const deviceInterval of ['0.001', null, 'nonsense']) {
      await using given = await stage({ oauth: { deviceInterval } });
      const done = loadLogins().withDevice(given.context);
      await given.sim.oauthRequest(({ endpoint }) => endpoint === 'device-token', { index: 1 });
      given.sim.oauth.approveDevice(given.prompts[0]?.userCode ?? '');
      await done;
    }
  });

  test('another workspace than allowed is refused, and nothing is stored [AUTH-84]', async () => {
    await using given = await stage();
    const done = loadLogins().withDevice({ ...given.context, workspaces: ['other'] });
    await given.sim.oauthRequest(({ endpoint }) => endpoint === 'device-token');
    given.sim.oauth.approveDevice(given.prompts[0]?.userCode ?? '');
    expect((await failure(done)).code).toBe('forbidden');
    expect(await given.keeper.readStored({ signal })).toBeUndefined();
  });

  test.each(['withDevice', 'withBrowser'] as const)(
    '%s asks nobody when what comes of it could not be stored [AUTH-120]',
    async (way) => {
      await using given = await stage();
      await writeFile(given.home.file, '{"torn":');
      const shown: string[] = [];
      const context = { ...given.context, ports: [0], onAuthorizationUrl: (url: string) => shown.push(url) };
      const error = await failure(loadLogins()[way](context));
      expect(error.message).toMatch(/auth\.json is not valid JSON/);
      expect([given.sim.oauth.requests, given.prompts, shown]).toEqual([[], [], []]);
    },
  );

  test('a connection that fails meanwhile does not end it [AUTH-134]', async () => {
    await using given = await stage();
    const { sim } = given;
    sim.oauth.failNext('device-token', status(/* code */ 403), reset(), reset());
    const done = loadLogins().withDevice(given.context);
    await sim.oauthRequest(({ endpoint }) => endpoint === 'device-token', { index: 3 });
    sim.oauth.approveDevice(given.prompts[0]?.userCode ?? '');
    expect(await done).toMatchObject({ kind: 'chatgpt' });
  });

  test('a connection that fails until the time is over is what is told [AUTH-134]', async () => {
    await using given = await stage();
    given.sim.oauth.failNext('device-token', reset());
    const error = await failure(loadLogins().withDevice({ ...given.context, timeoutMs: 0 }));
    expect(error.message).toMatch(/^the login server can not be reached: /);
  });

  test('a server that can not be trusted ends it at once [AUTH-134]', async () => {
    await using given = await stage();
    const refused = new NetworkError('tls', 'not trusted', { host: 'h', port: 1, retryable: false });
    let asked = 0;
    const dialer: DeviceLoginOptions['dialer'] = {
      ...given.context.dialer,
      route: async (url) => {
        asked += 1;
        if (asked === 2) throw refused;
        return await given.context.dialer.route(url);
      },
    };
    const error = await failure(loadLogins().withDevice({ ...given.context, dialer }));
    expect([error.cause, asked]).toEqual([refused, 2]);
  });

  test('the signal ends it while it waits [AUTH-91]', async () => {
    await using given = await stage({ oauth: { deviceInterval: '600' } });
    const aborting = new AbortController();
    const why = new Error('enough');
    const done = reason(loadLogins().withDevice({ ...given.context, signal: aborting.signal }));
    await given.sim.oauthRequest(({ endpoint }) => endpoint === 'device-token');
    aborting.abort(why);
    expect(await done).toBe(why);
  });
});

describe('with a key', () => {
  test('it is trimmed and stored in two fields [AUTH-93]', async () => {
    await using home = await createHome();
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    await loadLogins().withKey(keeper, ' sk-1\n', { signal });
    expect(await home.text()).toBe('{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "sk-1"\n}');
  });

  test.each([
    ['', 'login-failed'],
    [' \n', 'login-failed'],
    ['two words', 'unusable-key'],
  ])('%j is no key, and what was stored stays [AUTH-93]', async (text, code) => {
    await using home = await createHome();
    await home.write({ OPENAI_API_KEY: 'before' });
    const keeper = new LoginKeeper({ home: home.path, environment: {} });
    expect((await failure(loadLogins().withKey(keeper, text, { signal }))).code).toBe(code);
    expect(await home.json()).toEqual({ OPENAI_API_KEY: 'before' });
  });
});

describe('logging out', () => {
  test('revokes the refresh token at the address next to that of renewals, and takes the file away [AUTH-94]', async () => {
    await using given = await stage();
    const login = given.sim.oauth.logIn();
    await given.home.write(stored(login));
    const out = (): ReturnType<ReturnType<typeof loadLogins>['logOut']> =>
      loadLogins().logOut(given.keeper, given.context);
    expect(await out()).toEqual({ removed: true, revocationProblem: undefined });
    expect(given.sim.oauth.accepts(login.accessToken)).toBe(false);
    expect(given.sim.oauth.requests).toMatchObject([{ endpoint: 'revoke', path: '/oauth/revoke' }]);
    expect(await out()).toEqual({ removed: false, revocationProblem: undefined });
    expect(await given.keeper.read({ signal })).toBeUndefined();
  });

  test('without a refresh token the access token is revoked, without the client [AUTH-94]', async () => {
    await using given = await stage();
    await given.home.write(stored({ accessToken: 'access', refreshToken: '' }));
    await loadLogins().logOut(given.keeper, given.context);
    expect(given.sim.oauth.requests[0]?.fields).toEqual({ token: 'access', token_type_hint: 'access_token' });
  });

  test('a revocation that fails is told, and the login is taken away all the same [AUTH-95]', async () => {
    await using given = await stage();
    given.sim.oauth.failNext('revoke', status(/* code */ 500));
    await given.home.write(stored(given.sim.oauth.logIn()));
    expect(await loadLogins().logOut(given.keeper, given.context)).toEqual({
      removed: true,
      revocationProblem: `127.0.0.1:${given.sim.port} answered with status 500`,
    });
    expect(await given.keeper.readStored({ signal })).toBeUndefined();
  });

  test('a key is revoked nowhere, and a file that can not be understood is taken away [AUTH-95]', async () => {
    await using given = await stage();
    for (const content of [{ OPENAI_API_KEY: 'k' }, '{"torn']) {
      await given.home.write(content);
      expect(await loadLogins().logOut(given.keeper, given.context)).toEqual({
        removed: true,
        revocationProblem: undefined,
      });
    }
    expect(given.sim.oauth.requests).toEqual([]);
  });

  test('gives up with its signal while the server is silent [AUTH-95]', async () => {
    await using given = await stage();
    await given.home.write(stored(given.sim.oauth.logIn()));
    given.sim.oauth.failNext('revoke', stall());
    const aborting = new AbortController();
    const why = new Error('enough');
    const out = reason(loadLogins().logOut(given.keeper, { ...given.context, signal: aborting.signal }));
    await given.sim.oauthRequest(({ endpoint }) => endpoint === 'revoke');
    aborting.abort(why);
    expect(await out).toBe(why);
  });
});
