/** Nothing secret is exported: of every byte that a collector gets, only the header that is for it may hold one. */
import { inspect } from 'node:util';
import { Quire } from '@quire/agent';
import { encodeJwt, functionCall, OtlpCollector, respond, Simulator, text } from '@quire/simulator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InstalledCommand, installCommand } from '../support/installed-command.ts';
import { cutsQuote, quotes, quotesInStream, quotesOnPage, startEchoServer } from './support/echo-server.ts';
import { type At, chatgptFile, provider, Scene, servers } from './support/scene.ts';

let command: InstalledCommand;
beforeAll(async () => {
  command = await installCommand();
});
afterAll(() => command[Symbol.asyncDispose]());

const FREE = ['--skip-git-repo-check', '-s', 'danger-full-access'] as const;
const TELLTALE = 'Say what came of it.';

/** The three exporters, with the prompt; instead of the one of `servers`. */
function exporters(at: At, collector: OtlpCollector, protocol: Protocol): string {
  const headers = `headers = { "x-otel-token" = "${at('otel')}" }`;
  const [kind, more] = protocol === 'grpc' ? ['otlp-grpc', ''] : ['otlp-http', `protocol = "${protocol}", `];
  return `[otel]\nlog_user_prompt = true\n${['exporter', 'trace_exporter', 'metrics_exporter']
    .map((key, index) => {
      const path = protocol === 'grpc' ? '' : `/v1/${['logs', 'traces', 'metrics'][index]}`;
      return `${key} = { ${kind} = { endpoint = "${collector.url}${path}", ${more}${headers} } }\n`;
    })
    .join('')}`;
}

type Protocol = 'json' | 'binary' | 'grpc';

const sent = (collector: OtlpCollector): string =>
  // The records too: what is packed in the bytes is plain there.
  collector.exports
    .map(({ path, headers, body, message }) => `${path} ${JSON.stringify([headers, message])} ${body}`)
    .join('\n');

const allOf = (collector: OtlpCollector): readonly string[] =>
  [...new Set(collector.exports.map(({ signal }) => signal))].sort();

test.each(['json', 'binary', 'grpc'] as const)(
  'telemetry over %s holds no secret of a prompt, a tool, a failure or a login, from the command and from a program [SECRET-08]',
  async (protocol) => {
    await using collector = await OtlpCollector.start({ protocol: protocol === 'grpc' ? 'grpc' : 'http' });
    const steps = ['command', 'program'].flatMap((who) => [
      respond(functionCall(`env-${who}`, 'exec_command', { cmd: 'env; cat ../home/config.toml', login: false })),
      respond(text('Seen.')),
    ]);
    await using sim = await Simulator.start({ acceptsAnyClient: true, steps });
    await using echo = await startEchoServer(quotes(/* status */ 400));
    await using scene = await Scene.open(command, (at) => {
      const [tools = ''] = servers(at, 'http://127.0.0.1:1').split('[otel]');
      return `${provider(at, sim.url)}${tools}[model_providers.echo]
name = "Echo"
base_url = "${echo.origin}"
env_key = "MINE_KEY"
http_headers = { "x-gate-key" = "${at('header')}" }
request_max_retries = 0
${exporters(at, collector, protocol)}`;
    });
    const { at } = scene;
    await scene.logIn(chatgptFile(at));
    const prompt = `${TELLTALE} ${['env-key', 'header', 'bearer', 'mcp-header', 'otel'].map(at).join(' ')}`;
    const withLogin = ['model_provider=login', `model_providers.login.base_url="${echo.origin}"`];
    const withEcho = ['model_provider=echo'];
    const env = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${echo.origin}/oauth/token` };

    for (const [overrides, code] of [
      [[], 0],
      [withEcho, 1],
      [withLogin, 1],
    ] as const) {
      const argv = [...FREE, ...overrides.flatMap((setting) => ['-c', setting]), '--json', '-'];
      expect((await scene.run('exec', argv, { env, stdin: prompt })).code).toBe(code);
    }
    const ofCommand = sent(collector);
    expect([allOf(collector), scene.sentinels.in(Buffer.from(ofCommand)), ofCommand.includes(TELLTALE)]).toEqual([
      ['logs', 'metrics', 'traces'],
      ['otel'],
      true,
    ]);

    collector.exports.length = 0;
    const told: unknown[] = [];
    for (const overrides of [[], withEcho, withLogin])
      told.push(...(await runProgram(scene, { overrides, env, prompt })));
    const ofProgram = sent(collector);
    expect([allOf(collector), scene.sentinels.in(Buffer.from(ofProgram)), ofProgram.includes(TELLTALE)]).toEqual([
      ['logs', 'metrics', 'traces'],
      ['otel'],
      true,
    ]);
    expect(collector.violations).toEqual([]);
    // What the tool printed is for the program, as it is for the person.
    expect((await scene.leaks()).filter((leak) => !leak.startsWith('stdout of exec'))).toEqual([]);
    expect(told.length).toBeGreaterThan(3);
  },
  60_000,
);

/** The same turn in this process; gives events and errors. */
async function runProgram(
  scene: Scene,
  run: {
    readonly overrides: readonly string[];
    readonly env: Readonly<Record<string, string>>;
    readonly prompt: string;
  },
): Promise<readonly unknown[]> {
  const quire = new Quire({
    home: scene.home,
    environment: {
      PATH: process.env['PATH'],
      HOME: scene.workspace.root,
      SHELL: '/bin/sh',
      ...scene.variables,
      ...run.env,
    },
    configOverrides: run.overrides,
  });
  await using thread = await quire.startThread({
    workingDirectory: scene.workspace.project,
    skipGitRepoCheck: true,
    sandboxMode: 'danger-full-access',
  });
  const events: unknown[] = [];
  await thread.runPushed(run.prompt, { onEvent: (event) => events.push(event) });
  return events;
}

test.each([
  ['an error of the key', quotes(/* status */ 401)],
  ['an error of the request', quotes(/* status */ 400)],
  ['a page', quotesOnPage(/* status */ 403)],
  ['a failure in the stream', quotesInStream],
  ['a stream that is cut', cutsQuote],
])(
  'a program is told of a provider that quotes it in %s without secrets, in events and errors [SECRET-09]',
  async (_what, manner) => {
    await using server = await startEchoServer(manner);
    await using scene = await Scene.open(
      command,
      (at) => `${provider(at, server.origin)}${servers(at, server.origin)}`,
    );
    const { at } = scene;
    const environment = { PATH: process.env['PATH'], HOME: scene.workspace.root, SHELL: '/bin/sh', ...scene.variables };
    const refresh = `${server.origin}/oauth/token`;
    await scene.logIn(chatgptFile(at, new Date(0)));
    const programs: readonly ConstructorParameters<typeof Quire>[0][] = [
      {},
      { configOverrides: ['model_provider=bearer'] },
      { configOverrides: ['model_provider=login'] },
      { configOverrides: ['model_provider=login'], apiKey: at('api-key') },
      { configOverrides: [`model_providers.mine.http_headers={"x-gate-key"="${at('override')}"}`] },
      {
        configOverrides: ['model_provider=login'],
        tokens: {
          accessToken: `${encodeJwt({ exp: 4e9 })}${at('host-token')}`,
          accountId: 'account-1',
          refresh: () => Promise.reject(new Error(`no more: ${at('host-token')}`)),
        },
      },
    ];
    for (const options of programs) {
      const quire = new Quire({
        home: scene.home,
        environment: { ...environment, CODEX_REFRESH_TOKEN_URL_OVERRIDE: refresh },
        ...options,
      });
      await using thread = await quire.startThread({
        workingDirectory: scene.workspace.project,
        skipGitRepoCheck: true,
      });
      await thread.runPushed('Do it.', { onEvent: (event) => scene.look('an event', shown(event)) });
      const error = await thread.run('Do it again.').then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      scene.look('an error', shown(error));
    }
    expect(await scene.leaks()).toEqual([]);
    const seen = new Set(server.received.flatMap((heard) => scene.sentinels.in(Buffer.from(heard))));
    const expected = [
      'access-token',
      'api-key',
      'bearer',
      'env-key',
      'header',
      'host-token',
      'override',
      'refresh-token',
    ];
    expect(expected.filter((place) => !seen.has(place))).toEqual([]);
  },
  60_000,
);

/** All that a program can print of something: its texts, its stack and what caused it. */
const shown = (value: unknown): string => `${inspect(value, { depth: 12, showHidden: true })} ${JSON.stringify(value)}`;
