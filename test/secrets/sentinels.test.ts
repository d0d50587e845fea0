/** Every secret that people keep has a value of its own here; no run leaves one of them anywhere. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { functionCall, respond, Simulator, startConnectProxy, text } from '@quire/simulator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InstalledCommand, installCommand } from '../support/installed-command.ts';
import {
  cutsQuote,
  type EchoManner,
  quotes,
  quotesInStream,
  quotesOnPage,
  startEchoServer,
} from './support/echo-server.ts';
import { chatgptFile, provider, Scene, servers } from './support/scene.ts';

let command: InstalledCommand;
beforeAll(async () => {
  command = await installCommand();
});
afterAll(() => command[Symbol.asyncDispose]());

const ECHOES: readonly (readonly [string, EchoManner])[] = [
  ['an error of the key', quotes(/* status */ 401)],
  ['an error of the request', quotes(/* status */ 400)],
  ['an error of the server', quotes(/* status */ 500)],
  ['too many requests', quotes(/* status */ 429)],
  ['a page', quotesOnPage(/* status */ 403)],
  ['a page instead of a stream', quotesOnPage(/* status */ 200)],
  ['a failure in the stream', quotesInStream],
  ['a stream that is cut', cutsQuote],
];

test.each(ECHOES)(
  'a provider that quotes what it was sent, in %s, has no secret shown or kept [SECRET-01]',
  async (_what, manner) => {
    await using server = await startEchoServer(manner);
    await using scene = await Scene.open(
      command,
      (at) => `${provider(at, server.origin)}${servers(at, server.origin)}`,
    );
    const { at } = scene;
    const login = ['-c', 'model_provider=login'];
    const env = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${server.origin}/oauth/token` };
    await scene.exec([]);
    await scene.exec(['-c', 'model_provider=bearer']);
    await scene.exec(login, { env: { ...env, CODEX_API_KEY: at('environment-key') } });
    await scene.logIn({ auth_mode: 'apikey', OPENAI_API_KEY: at('api-key') });
    await scene.exec(login, { env });
    await scene.logIn(chatgptFile(at));
    await scene.exec(login, { env });
    await scene.logIn(chatgptFile(at, new Date(0)));
    await scene.exec(login, { env });

    expect(await scene.leaks()).toEqual([]);
    // They were there to be found: the server saw what it should see, and nothing else.
    const seen = new Set(server.received.flatMap((heard) => scene.sentinels.in(Buffer.from(heard))));
    const sent = ['access-token', 'api-key', 'bearer', 'env-header', 'env-key', 'environment-key', 'header', 'query'];
    // MCP servers start behind the first request: a run that ends early does not ask them.
    const ofServers = ['mcp-bearer', 'mcp-env-header', 'mcp-header'];
    expect(sent.filter((place) => !seen.has(place))).toEqual([]);
    expect([...seen].filter((place) => ![...sent, ...ofServers, 'refresh-token'].includes(place))).toEqual([]);
  },
  120_000,
);

test('a tool that prints its environment and the files of the home leaves nothing on the disk [SECRET-02]', async () => {
  const steps = [1, 2].flatMap((run) => [
    respond(
      functionCall(`env-${run}`, 'exec_command', { cmd: 'env; cat config.toml', workdir: '../home', login: false }),
    ),
    respond(text('Seen.')),
  ]);
  await using sim = await Simulator.start({
    acceptsAnyClient: true,
    steps: [...steps, respond(text('On.')), respond(text('Looked.'))],
  });
  await using proxy = await startConnectProxy({ credentials: { username: 'someone', password: 'not this' } });
  await using scene = await Scene.open(command, (at) => `${provider(at, sim.url)}${servers(at, 'http://127.0.0.1:1')}`);
  const { at } = scene;
  const https = `http://someone:${at('proxy')}@127.0.0.1:${proxy.port}`;
  const env = { HTTPS_PROXY: https, CODEX_API_KEY: at('environment-key'), CODEX_ACCESS_TOKEN: at('access-token') };
  const options = ['--skip-git-repo-check', '-s', 'danger-full-access'];
  const [first, second] = await scene.exec([], { env });
  const resumed = await scene.run('exec', [...options, 'resume', '--last', 'Go on.'], { env });
  const reviewed = await scene.run('exec', [...options, 'review', 'Look.'], { env });
  expect([first, second, resumed, reviewed].map((ended) => ended?.code)).toEqual([0, 0, 0, 0]);

  // What a tool prints is for the person and the model; what this run authorises itself with is not given to tools.
  const own = ['env-key', 'env-header', 'environment-key', 'access-token'];
  const printed = [...sim.requests.map(({ rawBody }) => Buffer.from(rawBody)), Buffer.from(`${first?.stdout}`)];
  const outside = (place: string): boolean => printed.some((bytes) => scene.sentinels.in(bytes).includes(place));
  const hasConfigured = ['header', 'mcp-env'].every(outside);
  expect([own.filter(outside).filter((place) => place !== 'access-token'), hasConfigured]).toEqual([[], true]);
  expect((await scene.leaks()).filter((leak) => !leak.startsWith('std'))).toEqual([]);
}, 60_000);

test('a configuration that can not be used is explained without what it holds [SECRET-03]', async () => {
  await using scene = await Scene.open(
    command,
    (at) => `${provider(at, 'http://127.0.0.1:1/v1')}${servers(at, 'http://127.0.0.1:1')}`,
  );
  const { at } = scene;
  const broken = [
    `experimental_bearer_token = "${at('torn')}`,
    `[model_providers.mine]\nname = "Twice"\nexperimental_bearer_token = "${at('torn')}"`,
    `[model_providers.other]\nname = "Other"\nexperimental_bearer_token = ["${at('torn')}"]\nhttp_headers = "${at('torn')}"`,
    `[mcp_servers.other]\nurl = "http://user:${at('torn')}@127.0.0.1:1/mcp"\nbearer_token = "${at('torn')}"\nenv = "${at('torn')}"`,
  ];
  for (const first of ['', ...broken]) {
    await scene.configure(first);
    await scene.exec([]);
    for (const argv of [
      ['list'],
      ['list', '--origin'],
      ['list', '--json'],
      ['get', 'model_providers'],
      ['get', 'mcp_servers'],
    ]) {
      await scene.run('config', argv);
    }
    for (const argv of [['list'], ['list', '--json'], ['get', 'local'], ['get', 'remote', '--json']])
      await scene.run('mcp', argv);
    await scene.run('features', ['list']);
    await scene.run('login', ['status']);
  }
  await scene.configure('');
  const overrides = [
    `model_providers.x={experimental_bearer_token="${at('torn')}"`,
    `otel.exporter={otlp-http={headers={a="${at('torn')}"}}}`,
  ];
  for (const override of overrides) await scene.exec(['-c', override]);
  for (const argv of [[], ['--json']]) await scene.run('doctor', argv);

  // For programs the settings of servers are printed as they are, as the peer does.
  const isForPrograms = (leak: string): boolean => /^stdout of mcp (list|get \w+) --json: mcp-(env|header)$/.test(leak);
  expect((await scene.leaks()).filter((leak) => !isForPrograms(leak))).toEqual([]);
}, 120_000);

test('logins and logouts show nothing of what they store, and keep it in one file [SECRET-04]', async () => {
  await using server = await startEchoServer(quotes(/* status */ 400));
  await using scene = await Scene.open(command);
  const { at } = scene;
  const env = {
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${server.origin}/oauth/token`,
    CODEX_REVOKE_TOKEN_URL_OVERRIDE: `${server.origin}/oauth/revoke`,
  };
  await scene.run('login', ['--with-api-key'], { stdin: `${at('api-key')}\n`, env });
  for (const argv of [['status'], ['status', '--json'], ['--api-key', at('api-key')], [at('api-key')]])
    await scene.run('login', argv, { env });
  await scene.logIn(chatgptFile(at));
  for (const argv of [['status'], ['status', '--json']]) await scene.run('login', argv, { env });
  await scene.run('login', ['--device-auth', '--experimental_issuer', server.origin], { env });
  await scene.run('logout', [], { env });
  await writeFile(join(scene.home, 'auth.json'), JSON.stringify(chatgptFile(at)).slice(0, -9), { mode: 0o600 });
  await scene.run('login', ['status'], { env });
  await scene.run('login', ['--with-api-key'], { stdin: at('api-key'), env });
  await scene.exec([], { env });

  // At most the ends of a key are shown.
  expect(await scene.leaks()).toEqual([]);
  expect(server.received.some((heard) => heard.includes(at('refresh-token')))).toBe(true);
}, 60_000);

test('a proxy that refuses, or is not there, is told without its password [SECRET-05]', async () => {
  await using proxy = await startConnectProxy({ credentials: { username: 'someone', password: 'another' } });
  await using scene = await Scene.open(command, (at) => provider(at, 'http://example.test/v1'));
  const password = scene.sentinels.at('proxy');
  for (const port of [proxy.port, 1]) {
    for (const scheme of ['http', 'socks5', 'wrong']) {
      const url = `${scheme}://someone:${password}@127.0.0.1:${port}`;
      await scene.exec([], { env: { HTTP_PROXY: url, HTTPS_PROXY: url, http_proxy: url } });
    }
  }
  expect(await scene.leaks()).toEqual([]);
  expect(proxy.requests.length).toBeGreaterThan(0);
}, 60_000);

test('a login does not reach a provider that does not ask for it, in any run [SECRET-06]', async () => {
  await using server = await startEchoServer(quotes(/* status */ 400));
  await using scene = await Scene.open(command, (at) => provider(at, server.origin));
  await scene.logIn(chatgptFile((place) => scene.sentinels.at(place)));
  await scene.exec([]);
  await scene.exec(['-c', 'model_provider=bearer']);
  const seen = new Set(server.received.flatMap((heard) => scene.sentinels.in(Buffer.from(heard))));
  expect([...seen].sort()).toEqual(['bearer', 'env-header', 'env-key', 'header', 'query']);
  expect(await scene.leaks()).toEqual([]);
});
