import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACCOUNTS, Simulator } from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleProgram } from '../support/bundle-program.ts';

let folder: string;
let program: string;
let homes = 0;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'quire-login-')));
  program = await bundleProgram(
    folder,
    `import { loginCommand, logoutCommand } from './src/login/command.ts';
        import { logIn } from './src/login/log-in.ts';
        import { openPlace } from './src/login/place.ts';
        const [command, ...argv] = process.argv.slice(2);
        const inBrowser = async ([issuer]) => {
          const signal = new AbortController().signal;
          await using place = await openPlace({ overrides: [], profile: undefined }, { homeDirectory: process.env.HOME, signal });
          const logins = { ...place.logins, withBrowser: (options) => place.logins.withBrowser({ ...options, ports: [0] }) };
          return await logIn({ kind: 'login', method: 'browser', opensBrowser: false, issuer }, { ...place, logins });
        };
        const commands = { login: loginCommand, logout: logoutCommand, 'in-browser': inBrowser };
        const { exitCode } = await commands[command](argv);
        process.exitCode = exitCode;`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Home {
  readonly path: string;
  readonly file: string;
  start(argv: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  run(
    argv: readonly string[],
    options?: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<Ended>;
}

async function home(config = ''): Promise<Home> {
  homes += 1;
  const path = await mkdtemp(join(folder, `home-${homes}-`));
  await writeFile(join(path, 'config.toml'), config);
  const start: Home['start'] = (argv, env = {}) =>
    spawn(process.execPath, [program, ...argv], {
      cwd: path,
      env: { PATH: process.env['PATH'], HOME: path, CODEX_HOME: path, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  return {
    path,
    file: join(path, 'auth.json'),
    start,
    run: async (argv, { stdin = '', env = {} } = {}) => {
      const child = start(argv, env);
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(stdin);
      return await ending(child);
    },
  };
}

async function ending(child: ChildProcess): Promise<Ended> {
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  const [code] = await once(child, 'close');
  return { code: Number(code), stdout: await stdout, stderr: await stderr };
}

async function textOf(stream: AsyncIterable<unknown> | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

/** Resolves with the first match in what the program says on stderr. */
async function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return await new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.on('data', (chunk) => {
      text += String(chunk);
      const match = pattern.exec(text);
      if (match !== null) resolve(match[0]);
    });
    child.once('exit', () => reject(new Error(`ended: ${text}`)));
  });
}

test('with a personal access token from stdin; status tells whose it is [LOGIN-09]', async () => {
  await using simulator = await Simulator.start({ oauth: {} });
  const at = await home();
  const env = { CODEX_AUTHAPI_BASE_URL: `${simulator.issuer}/api/accounts` };
  const token = simulator.oauth.issueAccessToken();
  const empty = await at.run(['login', '--with-access-token'], { env });
  expect([empty.code, empty.stderr]).toEqual([
    1,
    'quire: stdin holds no personal access token: those begin with "at-"\n',
  ]);
  expect(await at.run(['login', '--with-access-token'], { stdin: `${token}\n`, env })).toEqual({
    code: 0,
    stdout: '',
    stderr: 'You are logged in.\n',
  });
  const status = await at.run(['login', 'status'], { env });
  expect(status.stderr).toBe('Logged in with an access token (person@example.test, plan plus)\n');
  expect((await at.run(['login', 'status'], { env: { ...env, CODEX_ACCESS_TOKEN: 'at-unknown' } })).stderr).toBe(
    'quire: the token of CODEX_ACCESS_TOKEN is not accepted (status 401); make a new one\n',
  );
});

describe('with a key', () => {
  test('from stdin; status shows its ends on stderr; logging out twice is fine [LOGIN-01] [CHECK-01] [CHECK-02] [TRAP-17]', async () => {
    const at = await home();
    expect(await at.run(['login', 'status'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Nobody is logged in; quire login does that.\n',
    });
    expect(await at.run(['login', '--with-api-key'], { stdin: ' sk-test-1234567890abcdef\n' })).toEqual({
      code: 0,
      stdout: '',
      stderr: 'The API key is stored. It is tried with the first request.\n',
    });
    expect(JSON.parse(await readFile(at.file, 'utf8'))).toEqual({
      auth_mode: 'apikey',
      OPENAI_API_KEY: 'sk-test-1234567890abcdef',
    });
    expect((await stat(at.file)).mode & 0o777).toBe(0o600);
    expect(await at.run(['login', 'status'])).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Logged in with an API key: sk-test-***bcdef\n',
    });
    const json = await at.run(['login', 'status', '--json']);
    expect(JSON.parse(json.stdout)).toEqual({
      loggedIn: true,
      authMode: 'apikey',
      email: null,
      plan: null,
      accountId: null,
    });
    expect([json.code, json.stdout.includes('sk-')]).toEqual([0, false]);
    expect(await at.run(['logout'])).toEqual({ code: 0, stdout: '', stderr: 'You are logged out.\n' });
    await expect(stat(at.file)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await at.run(['logout'])).toEqual({ code: 0, stdout: '', stderr: 'Nobody is logged in.\n' });
  });

  test('an empty one is refused; one among the arguments too, and is not repeated [LOGIN-02]', async () => {
    const at = await home();
    const empty = await at.run(['login', '--with-api-key'], { stdin: '\n' });
    expect([empty.code, empty.stderr]).toEqual([
      1,
      'quire: the key is empty; pipe it in: printenv KEY | quire login --with-api-key\n',
    ]);
    for (const argv of [['--api-key', 'sk-secret'], ['--api-key=sk-secret'], ['--api-key']]) {
      const refused = await at.run(['login', ...argv]);
      expect([refused.code, refused.stderr.includes('pipe it in'), refused.stderr.includes('sk-secret')]).toEqual([
        1,
        true,
        false,
      ]);
    }
    const surplus = await at.run(['login', 'sk-secret']);
    expect([surplus.code, surplus.stderr.includes('sk-secret')]).toEqual([2, false]);
  });

  test('does not count from the environment for status [LOGIN-03]', async () => {
    const at = await home();
    const env = { CODEX_API_KEY: 'k', OPENAI_API_KEY: 'k' };
    expect((await at.run(['login', 'status'], { env })).code).toBe(1);
  });
});

test('a device logs in, status names the account, logging out revokes [LOGIN-04]', async () => {
  await using sim = await Simulator.start({ oauth: { account: ACCOUNTS.business } });
  const at = await home();
  const child = at.start(['login', '--device-auth', '--experimental_issuer', sim.issuer]);
  const code = await said(child, /[0-9A-F]{4}-[0-9A-F]{4}/);
  const ended = ending(child);
  sim.oauth.approveDevice(code);
  expect(await ended).toMatchObject({ code: 0, stdout: '' });
  expect((await at.run(['login', 'status'])).stderr).toBe(
    'Logged in with ChatGPT (person@example.test, plan business)\n',
  );
  const status = await at.run(['login', 'status', '--json']);
  expect(JSON.parse(status.stdout)).toEqual({
    loggedIn: true,
    authMode: 'chatgpt',
    email: 'person@example.test',
    plan: 'business',
    accountId: 'workspace-1',
  });
  expect(await at.run(['logout'], { env: { CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/revoke` } })).toEqual({
    code: 0,
    stdout: '',
    stderr: 'You are logged out.\n',
  });
  expect(sim.oauth.requests.at(-1)?.endpoint).toBe('revoke');
});

test('in the browser: the address is printed, and the person comes back to it [LOGIN-05]', async () => {
  await using sim = await Simulator.start({ oauth: {} });
  const at = await home();
  // The ports of the service are not ours to take in a test: this takes a free one.
  const child = at.start(['in-browser', sim.issuer]);
  const url = new URL(await said(child, /http:\S+\n/));
  const ended = ending(child);
  const location = await visit(url.href);
  const last = await visit(location);
  await visit(last);
  expect(await ended).toMatchObject({ code: 0, stdout: '' });
  expect(JSON.parse(await readFile(at.file, 'utf8'))).toMatchObject({ auth_mode: 'chatgpt' });
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s gives a login up that waits for somebody [LOGIN-05]', async (signal, code) => {
  await using sim = await Simulator.start({ oauth: { deviceInterval: '600' } });
  const at = await home();
  const child = at.start(['login', '--device-auth', '--experimental_issuer', sim.issuer]);
  await said(child, /[0-9A-F]{4}-[0-9A-F]{4}/);
  const ended = ending(child);
  child.kill(signal);
  expect((await ended).code).toBe(code);
});

/** One GET, as a browser sends it; gives where it is sent to. */
async function visit(address: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const request = get(address.replace('//localhost', '//127.0.0.1'), { agent: false }, (response) => {
      response.resume().once('end', () => resolve(response.headers.location ?? ''));
    });
    request.once('error', reject);
  });
}

describe('what the configuration forbids', () => {
  test.each([
    ['chatgpt', ['--with-api-key']],
    ['api', ['--device-auth']],
    ['api', []],
  ])(
    'with forced_login_method %s, login %j is refused and the login that there is stays [LOGIN-06]',
    async (method, argv) => {
      const at = await home(`forced_login_method = "${method}"\n`);
      const before = '{"OPENAI_API_KEY":"k"}';
      await writeFile(at.file, before, { mode: 0o600 });
      const refused = await at.run(['login', ...argv], { stdin: 'sk-new' });
      expect([refused.code, refused.stderr.includes('forced_login_method')]).toEqual([1, true]);
      expect(await readFile(at.file, 'utf8')).toBe(before);
    },
  );
});

describe('bad input', () => {
  test('a file that can not be understood ends status with code 1 and is left alone [LOGIN-07]', async () => {
    const at = await home();
    await writeFile(at.file, '{"OPENAI_API_KEY": "sk-half', { mode: 0o600 });
    const status = await at.run(['login', 'status']);
    expect(status).toEqual({
      code: 1,
      stdout: '',
      stderr: `quire: ${at.file} is not valid JSON; fix it, move it away or run quire logout and log in again, or set CODEX_API_KEY\n`,
    });
    expect((await at.run(['login', '--with-api-key'], { stdin: 'k' })).code).toBe(1);
    expect(await readFile(at.file, 'utf8')).toBe('{"OPENAI_API_KEY": "sk-half');
  });

  test.each([
    [
      '{"auth_mode":"future","tokens":{"x":1}}',
      'has an auth_mode that is not supported here, perhaps of a newer version',
    ],
    ['{"tokens":5}', 'has tokens without an access_token'],
    ['{"version":9}', 'holds no login that is understood here, perhaps a newer one'],
    ['{"OPENAI_API_KEY":5}', 'holds a value of OPENAI_API_KEY that is no text'],
  ])(
    'a file that holds %s is explained, refuses a login and is taken away by logout [AUTH-33] [LOGIN-07]',
    async (text, why) => {
      const at = await home();
      await writeFile(at.file, text, { mode: 0o600 });
      const sentence = `${at.file} ${why}; fix it, move it away or run quire logout and log in again, or set CODEX_API_KEY`;
      expect(await at.run(['login', 'status'])).toEqual({ code: 1, stdout: '', stderr: `quire: ${sentence}\n` });
      expect(await at.run(['login', '--with-api-key'], { stdin: 'sk-new' })).toEqual({
        code: 1,
        stdout: '',
        stderr: `quire: nothing was stored: ${sentence}\n`,
      });
      expect(await readFile(at.file, 'utf8')).toBe(text);
      expect(await at.run(['logout'])).toEqual({ code: 0, stdout: '', stderr: 'You are logged out.\n' });
    },
  );

  test('a file that others can read is used, with a warning [LOGIN-07]', async () => {
    const at = await home();
    await writeFile(at.file, '{"OPENAI_API_KEY": "k"}', { mode: 0o644 });
    const status = await at.run(['login', 'status']);
    expect([status.code, status.stderr]).toEqual([
      0,
      `quire: ${at.file} can be read by others than its owner; run chmod 600 on it\nLogged in with an API key: ***\n`,
    ]);
  });

  test.each([
    [['login', '--with-api-key', '--device-auth'], 'do not go together'],
    [['login', '--json'], '--json does not go with login'],
    [['logout', '--json'], '--json does not go with logout'],
    [['login', 'statsu'], 'did you mean status?'],
    [['login', '--devise-auth'], 'did you mean --device-auth?'],
    [['login', '--with-access-token', '--with-api-key'], '--with-api-key and --with-access-token do not go together'],
  ])('%j is a usage error [LOGIN-08]', async (argv, message) => {
    const at = await home();
    const ended = await at.run(argv);
    expect([ended.code, ended.stdout]).toEqual([2, '']);
    expect(ended.stderr).toContain(message);
  });

  test('help goes to stdout [LOGIN-08]', async () => {
    const at = await home();
    for (const command of ['login', 'logout']) {
      const ended = await at.run([command, '--help']);
      expect([ended.code, ended.stderr, ended.stdout.includes(`quire ${command}`)]).toEqual([0, '', true]);
    }
  });
});
