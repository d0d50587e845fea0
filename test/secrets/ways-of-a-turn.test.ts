/** Failures over each way to the model, what is kept and reported of them, and what other processes can see meanwhile. */
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  catalogEntry,
  cutAfterBytes,
  errorEvent,
  failed,
  functionCall,
  malformedEvent,
  rawBytes,
  rehearse,
  respond,
  respondExactly,
  Simulator,
  type Step,
  status,
  text,
} from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type InstalledCommand, installCommand } from '../support/installed-command.ts';
import { type At, chatgptFile, provider, Scene, servers } from './support/scene.ts';

let command: InstalledCommand;
beforeAll(async () => {
  command = await installCommand();
});
afterAll(() => command[Symbol.asyncDispose]());

/** What a server knows of who asks, in a text of its own. */
const quote = (at: At): string =>
  `refused: Bearer ${at('env-key')} x-gate-key=${at('header')} ${at('env-header')} ?subscription-key=${at('query')}`;

const FAULTS: readonly (readonly [string, (words: string) => Step])[] = [
  ['is cut', (words) => cutAfterBytes(/* byteCount */ 900, respond(text(`${words} `.repeat(20))))],
  ['is garbage', (words) => respondExactly(malformedEvent(`{"oops": "${words}`), rawBytes(`${words}\n\n`))],
  [
    'is an error event',
    (words) =>
      respondExactly(errorEvent({ code: 'bad', message: words }, { status: 400, headers: { 'x-echo': words } })),
  ],
  ['is a failure', (words) => respondExactly(failed({ code: 'server_error', message: words }))],
  [
    'is a refusal',
    (words) =>
      status(/* code */ 400, {
        headers: { 'x-request-id': words },
        body: { error: { code: words, message: words, param: words } },
      }),
  ],
];
const WAYS = {
  SSE: '',
  WebSocket: 'supports_websockets = true\n',
  'chat completions': 'wire_api = "chat"\n',
} as const;

describe.each(Object.entries(WAYS))('over %s', (_way, setting) => {
  test.each(FAULTS)(
    'an answer that %s and quotes what was sent shows and leaves no secret, in no kind of output [SECRET-10]',
    async (_fault, step) => {
      let words = '';
      await using sim = await Simulator.start({
        acceptsAnyClient: true,
        lenient: true,
        rules: rehearse(() => step(words)),
      });
      await using scene = await Scene.open(command, (at) =>
        provider(at, sim.url)
          .replace('[model_providers.login]', `${setting}stream_idle_timeout_ms = 500\n[model_providers.login]`)
          .replace('stream_max_retries = 1', 'stream_max_retries = 0'),
      );
      words = quote(scene.at);
      const free = ['--skip-git-repo-check', '-s', 'danger-full-access'];
      for (const argv of [[], ['--json', '--receipt']])
        expect([0, 1]).toContain((await scene.run('exec', [...free, ...argv, 'Do it.'])).code);
      expect(sim.requests.length).toBeGreaterThan(1);
      expect(JSON.stringify(sim.requests[0]?.headers)).toContain(scene.at('env-key'));
      expect(await scene.leaks()).toEqual([]);
    },
    60_000,
  );
});

test('what is kept and reported of a refused login holds no secret [SECRET-11]', async () => {
  await using sim = await Simulator.start({
    acceptsAnyClient: true,
    lenient: true,
    models: [catalogEntry('gpt-5.2-codex')],
    etag: '"list-1"',
    rules: rehearse(({ headers }) => {
      const words = JSON.stringify(headers);
      return status(/* code */ 401, {
        headers: { 'x-request-id': 'request-1', 'x-openai-authorization-error': words, 'cf-ray': words },
        body: { error: { code: words, message: words } },
      });
    }),
  });
  await using scene = await Scene.open(
    command,
    (at) => `chatgpt_base_url = "${sim.issuer}/backend-api"
${provider(at, sim.url)}${servers(at, 'http://127.0.0.1:1')}`,
  );
  const { at, home } = scene;
  const env = {
    CODEX_REFRESH_TOKEN_URL_OVERRIDE: 'http://127.0.0.1:1/oauth/token',
    OPENAI_ORGANIZATION: at('organization'),
    DEPLOY_TOKEN: at('deploy-token'),
  };
  await scene.logIn(chatgptFile(at));
  const login = ['-c', 'model_provider=login'];
  await scene.exec(login, { env });
  await scene.exec([], { env });
  const bundle = join(scene.workspace.root, 'bundle.json');
  const commands: readonly (readonly [string, ...string[]])[] = [
    ['status', ...login],
    ['status', ...login, '--json'],
    ['doctor', ...login, '--bundle', bundle],
    ['doctor', ...login, '--json'],
    ['doctor', '--json'],
    ['config', 'list', '--origin'],
    ['config', 'list', '--json'],
    ['mcp', 'list'],
    ['features', 'list'],
    ['login', 'status'],
    ['login', 'status', '--json'],
  ];
  for (const [name, ...argv] of commands) await scene.run(name, argv, { env });
  // They are there to be looked into.
  const kept = await readdir(home);
  const expected = ['last-401.json', 'models_cache.json', 'sessions'];
  expect(expected.filter((name) => !kept.includes(name))).toEqual([]);
  expect((await readFile(bundle, 'utf8')).length).toBeGreaterThan(1000);
  expect(await scene.leaks()).toEqual([]);
}, 120_000);

describe('the arguments of processes, which everybody on the machine can read, hold no secret', () => {
  test('while a command runs in the sandbox [SECRET-12]', async () => {
    const wait = 'touch ready; until [ -e go ]; do sleep 0.02; done';
    await using sim = await Simulator.start({
      acceptsAnyClient: true,
      steps: [respond(functionCall('call-1', 'exec_command', { cmd: wait, login: false })), respond(text('Done.'))],
    });
    await using scene = await Scene.open(
      command,
      (at) => `${provider(at, sim.url)}${servers(at, 'http://127.0.0.1:1')}[shell_environment_policy]
set = { DEPLOY_TOKEN = "${at('set')}" }
`,
    );
    const { project } = scene.workspace;
    const isReady = appears(project, 'ready');
    const running = scene.run('exec', ['--skip-git-repo-check', '-s', 'workspace-write', 'Do it.']);
    await isReady;
    const seen = commandLines();
    await writeFile(join(project, 'go'), '');
    expect((await running).code).toBe(0);
    scene.look('arguments', seen.join('\n'));
    expect(seen.some((line) => line.includes(wait))).toBe(true);
    expect(await scene.leaks()).toEqual([]);
  });

  test('while a login is renewed [SECRET-12]', async () => {
    await using sim = await Simulator.start({ acceptsAnyClient: true, oauth: {}, steps: [respond(text('Done.'))] });
    await using scene = await Scene.open(command, (at) => provider(at, sim.url));
    await scene.logIn(chatgptFile(scene.at, new Date(0)));
    const hold = sim.oauth.holdNext('token');
    const env = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${sim.issuer}/oauth/token` };
    const running = scene.run('exec', ['--skip-git-repo-check', '-c', 'model_provider=login', 'Do it.'], { env });
    await hold.arrived;
    const seen = commandLines();
    hold.release();
    await running;
    scene.look('arguments', seen.join('\n'));
    expect(seen.some((line) => line.includes('runRefreshProgram'))).toBe(true);
    expect(await scene.leaks()).toEqual([]);
  });
});

function commandLines(): readonly string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8');
    } catch {
      return []; // gone meanwhile
    }
  });
}

/** Resolves when the folder has the file. */
async function appears(folder: string, file: string): Promise<void> {
  for await (const { filename } of watch(folder)) if (filename === file) return;
}
