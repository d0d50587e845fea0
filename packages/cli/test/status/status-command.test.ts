import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { formatUuidV7, parseThreadId, type RolloutLine } from '@quire/protocol';
import {
  ACCOUNTS,
  createCertificateAuthority,
  Simulator,
  startConnectProxy,
  status,
  usageReport,
} from '@quire/simulator';
import { createRollout } from '@quire/store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BuiltCommand, buildCommand, type Home } from '../support/commands.ts';

let command: BuiltCommand;
beforeAll(async () => {
  command = await buildCommand();
});
afterAll(() => command[Symbol.asyncDispose]());

const HOUR_SECONDS = 3600;
const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** A home with a login of the simulator's, whose account service it is, too. */
async function loggedIn(simulator: Simulator, tokens = simulator.oauth.logIn(ACCOUNTS.plus)): Promise<Home> {
  const home = await command.home(`chatgpt_base_url = "${simulator.issuer}/backend-api"\n`);
  await home.write('auth.json', loginText(tokens));
  return home;
}

function loginText(tokens: { readonly idToken: string; readonly accessToken: string; readonly refreshToken: string }) {
  return JSON.stringify({
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: {
      id_token: tokens.idToken,
      access_token: tokens.accessToken,
      refresh_token: tokens.refreshToken,
      account_id: 'account-1',
    },
    last_refresh: new Date().toISOString(),
  });
}

const environmentOf = (simulator: Simulator) => ({
  CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${simulator.issuer}/oauth/token`,
});

function report() {
  return usageReport({
    planType: 'plus',
    primary: { usedPercent: 42, windowMinutes: 300, resetAt: nowSeconds() + 2 * HOUR_SECONDS + 30 },
    secondary: { usedPercent: 95, windowMinutes: 10_080, resetAt: nowSeconds() + 100 * HOUR_SECONDS },
    credits: { hasCredits: true, unlimited: false, balance: '9.99' },
    additional: [{ limitId: 'codex_other', limitName: 'Other model', primary: { usedPercent: 7 } }],
  });
}

/** A thread of an earlier run, whose last turn heard of a limit. */
async function recordTurn(
  home: Home,
  heard: { readonly usedPercent: number; readonly atMs: number; readonly resetsAt?: number },
) {
  const threadId = parseThreadId(formatUuidV7(heard.atMs, new Uint8Array(10)));
  if (threadId === undefined) throw new Error('the id is a UUID');
  const rollout = await createRollout({
    home: home.path,
    threadId,
    meta: {
      cwd: '/repo',
      originator: 'test',
      cli_version: '0.1.0',
      source: 'exec',
      model_provider: 'openai',
    },
    now: () => heard.atMs,
  });
  const limits = {
    limit_id: 'codex',
    limit_name: null,
    primary: {
      used_percent: heard.usedPercent,
      window_minutes: 300,
      resets_at: heard.resetsAt ?? nowSeconds() + HOUR_SECONDS,
    },
    secondary: null,
    credits: null,
    plan_type: 'plus',
  };
  const line: RolloutLine = { type: 'event_msg', payload: { type: 'token_count', info: null, rate_limits: limits } };
  rollout.append([line]);
  rollout.close();
}

describe('with a ChatGPT login', () => {
  test('plan, credits and every limit are one table with bars and times of reset [STATUS-01] [STATUS-02]', async () => {
    await using simulator = await Simulator.start({ oauth: {}, usage: report() });
    const home = await loggedIn(simulator);
    const { code, stdout, stderr } = await home.run(['status'], { ...environmentOf(simulator), TZ: 'UTC' });
    const text = stdout.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'TIME');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(text.split('\n')).toEqual([
      'Account  Logged in with ChatGPT (person@example.test, plan plus)',
      'Plan     plus',
      'Credits  9.99',
      'Data     asked now',
      '',
      'codex',
      '  5 h    ██████░░░░░░░░  42 % used  reset in 2 h, at TIME',
      '  7 d    █████████████░  95 % used  reset in 4 d 3 h, at TIME',
      '',
      'Other model (codex_other)',
      '  window █░░░░░░░░░░░░░   7 % used  when it is reset is not known',
      '',
    ]);
    expect(simulator.usageRequests.map(({ path }) => path)).toEqual(['/backend-api/wham/usage']);
  });

  test('the same for programs holds no token, and null for what is not known [STATUS-03]', async () => {
    await using simulator = await Simulator.start({
      oauth: {},
      usage: status(/* code */ 200, { body: { plan_type: 'galaxy' } }),
    });
    const tokens = simulator.oauth.logIn(ACCOUNTS.plus);
    const home = await loggedIn(simulator, tokens);
    const { code, stdout } = await home.run(['status', '--json'], environmentOf(simulator));
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        loggedIn: true,
        authMode: 'chatgpt',
        email: 'person@example.test',
        accountId: 'account-1',
        plan: 'galaxy',
        limits: [{ limitId: 'codex', limitName: null, primary: null, secondary: null, ageSeconds: 0 }],
        credits: null,
        source: 'service',
        ageSeconds: 0,
        problem: null,
        notes: [],
      },
    ]);
    for (const token of Object.values(tokens)) expect(stdout).not.toContain(token);
  });

  test('a login that others can read is told of, with the remedy [STATUS-21]', async () => {
    await using simulator = await Simulator.start({ oauth: {}, usage: report() });
    const home = await loggedIn(simulator);
    await chmod(join(home.path, 'auth.json'), 0o644);
    const { code, stdout } = await home.run(['status', '--json'], environmentOf(simulator));
    const remedy = `${join(home.path, 'auth.json')} can be read by others than its owner; run chmod 600 on it`;
    expect([code, JSON.parse(stdout).notes]).toEqual([0, [remedy]]);
  });

  test('a token that is refused is renewed, and the service asked again [STATUS-04]', async () => {
    await using simulator = await Simulator.start({ oauth: { guardsModels: true }, usage: report() });
    const home = await loggedIn(simulator);
    simulator.oauth.expireAccessTokens();
    const { code, stdout } = await home.run(['status', '--json'], environmentOf(simulator));
    expect([code, JSON.parse(stdout).source]).toEqual([0, 'service']);
    expect(simulator.oauth.refreshes.length).toBe(1);
  });

  test('a login that is over says so with its remedy, and code 1 [STATUS-05]', async () => {
    await using simulator = await Simulator.start({ oauth: { guardsModels: true } });
    const home = await loggedIn(simulator);
    simulator.oauth.expireAccessTokens();
    simulator.oauth.expireRefreshTokens();
    const { code, stdout, stderr } = await home.run(['status'], environmentOf(simulator));
    expect([code, stderr]).toEqual([1, 'quire: the login has expired; log in again with quire login\n']);
    expect(stdout).toContain('Data     nothing is known of the limits\n');
  });

  test('without a network it is what recorded turns heard, newest first, with its age [STATUS-06]', async () => {
    const simulator = await Simulator.start({ oauth: {} });
    const home = await loggedIn(simulator);
    await recordTurn(home, { usedPercent: 10, atMs: Date.now() - 50 * HOUR_SECONDS * 1000 });
    await recordTurn(home, { usedPercent: 61.25, atMs: Date.now() - 3 * HOUR_SECONDS * 1000 });
    await simulator.stop();
    const ended = await home.run(['status'], environmentOf(simulator));
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /^quire: nothing accepts connections at 127\.0\.0\.1:\d+ \(ECONNREFUSED\); check chatgpt_base_url\n$/,
    );
    expect(ended.stdout).toContain('Data     3 h old, from a recorded turn\n');
    expect(ended.stdout).toMatch(/\ncodex, 3 h old\n {2}5 h {4}█+░+ 61\.3 % used {2}reset in /);

    const offline = await home.run(['status', '--offline', '--json']);
    expect([offline.code, JSON.parse(offline.stdout)]).toMatchObject([
      0,
      {
        source: 'recorded',
        limits: [{ limitId: 'codex', primary: { usedPercent: 61.25, hasReset: false } }],
        problem: null,
      },
    ]);
  });

  test('what was used of a window that is over is not known [STATUS-07]', async () => {
    await using simulator = await Simulator.start({ oauth: {} });
    const home = await loggedIn(simulator);
    await recordTurn(home, { usedPercent: 99, atMs: Date.now() - 9_000_000, resetsAt: nowSeconds() - 60 });
    const { stdout } = await home.run(['status', '--offline']);
    expect(stdout).toMatch(/ {2}5 h {4}·+ not known: it was reset at /);
    expect(stdout).not.toContain('99');
  });

  test('the service is asked through the proxy, behind a private authority; a web page there is told [STATUS-08]', async () => {
    await using ca = await createCertificateAuthority();
    await using proxy = await startConnectProxy();
    await using simulator = await Simulator.start({ oauth: {}, usage: report(), tls: { ca } });
    const home = await loggedIn(simulator);
    const env = { ...environmentOf(simulator), CODEX_CA_CERTIFICATE: ca.file, HTTPS_PROXY: proxy.url };
    expect((await home.run(['status'], env)).code).toBe(0);
    expect(proxy.requests.map(({ method }) => method)).toEqual(['CONNECT']);
    simulator.setUsage(status(/* code */ 200, { headers: { 'content-type': 'text/html' }, body: '<html>' }));
    const page = await home.run(['status'], env);
    expect([page.code, page.stderr]).toMatchObject([
      1,
      expect.stringContaining('did not answer with a JSON object; check chatgpt_base_url'),
    ]);
  });
});

describe('without one', () => {
  test('a key is said to have no limits to ask for, with code 0, and nobody is asked [STATUS-09]', async () => {
    const home = await command.home();
    await home.write('auth.json', JSON.stringify({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-test-abcdefghijklmnop' }));
    const text = await home.run(['status'], { CODEX_API_KEY: 'another-key' });
    expect(text).toEqual({
      code: 0,
      stdout:
        'Account  Logged in with an API key: sk-test-***lmnop\n' +
        'Limits   an API key can not be asked for plan, limits or credits; the pages of its provider show them\n' +
        '\nnote: CODEX_API_KEY is set, and is what quire exec uses instead of this login\n',
      stderr: '',
    });
    const json = JSON.parse((await home.run(['status', '--json'])).stdout);
    expect(json).toMatchObject({ authMode: 'apikey', plan: null, limits: [], credits: null, source: null });
  });

  test('nobody is logged in: code 1; a login that can not be read is named with its remedy [STATUS-10]', async () => {
    const home = await command.home();
    expect(await home.run(['status'])).toEqual({
      code: 1,
      stdout: 'Account  Nobody is logged in; quire login does that.\n',
      stderr: '',
    });
    await home.write('auth.json', '{"tokens": {"access_token": "torn-secret');
    const torn = await home.run(['status', '--json']);
    expect([torn.code, torn.stdout]).toEqual([1, '']);
    expect(torn.stderr).toContain('auth.json is not valid JSON; fix it, move it away or run quire logout');
    expect(torn.stderr).not.toContain('torn-secret');
  });

  test('arguments that do not fit are usage errors; help goes to stdout [STATUS-11]', async () => {
    const home = await command.home();
    expect([await home.run(['status', 'now']), await home.run(['status', '--jsn'])].map(({ code }) => code)).toEqual([
      2, 2,
    ]);
    const help = await home.run(['help', 'status']);
    expect([help.code, help.stdout.startsWith('Show who is logged in')]).toEqual([0, true]);
  });
});
