import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import {
  ACCOUNTS,
  acceptUpgrade,
  catalogEntry,
  createCertificateAuthority,
  OtlpCollector,
  refuseUpgrade,
  Simulator,
  startConnectProxy,
  startSocksProxy,
  status,
} from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BuiltCommand, buildCommand, type Ended, type Home } from '../support/commands.ts';

let command: BuiltCommand;
beforeAll(async () => {
  command = await buildCommand();
});
afterAll(() => command[Symbol.asyncDispose]());

interface Check {
  readonly id: string;
  readonly verdict: string;
  readonly summary: string;
  readonly details: readonly string[];
  readonly remedy?: string;
}

interface Report {
  readonly code: number;
  readonly checks: Readonly<Record<string, Check>>;
  /** All that was printed. */
  readonly text: string;
  readonly stderr: string;
}

const KEY = 'sk-doctor-test-key-0123456789';

function configFor(baseUrl: string, more = ''): string {
  return `model_provider = "p"
${more.startsWith('\n') ? '' : more}
[model_providers.p]
name = "P"
base_url = "${baseUrl}"
requires_openai_auth = true
supports_websockets = true
request_max_retries = 0
${more.startsWith('\n') ? more : ''}`;
}

async function doctor(
  home: Home,
  env: Readonly<Record<string, string>> = {},
  argv: readonly string[] = [],
): Promise<Report> {
  const ended = await home.run(['doctor', '--json', ...argv], { CODEX_API_KEY: KEY, ...env });
  return reportOf(ended);
}

function reportOf({ code, stdout, stderr }: Ended): Report {
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Check[] };
  return { code, checks: Object.fromEntries(checks.map((check) => [check.id, check])), text: stdout + stderr, stderr };
}

/** `dns ok, tcp failed, …` of these checks. */
function verdicts({ checks }: Report, ...ids: readonly string[]): string {
  return ids.map((id) => `${id} ${checks[id]?.verdict}`).join(', ');
}

const NETWORK = ['dns', 'tcp', 'proxy', 'tls', 'http', 'websocket', 'clock'] as const;

async function listening(server: Server): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets = new Set<import('node:net').Socket>();
  server.on('connection', (socket: import('node:net').Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the way to the provider', () => {
  test('is well when it answers over HTTP and WebSocket; nothing is generated, renewed or written [DOCTOR-01] [DOCTOR-02]', async () => {
    await using simulator = await Simulator.start({ handshakes: [acceptUpgrade()] });
    const home = await command.home(configFor(simulator.url));
    const before = await readdir(home.path);
    const report = await doctor(home);
    expect(verdicts(report, ...NETWORK)).toBe('dns ok, tcp ok, proxy ok, tls skipped, http ok, websocket ok, clock ok');
    expect([simulator.requests.length, simulator.modelsRequests.length, simulator.handshakes.length]).toEqual([
      0, 1, 1,
    ]);
    expect([await readdir(home.path), report.stderr]).toEqual([before, '']);
    expect(report.code).toBe(Object.values(report.checks).some(({ verdict }) => verdict === 'failed') ? 1 : 0);
  });

  test('through a proxy and a private authority is told, and where it breaks off [DOCTOR-03]', async () => {
    await using ca = await createCertificateAuthority({ name: 'Corporate Root' });
    await using simulator = await Simulator.start({ tls: { ca } });
    await using proxy = await startConnectProxy({ credentials: { username: 'person', password: 'proxy-password' } });
    await using socks = await startSocksProxy();
    const home = await command.home(configFor(simulator.url));
    const withUser = proxy.url.replace('http://', 'http://person:proxy-password@');

    const trusted = await doctor(home, { HTTPS_PROXY: withUser, CODEX_CA_CERTIFICATE: ca.file });
    expect(verdicts(trusted, ...NETWORK)).toBe('dns ok, tcp ok, proxy ok, tls ok, http ok, websocket ok, clock ok');
    expect(trusted.checks['proxy']?.details).toEqual(['named by HTTPS_PROXY, with user and password']);
    expect(trusted.checks['tls']?.details.join('\n')).toContain('the authority is Corporate Root, a private authority');
    expect(trusted.text).not.toContain('proxy-password');

    const untrusted = await doctor(home);
    expect(verdicts(untrusted, ...NETWORK)).toBe(
      'dns ok, tcp ok, proxy ok, tls failed, http skipped, websocket skipped, clock skipped',
    );
    expect([untrusted.code, untrusted.checks['tls']?.remedy]).toMatchObject([
      1,
      expect.stringContaining('CODEX_CA_CERTIFICATE'),
    ]);

    const refused = await doctor(home, { HTTPS_PROXY: proxy.url });
    expect(verdicts(refused, 'tcp', 'proxy', 'tls', 'http')).toBe('tcp ok, proxy failed, tls skipped, http skipped');
    expect(refused.checks['proxy']?.remedy).toContain('put user and password into the URL');

    const overSocks = await doctor(home, { ALL_PROXY: socks.url, CODEX_CA_CERTIFICATE: ca.file });
    expect(verdicts(overSocks, 'proxy', 'tls', 'http', 'websocket')).toBe('proxy ok, tls ok, http ok, websocket ok');
    const excepted = await doctor(home, { ALL_PROXY: 'socks5://nowhere.invalid', NO_PROXY: '127.0.0.1' });
    expect(excepted.checks['proxy']?.summary).toContain('is excepted by NO_PROXY');
    const broken = await doctor(home, { HTTPS_PROXY: 'gopher://person:proxy-password@h' });
    expect(verdicts(broken, 'proxy', 'dns', 'http')).toBe('proxy failed, dns skipped, http skipped');
    expect(broken.text).not.toContain('proxy-password');
  });

  test('ends at a port where nobody listens, and at a name that leads nowhere [DOCTOR-04]', async () => {
    const gone = await listening(createTcpServer());
    await gone[Symbol.asyncDispose]();
    const dead = await doctor(await command.home(configFor(`http://127.0.0.1:${gone.port}/v1`)));
    expect(verdicts(dead, ...NETWORK)).toBe(
      'dns ok, tcp failed, proxy ok, tls skipped, http skipped, websocket skipped, clock skipped',
    );
    const nameless = await doctor(await command.home(configFor('http://provider.invalid/v1')));
    expect([nameless.code, verdicts(nameless, 'dns', 'tcp', 'http')]).toEqual([
      1,
      'dns failed, tcp skipped, http skipped',
    ]);
  });

  test('that is silent is given up within ten seconds, and the other checks are not kept by it [DOCTOR-05]', async () => {
    await using silent = await listening(createTcpServer((socket) => socket.resume()));
    const home = await command.home(configFor(`http://127.0.0.1:${silent.port}/v1`));
    const beganAtMs = performance.now();
    const report = await doctor(home);
    expect(performance.now() - beganAtMs).toBeLessThan(10_000);
    expect(verdicts(report, 'tcp', 'http', 'websocket', 'clock', 'disk')).toBe(
      'tcp ok, http failed, websocket warning, clock skipped, disk ok',
    );
    expect(report.checks['http']?.summary).toContain('did not answer within 4000 ms');
  });

  test('with a web page, refused credentials or trouble at its end is told apart [DOCTOR-06]', async () => {
    await using simulator = await Simulator.start({ lenient: true });
    const home = await command.home(configFor(simulator.url));
    simulator.setModelsAnswer(status(/* code */ 200, { headers: { 'content-type': 'text/html' }, body: '<html>' }));
    const page = await doctor(home);
    simulator.setModelsAnswer(status(/* code */ 401, { body: { error: { message: `bad key ${KEY}` } } }));
    const refused = await doctor(home);
    simulator.setModelsAnswer(status(/* code */ 404, { body: {} }));
    const listless = await doctor(home);
    simulator.setModelsAnswer(status(/* code */ 503, { body: {} }));
    const troubled = await doctor(home);
    expect([page, refused, listless, troubled].map((report) => verdicts(report, 'http'))).toEqual([
      'http failed',
      'http failed',
      'http ok',
      'http failed',
    ]);
    expect([page, refused, troubled].map(({ checks }) => checks['http']?.remedy)).toEqual([
      'check base_url, and whether a network login page or a proxy answers instead',
      'set or log in with another key',
      'the provider has trouble; try again later',
    ]);
    expect(refused.text).not.toContain(KEY);
  });

  test('that refuses the upgrade to a WebSocket is a warning with a remedy [DOCTOR-07]', async () => {
    await using simulator = await Simulator.start({ handshakes: [refuseUpgrade(/* code */ 426)] });
    const report = await doctor(await command.home(configFor(simulator.url)));
    expect(report.checks['websocket']).toMatchObject({
      verdict: 'warning',
      summary: 'no WebSocket can be opened, so requests go over HTTP: the upgrade was refused with status 426',
      remedy: expect.stringContaining('Upgrade: websocket'),
    });
  });

  test('whose clock differs makes the clock here a failure from five minutes on [DOCTOR-08]', async () => {
    let skewMs = 0;
    await using server = await listening(
      createServer((_request, response) => {
        const date = new Date(Date.now() + skewMs).toUTCString();
        response.writeHead(200, { date, 'content-type': 'application/json' }).end('{"models":[]}');
      }),
    );
    const home = await command.home(configFor(`http://127.0.0.1:${server.port}/v1`));
    const found: string[] = [];
    for (const skew of [0, 120_000, -3_600_000]) {
      skewMs = skew;
      const { checks } = await doctor(home);
      found.push(`${checks['clock']?.verdict}: ${checks['clock']?.summary}`);
    }
    expect(found[0]).toBe('ok: the clock agrees with that of the provider');
    expect(found[1]).toMatch(/^warning: the clock here is (1|2) min behind that of the provider$/);
    expect(found[2]).toMatch(/^failed: the clock here is (1 h|59 min|1 h 0 min) ahead of that of the provider$/);
  });

  test('is left alone with --offline [DOCTOR-09]', async () => {
    await using simulator = await Simulator.start();
    const report = await doctor(await command.home(configFor(simulator.url)), {}, ['--offline']);
    expect(verdicts(report, ...NETWORK)).toBe(NETWORK.map((id) => `${id} skipped`).join(', '));
    expect([simulator.modelsRequests, simulator.handshakes]).toEqual([[], []]);
  });
});

describe('credentials', () => {
  const OFFLINE = ['--offline'];

  test('are told by kind, place and end, never by value; expired tokens are not renewed [DOCTOR-10]', async () => {
    const longAgo = Date.now() - 48 * 3_600_000;
    await using simulator = await Simulator.start({ oauth: { now: () => longAgo } });
    const tokens = simulator.oauth.logIn(ACCOUNTS.pro);
    const home = await command.home(configFor(simulator.url));
    const document = {
      auth_mode: 'chatgpt',
      OPENAI_API_KEY: 'exchanged-key-of-the-login',
      tokens: {
        id_token: tokens.idToken,
        access_token: tokens.accessToken,
        refresh_token: tokens.refreshToken,
        account_id: 'account-1',
      },
      last_refresh: new Date(longAgo).toISOString(),
    };
    await home.write('auth.json', JSON.stringify(document));
    const expired = await doctor(home, { CODEX_API_KEY: '' }, OFFLINE);
    expect(expired.checks['credentials']).toMatchObject({ verdict: 'ok', summary: 'a ChatGPT login, plan pro' });
    expect(expired.checks['credentials']?.details.join('\n')).toMatch(
      /the access token ended at .* and is renewed when it is needed/,
    );
    for (const secret of [...Object.values(tokens), document.OPENAI_API_KEY])
      expect(expired.text).not.toContain(secret);
    expect(JSON.parse(await readFile(join(home.path, 'auth.json'), 'utf8'))).toEqual(document);

    await home.write('auth.json', JSON.stringify({ ...document, tokens: { ...document.tokens, refresh_token: '' } }));
    const lost = await doctor(home, { CODEX_API_KEY: '' }, OFFLINE);
    expect(lost.checks['credentials']).toMatchObject({ verdict: 'failed', remedy: 'log in again with quire login' });
  });

  test('that are missing, torn or open to others have a remedy; nothing of a torn file is quoted [DOCTOR-11]', async () => {
    const home = await command.home();
    const none = await doctor(home, { CODEX_API_KEY: '', OPENAI_API_KEY: 'sk-not-counting-here' }, OFFLINE);
    expect([none.code, none.checks['credentials']]).toMatchObject([
      1,
      { verdict: 'failed', remedy: expect.stringContaining('OPENAI_API_KEY is set, but does not count') },
    ]);
    await home.write('auth.json', '{"tokens":{"access_token":"torn-secret-token');
    const torn = await doctor(home, { CODEX_API_KEY: '' }, OFFLINE);
    expect(torn.checks['credentials']).toMatchObject({
      verdict: 'failed',
      summary: expect.stringContaining('is not valid JSON'),
    });
    expect(torn.text).not.toContain('torn-secret-token');
    await home.write('auth.json', JSON.stringify({ OPENAI_API_KEY: 'sk-open-to-others-1234' }));
    await chmod(join(home.path, 'auth.json'), 0o644);
    const open = await doctor(home, { CODEX_API_KEY: '' }, OFFLINE);
    expect(open.checks['credentials']).toMatchObject({
      verdict: 'warning',
      remedy: expect.stringContaining('chmod 600'),
    });
    expect(open.text).not.toContain('sk-open-to-others-1234');
  });

  test('that the configuration forbids fail, and the login stays where it is [DOCTOR-12]', async () => {
    const home = await command.home('forced_login_method = "chatgpt"\n');
    await home.write('auth.json', JSON.stringify({ OPENAI_API_KEY: 'sk-forbidden-here-1234' }));
    const { checks } = await doctor(home, { CODEX_API_KEY: '' }, OFFLINE);
    expect(checks['credentials']).toMatchObject({
      verdict: 'failed',
      summary: expect.stringContaining('allows only ChatGPT'),
    });
    expect(await readdir(home.path)).toContain('auth.json');
  });
});

describe('the machine', () => {
  const OFFLINE = ['--offline'];

  test('a configuration that can not be understood fails with file and line, and the rest is looked at all the same [DOCTOR-13]', async () => {
    const home = await command.home('model = "m"\n\n[model_providers.p\nexperimental_bearer_token = "quoted-secret"\n');
    const syntax = await doctor(home, {}, OFFLINE);
    expect([syntax.code, syntax.checks['config']?.verdict]).toEqual([1, 'failed']);
    expect(syntax.checks['config']?.summary).toContain(`${join(home.path, 'config.toml')}:3:`);
    expect(syntax.text).not.toContain('quoted-secret');
    expect(verdicts(syntax, 'credentials', 'disk')).toBe('credentials ok, disk ok');
    await home.write('config.toml', 'model = "m"\nsandbox_mode = 3\n');
    const type = await doctor(home, {}, OFFLINE);
    expect(type.checks['config']?.summary).toContain(`${join(home.path, 'config.toml')}:2: sandbox_mode`);
  });

  test('keys that nothing reads, misspelled ones and untrusted folders are named [DOCTOR-14]', async () => {
    const home = await command.home('modle = "m"\nunknown_thing = 1\n');
    await mkdir(join(home.path, 'project/.codex'), { recursive: true });
    await mkdir(join(home.path, 'project/.git'));
    const report = await doctor(home, {}, [...OFFLINE, '-C', 'project']);
    expect(report.checks['config']).toMatchObject({
      verdict: 'warning',
      summary: `${join(home.path, 'config.toml')}:1: modle is not read; did you mean model?`,
    });
    const details = report.checks['config']?.details.join('\n');
    expect(details).toContain('not read by quire: modle, unknown_thing');
    expect(details).toContain(`${join(home.path, 'project/.codex')} is not read`);
  });

  test('a home folder that is missing, or can not be written to, is a failure with a remedy [DOCTOR-15]', async () => {
    const home = await command.home();
    const missing = await doctor(home, { CODEX_HOME: join(home.path, 'gone') }, OFFLINE);
    expect([missing.code, verdicts(missing, 'config', 'disk', 'installation')]).toEqual([
      1,
      'config failed, disk skipped, installation ok',
    ]);
    const isRoot = process.getuid?.() === 0;
    for (const folder of [command.folder, home.path]) await chmod(folder, 0o555);
    try {
      const readOnly = reportOf(
        await home.run(
          ['doctor', '--json', '--offline'],
          { CODEX_API_KEY: KEY },
          isRoot ? { uid: 65534, gid: 65534 } : {},
        ),
      );
      expect(readOnly.checks['disk']).toMatchObject({
        verdict: 'failed',
        summary: `${home.path} can not be written to: permission denied`,
        details: [`the home folder is ${home.path}`, expect.any(String), expect.any(String)],
      });
    } finally {
      for (const folder of [command.folder, home.path]) await chmod(folder, 0o755);
    }
  });

  test('the installation names other quire commands on PATH [DOCTOR-16]', async () => {
    const home = await command.home();
    for (const name of ['one', 'two', 'three']) await mkdir(join(home.path, name));
    await writeFile(join(home.path, 'one/quire'), '#!/bin/sh\n', { mode: 0o755 });
    await writeFile(join(home.path, 'two/quire'), '#!/bin/sh\n', { mode: 0o755 });
    await symlink(join(home.path, 'one/quire'), join(home.path, 'three/quire'));
    const path = ['one', 'two', 'three'].map((name) => join(home.path, name)).join(':');
    const { checks } = await doctor(home, { PATH: path }, OFFLINE);
    expect(checks['installation']).toMatchObject({
      verdict: 'warning',
      summary: `there are 2 different quire commands on PATH; ${join(home.path, 'one/quire')} is the one that is found`,
    });
  });

  test('the list of models is told by age and etag; one that can not be understood is a warning [DOCTOR-17]', async () => {
    const home = await command.home();
    const cache = {
      fetched_at: new Date(Date.now() - 7_200_000).toISOString(),
      etag: 'W/"1"',
      client_version: '0.1.0',
    };
    await home.write('models_cache.json', JSON.stringify({ ...cache, models: [catalogEntry('m')] }));
    expect((await doctor(home, {}, OFFLINE)).checks['catalog']).toMatchObject({
      verdict: 'ok',
      summary: '1 model kept',
      details: ['fetched 2 h ago', 'etag W/"1"', 'of another version or program: it is fetched anew'],
    });
    await home.write('models_cache.json', JSON.stringify({ ...cache, models: [{ slug: 3 }] }));
    expect((await doctor(home, {}, OFFLINE)).checks['catalog']).toMatchObject({
      verdict: 'warning',
      summary: expect.stringMatching(/^the list that is kept can not be used: /),
    });
    await home.write('config.toml', 'model_catalog_json = "/nowhere/models.json"\n');
    expect((await doctor(home, {}, OFFLINE)).checks['catalog']?.verdict).toBe('failed');
  });

  test('MCP servers are listed and not started [DOCTOR-18]', async () => {
    const home = await command.home(
      '[mcp_servers.a]\ncommand = "/nowhere/server"\nargs = ["--token", "server-token-in-arguments"]\n' +
        '[mcp_servers.b]\nurl = "https://h.invalid/path-with-token?key=address-token"\nbearer_token_env_var = "B_TOKEN"\n',
    );
    const report = await doctor(home, {}, OFFLINE);
    expect(report.checks['mcp']).toEqual({
      id: 'mcp',
      verdict: 'warning',
      summary: 'the MCP server b takes its token from B_TOKEN, which is not set',
      details: ['configured: a, b; quire mcp list shows more', 'a: starts /nowhere/server', 'b: https://h.invalid'],
      remedy: 'set B_TOKEN, or switch the server off',
    });
    expect(report.text).not.toMatch(/server-token|address-token|path-with-token/);
  });
});

describe('telemetry', () => {
  const exporterTo = (url: string): string =>
    `[otel.exporter.otlp-http]\nendpoint = "${url}/v1/logs?key=collector-token"\nheaders = { x-key = "collector-header" }\n`;

  test('is named with its origin, and its collector is connected to and sent nothing [DOCTOR-27]', async () => {
    await using collector = await OtlpCollector.start();
    await using simulator = await Simulator.start();
    const home = await command.home(configFor(simulator.url, `\n${exporterTo(collector.url)}`));
    const report = await doctor(home);
    expect(report.checks['telemetry']).toEqual({
      id: 'telemetry',
      verdict: 'ok',
      summary: `exported to ${collector.url}`,
      details: [`traces: otlp-http to ${collector.url}`, `logs: otlp-http to ${collector.url}`],
    });
    expect([collector.connections, collector.exports]).toEqual([1, []]);
    expect(report.text).not.toMatch(/collector-token|collector-header/);
  });

  test('is skipped without an exporter, and when a variable switches it off [DOCTOR-27]', async () => {
    const home = await command.home();
    const off = { id: 'telemetry', verdict: 'skipped', details: [] };
    expect((await doctor(home, {}, ['--offline'])).checks['telemetry']).toEqual({
      ...off,
      summary: 'nothing is exported',
    });
    await home.write('config.toml', exporterTo('http://127.0.0.1:9'));
    const report = await doctor(home, { OTEL_SDK_DISABLED: 'true' }, ['--offline']);
    expect(report.checks['telemetry']).toEqual({ ...off, summary: 'OTEL_SDK_DISABLED switches it off' });
    expect((await doctor(home, {}, ['--offline'])).checks['telemetry']).toMatchObject({
      verdict: 'ok',
      summary: 'exported to http://127.0.0.1:9, which was not tried (--offline)',
    });
  });

  test('that goes to a collector that is away is a warning [DOCTOR-27]', async () => {
    const away = await OtlpCollector.start();
    const { url } = away;
    await away[Symbol.asyncDispose]();
    await using simulator = await Simulator.start();
    const home = await command.home(configFor(simulator.url, `\n${exporterTo(url)}`));
    expect((await doctor(home)).checks['telemetry']).toMatchObject({
      verdict: 'warning',
      summary: expect.stringContaining(`telemetry can not be sent to ${url}: `),
      remedy: 'check the otel settings and that the collector runs; see docs/telemetry.md',
    });
  });
});

describe('the command', () => {
  test.runIf(process.platform === 'linux')(
    'ends within its time also when a file hangs, with what the other checks found [DOCTOR-26]',
    async () => {
      const home = await command.home();
      await writeFile(join(home.path, 'config.toml'), 'model_instructions_file = "pipe"\n');
      execFileSync('mkfifo', [join(home.path, 'pipe')]);
      const beganAtMs = performance.now();
      const file = join(home.path, 'bundle.json');
      const report = await doctor(home, {}, ['--offline', '--bundle', file]);
      expect(performance.now() - beganAtMs).toBeLessThan(20_000);
      expect([report.code, verdicts(report, 'installation', 'config', 'credentials')]).toEqual([
        1,
        'installation ok, config failed, credentials failed',
      ]);
      expect(report.checks['config']?.summary).toBe('it took too long and was given up');
      expect(report.stderr).toContain('the bundle could not be put together in time');
    },
  );

  test('prints lines for people, and says how many checks came to what [DOCTOR-19]', async () => {
    const home = await command.home();
    const { stdout } = await home.run(['doctor', '--offline'], { CODEX_API_KEY: KEY, FORCE_COLOR: '' });
    expect(stdout).toContain('\ncredentials: ok, a key from the variable CODEX_API_KEY\n');
    expect(stdout).toMatch(/\n\n16 checks: .*10 skipped\n$/);
    expect(stdout).not.toContain('\u001b');
  });

  test('arguments that do not fit are usage errors; help goes to stdout [DOCTOR-20]', async () => {
    const home = await command.home();
    const wrong = [
      ['doctor', 'now'],
      ['doctor', '--bundle'],
      ['doctor', '--bundle', '-'],
      ['doctor', '--jsn'],
    ];
    const codes = await Promise.all(wrong.map(async (argv) => (await home.run(argv)).code));
    expect(codes).toEqual([2, 2, 2, 2]);
    expect((await home.run(['doctor', '--help'])).stdout).toContain('--bundle FILE');
  });

  test('the bundle is a new file for its owner only; one that exists is left alone [DOCTOR-21]', async () => {
    const home = await command.home(
      'model = "gpt-5"\nsandbox_mode = "read-only"\ndeveloper_instructions = "be kind to people"\n',
    );
    const file = join(home.path, 'bundle.json');
    const first = await home.run(['doctor', '--offline', '--bundle', file], { CODEX_API_KEY: KEY });
    expect(first.stderr).toBe(`The bundle is in ${file}. Look at it before you send it.\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const bundle = JSON.parse(await readFile(file, 'utf8'));
    expect(Object.keys(bundle)).toEqual([
      'kind',
      'formatVersion',
      'createdAt',
      'versions',
      'platform',
      'report',
      'config',
      'features',
      'environment',
      'lastRefusal',
      'threads',
    ]);
    const settings = bundle.config.settings.map(
      ({ key, value, origin }: { key: string; value: unknown; origin: object }) => [key, value, origin],
    );
    const origin = (line: number, key: string) => ({ kind: 'user', source: '~/config.toml', line, key });
    expect(settings).toEqual([
      ['developer_instructions', 'a text of 17 characters', origin(/* line */ 3, 'developer_instructions')],
      ['model', 'gpt-5', origin(/* line */ 1, 'model')],
      ['sandbox_mode', 'read-only', origin(/* line */ 2, 'sandbox_mode')],
    ]);
    expect(bundle.environment).toEqual(['CODEX_API_KEY', 'CODEX_HOME']);
    expect([bundle.report.checks.length, bundle.lastRefusal]).toEqual([16, null]);
    const second = await home.run(['doctor', '--offline', '--bundle', file], { CODEX_API_KEY: KEY });
    expect([second.code, second.stdout, second.stderr]).toEqual([
      1,
      '',
      `quire: ${file} exists already, and is not overwritten; give another name to --bundle\n`,
    ]);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(bundle);
    const nowhere = await home.run(['doctor', '--offline', '--bundle', '/nowhere/b.json'], { CODEX_API_KEY: KEY });
    expect([nowhere.code, nowhere.stderr]).toMatchObject([
      1,
      expect.stringContaining('can not be written: no such file or folder'),
    ]);
  });
});
