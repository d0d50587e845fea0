import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';
import {
  customToolCall,
  functionCall,
  type RecordedRequest,
  reasoning,
  respond,
  Simulator,
  status,
  text,
} from '@quire/simulator';
import { afterAll, expect, test } from 'vitest';
import { type Ended, parseEvents, runCommand } from './support/command-run.ts';
import { historyDigest } from './support/history-digest.ts';
import { installCommand } from './support/installed-command.ts';
import { createWorkspace, onlyRollout, rolloutItems, type Workspace } from './support/workspace.ts';

const command = await installCommand();
afterAll(() => command[Symbol.asyncDispose]());

const KEY = 'sk-sentinel-5f1c0a';
const SECRET = 'sentinel-variable-77aa';
const INSTRUCTIONS = 'Answer in the sentinel dialect.';

/** A first turn with tools, then a resumed one; credentials as of the built-in provider. */
async function twoTurns(workspace: Workspace, simulator: Simulator): Promise<readonly Ended[]> {
  const shared = {
    command,
    workspace,
    environment: { CODEX_API_KEY: KEY, QUIRE_TEST_SECRET: SECRET, OPENAI_ORGANIZATION: 'org-test' },
  };
  const options = ['--skip-git-repo-check', '--yolo', '--json', '-c', `openai_base_url=${simulator.url}`];
  const first = await runCommand({ ...shared, argv: [...options, 'First.'] });
  return [first, await runCommand({ ...shared, argv: [...options, 'resume', '--last', 'Second.'] })];
}

function startProvider(): Promise<Simulator> {
  return Simulator.start({
    expectAuthorization: `Bearer ${KEY}`,
    steps: [
      respond(
        reasoning('Look.', { encrypted: 'c2VhbGVk' }),
        text('Looking.'),
        functionCall('call-env', 'shell_command', {
          command: 'env | sort > ../environment.txt; echo seen',
          login: false,
        }),
        { headers: { 'x-codex-turn-state': 'sticky-1' } },
      ),
      respond(customToolCall('call-patch', 'apply_patch', '*** Begin Patch\n*** Add File: a.txt\n+a\n*** End Patch')),
      respond(text('First done.')),
      respond(text('Second done.')),
    ],
  });
}

const WHOLE_HISTORY = [
  'reasoning Look.',
  'message Looking.',
  'call call-env',
  'output call-env',
  'call call-patch',
  'output call-patch',
  'message First done.',
];

test('each request of a first, a tool and a resumed turn carries the documented headers and the whole history once [FAULT-70, FAULT-71]', async () => {
  await using simulator = await startProvider();
  await using workspace = await createWorkspace();
  const ended = await twoTurns(workspace, simulator);
  expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
    { code: 0, stderr: '' },
    { code: 0, stderr: '' },
  ]);
  const threadId = stringAt(parseEvents(ended[0]?.stdout ?? '')[0] ?? {}, 'thread_id') ?? '';
  const { requests } = simulator;
  expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual(Array(4).fill('POST /v1/responses'));
  expect(requests.map(({ input }) => historyDigest(input))).toEqual([
    [],
    WHOLE_HISTORY.slice(0, 4),
    WHOLE_HISTORY.slice(0, 6),
    WHOLE_HISTORY,
  ]);
  for (const { headers, body } of requests) {
    expect({
      accept: headers.accept,
      type: headers['content-type'],
      session: headers['session_id'],
      originator: headers['originator'],
      organization: headers['openai-organization'],
    }).toEqual({
      accept: 'text/event-stream',
      type: 'application/json',
      session: threadId,
      originator: 'quire_exec',
      organization: 'org-test',
    });
    expect(headers['user-agent']).toMatch(/^quire_exec\/\d+\.\d+\.\d+ \(.+\) \S/);
    const { model, stream, store, prompt_cache_key, include } = body;
    expect({ model, stream, store, prompt_cache_key, include }).toEqual({
      model: 'gpt-5.2-codex',
      stream: true,
      store: false,
      prompt_cache_key: threadId,
      include: ['reasoning.encrypted_content'],
    });
  }
  // The server's sticky state belongs to the turn in which it was given.
  expect(requests.map(({ headers }) => headers['x-codex-turn-state'])).toEqual([
    undefined,
    'sticky-1',
    'sticky-1',
    undefined,
  ]);
  expect(JSON.parse(ended[1]?.stdout.split('\n')[0] ?? '')).toEqual({ type: 'thread.started', thread_id: threadId });
  expect(historyDigest(await rolloutItems(await onlyRollout(workspace.home)))).toEqual([
    ...WHOLE_HISTORY,
    'message Second done.',
  ]);
});

test('the key of a run is in no file, no output and no environment of a command [FAULT-72]', async () => {
  await using simulator = await startProvider();
  await using workspace = await createWorkspace();
  const ended = await twoTurns(workspace, simulator);
  const environment = await readFile(join(workspace.root, 'environment.txt'), 'utf8');
  expect(environment).toContain(SECRET); // what is not a credential of ours is passed on
  expect(environment).not.toContain(KEY);
  expect(await filesHolding(workspace, KEY)).toEqual([]);
  expect(JSON.stringify(ended)).not.toContain(KEY);
  expect(simulator.requests.filter(({ rawBody }) => rawBody.includes(KEY))).toEqual([]);
});

test.each([
  [
    'the body of a refusal',
    status(/* code */ 401, { body: { error: { message: `the key ${KEY} is wrong`, code: 'invalid_api_key' } } }),
  ],
  ['the text of a refusal', status(/* code */ 400, { body: `forbidden: Bearer ${KEY}` })],
  ['a header of a refusal', status(/* code */ 400, { headers: { 'x-request-id': 'r-1', 'x-echo': KEY }, body: '{}' })],
])('a key that %s repeats is shown nowhere [FAULT-73]', async (_, step) => {
  await using simulator = await Simulator.start({ steps: [step] });
  await using workspace = await createWorkspace();
  const argv = ['--skip-git-repo-check', '-c', `openai_base_url=${simulator.url}`, 'Hi.'];
  const ended = await runCommand({ command, workspace, argv, environment: { CODEX_API_KEY: KEY, QUIRE_DEBUG: '1' } });
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/^ERROR: \S/m);
  expect(JSON.stringify(ended)).not.toContain(KEY);
  expect(await filesHolding(workspace, KEY)).toEqual([]);
});

test('the key of a configured variable is not passed to commands either [FAULT-74]', async () => {
  await using simulator = await Simulator.start({
    expectAuthorization: `Bearer ${KEY}`,
    steps: [
      respond(functionCall('call-1', 'shell_command', { command: 'env > ../environment.txt', login: false })),
      respond(text('Done.')),
    ],
  });
  await using workspace = await createWorkspace();
  const argv = ['--skip-git-repo-check', '--yolo', 'Hi.'];
  const ended = await runCommand({
    command,
    workspace,
    url: simulator.url,
    provider: ['env_key=MOCK_KEY'],
    argv,
    environment: { MOCK_KEY: KEY },
  });
  expect(ended.code).toBe(0);
  expect(await readFile(join(workspace.root, 'environment.txt'), 'utf8')).not.toContain(KEY);
});

test('instructions of the project reach the model, the nearest last, and are not repeated by a resumed turn [FAULT-75]', async () => {
  await using simulator = await Simulator.start({ steps: [respond(text('One.')), respond(text('Two.'))] });
  await using workspace = await createWorkspace();
  const inner = join(workspace.project, 'inner');
  await mkdir(join(workspace.project, '.git'));
  await mkdir(inner);
  await writeFile(join(workspace.project, 'AGENTS.md'), INSTRUCTIONS);
  await writeFile(join(inner, 'AGENTS.md'), 'Inner words.');
  const shared = { command, workspace, url: simulator.url };
  const options = ['--skip-git-repo-check', '-C', inner];
  await runCommand({ ...shared, argv: [...options, 'Hi.'] });
  await runCommand({ ...shared, argv: [...options, 'resume', '--last', 'Again.'] });
  for (const request of simulator.requests) {
    const texts = request.input.flatMap(userTexts).filter((content) => content.includes(INSTRUCTIONS));
    expect(texts).toHaveLength(1);
    expect(texts[0]).toMatch(new RegExp(`${INSTRUCTIONS}[^]*Inner words\\.`));
  }
  expect(simulator.requests).toHaveLength(2);
});

test('a project with a path of any characters makes legal headers and a body that names it [FAULT-76]', async () => {
  await using simulator = await Simulator.start({
    steps: [respond(functionCall('call-1', 'shell_command', { command: 'pwd', login: false })), respond(text('Done.'))],
  });
  const projectName = 'größe 計画 🙂 "quoted" \\ back\u00a0slash';
  await using workspace = await createWorkspace({ projectName });
  const argv = ['--skip-git-repo-check', '--yolo', '--json', 'Hi ✓.'];
  const ended = await runCommand({ command, workspace, url: simulator.url, argv });
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
  for (const { headers } of simulator.requests) {
    expect(Object.values(headers).filter((value) => !/^[\x20-\x7e\t]*$/.test(String(value)))).toEqual([]);
  }
  expect(simulator.requests[0]?.input.flatMap(userTexts).join('\n')).toContain(
    `/${projectName.replaceAll('"', '&quot;')}</cwd>`,
  );
  expect(simulator.requests[1]?.toolOutputs[0]?.output).toContain(`/${projectName}\n`);
});

test('a request that the provider redirects elsewhere does not take the key along [FAULT-77]', async () => {
  await using other = await Simulator.start({ steps: [respond(text('Hello from elsewhere.'))] });
  await using simulator = await Simulator.start({
    steps: [
      (request) => status(/* code */ 307, { headers: { location: `http://localhost:${other.port}${request.path}` } }),
    ],
  });
  await using workspace = await createWorkspace();
  const argv = ['--skip-git-repo-check', '-c', `openai_base_url=${simulator.url}`, 'Hi.'];
  await runCommand({ command, workspace, argv, environment: { CODEX_API_KEY: KEY } });
  expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  expect(simulator.requests.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${KEY}`]);
});

function userTexts(item: RecordedRequest['input'][number]): readonly string[] {
  const { role, content } = item;
  if (role !== 'user' || !Array.isArray(content)) return [];
  return content.filter((part): part is JsonObject => isJsonObject(part)).map((part) => stringAt(part, 'text') ?? '');
}

async function filesHolding(workspace: Workspace, needle: string): Promise<readonly string[]> {
  const names = await readdir(workspace.root, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return files.filter((_, index) => contents[index]?.includes(needle));
}

test('what was written to the cache is counted over the turns of a thread, also when it is resumed [EXEC-08]', async () => {
  const usage = { inputTokens: 100, cachedInputTokens: 20, cacheWriteInputTokens: 30, outputTokens: 5 };
  const { cacheWriteInputTokens: _, ...untold } = usage;
  const steps = [
    respond(text('One.'), { usage }),
    respond(text('Two.'), { usage: untold }),
    respond(text('Three.'), { usage }),
  ];
  await using simulator = await Simulator.start({ steps });
  await using workspace = await createWorkspace();
  const options = ['--skip-git-repo-check', '--json', '-c', `openai_base_url=${simulator.url}`];
  const counts: unknown[] = [];
  for (const rest of [['1'], ['resume', '--last', '2'], ['resume', '--last', '3']]) {
    const argv = [...options, ...rest];
    const { stdout } = await runCommand({ command, workspace, environment: { CODEX_API_KEY: KEY }, argv });
    const last = parseEvents(stdout).at(-1)?.['usage'];
    counts.push(isJsonObject(last) ? [last['input_tokens'], last['cache_write_input_tokens']] : last);
  }
  expect(counts).toEqual([
    [100, 30],
    [200, 30],
    [300, 60],
  ]);
});
