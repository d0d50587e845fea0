import { get } from 'node:http';
import { createDialer } from '@quire/network';
import {
  ACCOUNTS,
  createCertificateAuthority,
  Simulator,
  type SimulatorOptions,
  startConnectProxy,
  status,
} from '@quire/simulator';
import { describe, expect, test, vi } from 'vitest';
import { type AuthError, type BrowserLoginOptions, LoginKeeper, loadLogins } from '../../src/index.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { createHome, failure, type Home, reason, signal, stored } from '../support/home.ts';

interface Visit {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
  readonly connection: string | undefined;
}

/** One GET, as a browser would send it; redirects are not followed. */
async function visit(address: string): Promise<Visit> {
  return await new Promise((resolve, reject) => {
    // The name of the loopback address need not be known to the machine.
    const url = new URL(address.replace('//localhost', '//127.0.0.1'));
    const request = get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        const { location, connection } = response.headers;
        resolve({ status: response.statusCode ?? 0, text, location, connection });
      });
    });
    request.on('error', reject);
  });
}

interface Stage extends AsyncDisposable {
  readonly sim: Simulator;
  readonly home: Home;
  readonly keeper: LoginKeeper;
  readonly warnings: string[];
  /** Begins a login and gives the address that the person is to visit. */
  begin(options?: Partial<BrowserLoginOptions>): Promise<{ readonly done: Promise<unknown>; readonly url: URL }>;
}

async function stage(options: SimulatorOptions = {}): Promise<Stage> {
  const sim = await Simulator.start({ oauth: {}, ...options });
  const home = await createHome();
  const environment = { CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/revoke` };
  const keeper = new LoginKeeper({ home: home.path, environment });
  const dialer = createDialer({ environment: {} });
  const warnings: string[] = [];
  return {
    sim,
    home,
    keeper,
    warnings,
    begin: async (more = {}) => {
      let show = (_url: string): void => undefined;
      const shown = new Promise<string>((resolve) => {
        show = resolve;
      });
      const done = loadLogins().withBrowser({
        keeper,
        dialer,
        client: { originator: 'me', userAgent: 'me/1' },
        issuer: sim.issuer,
        workspaces: undefined,
        environment,
        onWarning: (message) => warnings.push(message),
        ports: [0],
        signal,
        onAuthorizationUrl: show,
        ...more,
      });
      done.catch(() => undefined);
      const url = new URL(await Promise.race([shown, done.then(() => '')]));
      return { done, url };
    },
    async [Symbol.asyncDispose]() {
      dialer.close();
      await sim.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

/** What the person does: allow it, and let the browser follow to the end. */
async function walk(url: URL): Promise<readonly Visit[]> {
  const visits = [await visit(url.href)];
  for (let next = visits[0]?.location; next !== undefined; ) {
    const page = await visit(next);
    visits.push(page);
    next = page.location;
  }
  return visits;
}

test('a person logs in in the browser: PKCE, tokens stored, success page [AUTH-80]', async () => {
  await using given = await stage({ oauth: { grantsApiKeys: true } });
  const { sim, home } = given;
  const { done, url } = await given.begin();
  const redirectUri = url.searchParams.get('redirect_uri') ?? '';
  expect(redirectUri).toMatch(/^http:\/\/localhost:\d+\/auth\/callback$/);
  const { state, code_challenge, ...query } = Object.fromEntries(url.searchParams);
  expect([`${url.origin}${url.pathname}`, state?.length, code_challenge?.length, query]).toEqual([
    `${sim.issuer}/oauth/authorize`,
    43,
    43,
    {
      response_type: 'code',
      client_id: 'app_EMoamEEZ73f0CkXaXp7hrann',
      redirect_uri: redirectUri,
      scope: 'openid profile email offline_access api.connectors.read api.connectors.invoke',
      code_challenge_method: 'S256',
      id_token_add_organizations: 'true',
      codex_cli_simplified_flow: 'true',
      originator: 'me',
    },
  ]);
  const visits = await walk(url);
  const login = await done;
  expect(visits.map((page) => page.status)).toEqual([302, 302, 200]);
  const last = visits[2];
  expect(last?.text).toContain('You are logged in');
  expect(last?.text).toContain('person@example.test');
  expect([visits[1]?.connection, last?.connection]).toEqual(['close', 'close']);
  expect(visits[1]?.location).not.toContain('token');
  const file = await home.json();
  expect(file).toMatchObject({ auth_mode: 'chatgpt', tokens: { account_id: 'account-1' } });
  expect(String(file['OPENAI_API_KEY'])).toMatch(/^sk-simulated-/);
  expect(await given.keeper.read({ signal })).toEqual(login);
  expect(sim.oauth.requests.map(({ fields }) => fields['grant_type'])).toEqual([
    undefined,
    'authorization_code',
    'urn:ietf:params:oauth:grant-type:token-exchange',
  ]);
  expect(sim.oauth.requests[1]?.fields['code_verifier']?.length).toBe(86);
});

test('without a key for the account the login is as good; the one before is revoked [AUTH-81]', async () => {
  await using given = await stage();
  const before = given.sim.oauth.logIn();
  await given.home.write(stored(before));
  const { done, url } = await given.begin();
  await walk(url);
  await done;
  expect((await given.home.json())['OPENAI_API_KEY']).toBeNull();
  expect(given.sim.oauth.requests.at(-1)).toMatchObject({
    endpoint: 'revoke',
    fields: {
      token: before.refreshToken,
      token_type_hint: 'refresh_token',
      client_id: 'app_EMoamEEZ73f0CkXaXp7hrann',
    },
  });
  expect([given.sim.oauth.accepts(before.accessToken), given.warnings]).toEqual([false, []]);
});

describe('while a login waits', () => {
  test('a wrong state, other paths and other methods do not end it [AUTH-82] [CHECK-19] [TRAP-19]', async () => {
    await using given = await stage();
    const { done, url } = await given.begin();
    const origin = new URL(url.searchParams.get('redirect_uri') ?? '').origin;
    const wrong = ['?code=x&state=wrong', '?error=access_denied&state=wrong', ''];
    for (const query of wrong) expect((await visit(`${origin}/auth/callback${query}`)).status).toBe(400);
    for (const path of ['/', '/favicon.ico', '/success']) expect((await visit(`${origin}${path}`)).status).toBe(404);
    await walk(url);
    expect(await done).toMatchObject({ kind: 'chatgpt' });
  });

  test('/cancel ends it [AUTH-82] [CHECK-20]', async () => {
    await using given = await stage();
    const { done, url } = await given.begin();
    expect((await visit(`${new URL(url.searchParams.get('redirect_uri') ?? '').origin}/cancel`)).status).toBe(200);
    expect((await failure(done)).code).toBe('login-failed');
  });

  test('the signal and the time of the person end it [AUTH-82]', async () => {
    await using given = await stage();
    const aborting = new AbortController();
    const { done } = await given.begin({ signal: aborting.signal });
    const why = new Error('enough');
    aborting.abort(why);
    expect(await reason(done)).toBe(why);
    expect((await failure((await given.begin({ timeoutMs: 20 })).done)).message).toContain('nobody logged in');
  });

  test('a second one takes over its port; a port that stays taken leads to the next [AUTH-83] [CHECK-21]', async () => {
    await using given = await stage();
    const first = await given.begin();
    const port = Number(new URL(first.url.searchParams.get('redirect_uri') ?? '').port);
    const second = await given.begin({ ports: [port] });
    expect((await failure(first.done)).message).toContain('interrupted');
    expect(new URL(second.url.searchParams.get('redirect_uri') ?? '').port).toBe(String(port));
    // The authorization server listens on its port and does not give it up.
    const third = await given.begin({ ports: [given.sim.port, port] });
    expect(new URL(third.url.searchParams.get('redirect_uri') ?? '').port).toBe(String(port));
    await visit(`http://localhost:${port}/cancel`);
    expect((await failure(given.begin({ ports: [given.sim.port] }))).code).toBe('port-in-use');
    await given.sim.stop(); // which would complain of the calls to /cancel
  }, 60_000);
});

describe('a login that comes to nothing', () => {
  test.each([
    ['the person may not', { oauth: { account: ACCOUNTS.notEntitled } }, {}, 'your workspace has no access'],
    [
      'the server refuses',
      { oauth: { account: { refusal: { error: 'server_error', description: '<b>later</b>' } } } },
      {},
      '<b>later</b>',
    ],
    ['the workspace is not allowed', {}, { workspaces: ['other'] }, 'allows only other workspaces'],
    [
      'no workspace is known',
      { oauth: { account: ACCOUNTS.bare } },
      { workspaces: ['w'] },
      'allows only other workspaces',
    ],
  ] as const)(
    'because %s shows a page that says so, and stores nothing [AUTH-84]',
    async (_name, server, options, message) => {
      await using given = await stage(server);
      await given.home.write({ OPENAI_API_KEY: 'before' });
      const { done, url } = await given.begin(options);
      const visits = await walk(url);
      const error: AuthError = await failure(done);
      expect(error.message).toContain(message);
      expect(visits.at(-1)).toMatchObject({ status: 200 });
      expect(visits.at(-1)?.text).toContain('The login did not work');
      expect(visits.at(-1)?.text).not.toContain('<b>');
      expect(await given.home.json()).toEqual({ OPENAI_API_KEY: 'before' });
    },
  );

  test.each([
    ['its description', { error: 'x', error_description: 'too bad' }, 'too bad'],
    ['its message', { error: { message: 'too bad' } }, 'too bad'],
    ['its code', { error: { code: 'bad_code' } }, 'bad_code'],
    ['its error', { error: 'bad_error' }, 'bad_error'],
    ['text', 'plain words', 'plain words'],
    ['a web page', '<html>x</html>', 'a web page'],
    ['nothing', '', 'did not say why'],
    ['a token', `bad ${'x'.repeat(60)}`, 'bad …'],
  ])('because the exchange is refused tells %s of the answer, never a token [AUTH-85]', async (_name, body, detail) => {
    await using given = await stage();
    given.sim.oauth.failNext('token', status(/* code */ 400, { body }));
    const { done, url } = await given.begin();
    await walk(url);
    const error = await failure(done);
    expect(error.message).toBe(
      `the login was refused (status 400): ${detail === 'a web page' ? 'it answered with a web page' : detail === 'did not say why' ? 'it did not say why' : detail}`,
    );
  });

  test('an answer without tokens is no login [AUTH-85]', async () => {
    await using given = await stage();
    given.sim.oauth.failNext('token', status(/* code */ 200, { body: '<html>portal</html>' }));
    const { done, url } = await given.begin();
    await walk(url);
    expect((await failure(done)).message).toContain('did not answer with tokens');
  });
});

describe('a login that is given up while its code is traded', () => {
  const OLD = { accessToken: 'OLD-A', refreshToken: 'OLD-R' };
  /** The person has allowed it, and the token server has the code and does not answer. */
  async function trading(given: Stage, options: Partial<BrowserLoginOptions> = {}) {
    await given.home.write(stored(OLD));
    const hold = given.sim.oauth.holdNext('token');
    const { done, url } = await given.begin(options);
    const { location = '' } = await visit(url.href);
    const page = visit(location);
    await hold.arrived;
    return { done, page, hold, origin: new URL(location).origin };
  }

  async function expectNothingStored(given: Stage, { page, hold }: Awaited<ReturnType<typeof trading>>): Promise<void> {
    // Whoever waits for this page is told only when nothing more is done.
    expect((await page).text).toContain('The login did not work');
    hold.release();
    expect(await given.home.json()).toMatchObject({ tokens: { refresh_token: 'OLD-R' } });
    expect(given.sim.oauth.requests.filter(({ endpoint }) => endpoint === 'revoke')).toEqual([]);
  }

  test('by /cancel stores nothing any more [AUTH-135]', async () => {
    await using given = await stage();
    const under = await trading(given);
    await visit(`${under.origin}/cancel`);
    expect((await failure(under.done)).message).toContain('the login was interrupted');
    await expectNothingStored(given, under);
  });

  test('by the signal stores nothing any more [AUTH-135]', async () => {
    await using given = await stage();
    const aborting = new AbortController();
    const under = await trading(given, { signal: aborting.signal });
    const why = new Error('enough');
    aborting.abort(why);
    expect(await reason(under.done)).toBe(why);
    await expectNothingStored(given, under);
  });

  test('by the time of the person stores nothing any more [AUTH-135]', async () => {
    await using given = await stage();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const under = await trading(given, { timeoutMs: 1000 });
      vi.advanceTimersByTime(1000);
      vi.useRealTimers();
      expect((await failure(under.done)).message).toContain('nobody logged in');
      await expectNothingStored(given, under);
    } finally {
      vi.useRealTimers();
    }
  });

  test('in the moment of its storing is stored, and that is told [AUTH-135]', async () => {
    await using given = await stage();
    const store = createMemoryStore();
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = (): void => undefined;
    const writing = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const write: typeof store.write = async (document) => {
      begun();
      await released;
      await store.write(document);
    };
    const keeper = new LoginKeeper({ home: given.home.path, environment: {}, store: { ...store, write } });
    const { done, url } = await given.begin({ keeper });
    const { location = '' } = await visit(url.href);
    const page = visit(location);
    await writing;
    await visit(`${new URL(location).origin}/cancel`);
    release();
    expect(await done).toMatchObject({ kind: 'chatgpt' });
    expect(await store.read({ signal })).toMatchObject({ auth_mode: 'chatgpt' });
    expect((await page).status).toBe(302);
  });

  test('while the one before is revoked is stored, and that is told with a warning [AUTH-135]', async () => {
    await using given = await stage();
    await given.home.write(stored(OLD));
    const hold = given.sim.oauth.holdNext('revoke');
    const aborting = new AbortController();
    const { done, url } = await given.begin({ signal: aborting.signal });
    const { location = '' } = await visit(url.href);
    const page = visit(location);
    await hold.arrived;
    aborting.abort(new Error('enough'));
    expect(await done).toMatchObject({ kind: 'chatgpt', accountId: 'account-1' });
    expect(given.warnings).toEqual(['the login before this one could not be revoked: it was interrupted']);
    expect(await given.home.text()).not.toContain('OLD-R');
    await page;
    hold.release();
  });
});

test('the address can be pasted where there is no browser; a wrong one is said so [AUTH-86]', async () => {
  await using given = await stage();
  let paste = (_line: string): void => undefined;
  const pasted = (async function* () {
    for (let count = 0; count < 3; count += 1) {
      yield await new Promise<string>((resolve) => {
        paste = resolve;
      });
    }
  })();
  const problems: string[] = [];
  let noted = (): void => undefined;
  const note = (): Promise<void> =>
    new Promise((resolve) => {
      noted = resolve;
    });
  let next = note();
  const { done, url } = await given.begin({
    pasted,
    onPasteProblem: (message) => {
      problems.push(message);
      noted();
    },
  });
  paste('hello');
  await next;
  next = note();
  paste('http://localhost:1/auth/callback?code=x&state=wrong');
  await next;
  const { location = '' } = await visit(url.href);
  paste(`  ${location}\n`);
  expect(await done).toMatchObject({ kind: 'chatgpt', accountId: 'account-1' });
  expect(problems.length).toBe(2);
  expect(await given.home.json()).toMatchObject({ auth_mode: 'chatgpt' });
});

test('everything goes through a proxy and trusts a private authority, as every other connection [AUTH-87]', async () => {
  await using authority = await createCertificateAuthority();
  await using given = await stage({ oauth: {}, tls: { ca: authority } });
  await using proxy = await startConnectProxy();
  const environment = { HTTPS_PROXY: proxy.url, CODEX_CA_CERTIFICATE: authority.file };
  const dialer = createDialer({ environment });
  const { done, url } = await given.begin({ dialer });
  // The browser is not ours: this one trusts nobody and asks directly.
  const code = await new Promise<string>((resolve, reject) => {
    void import('node:https').then(({ get: secureGet }) => {
      secureGet(url, { rejectUnauthorized: false, agent: false }, (response) => {
        response.resume();
        resolve(response.headers.location ?? '');
      }).on('error', reject);
    });
  });
  await walk(new URL(code));
  expect(await done).toMatchObject({ kind: 'chatgpt' });
  expect(proxy.requests.length).toBeGreaterThan(0);
  const untrusting = await given.begin({ dialer: createDialer({ environment: {} }) });
  const again = new URL(untrusting.url.searchParams.get('redirect_uri') ?? '');
  again.search = `code=c&state=${untrusting.url.searchParams.get('state')}`;
  await walk(again);
  expect((await failure(untrusting.done)).message).toContain('CODEX_CA_CERTIFICATE');
  dialer.close();
}, 30_000);
