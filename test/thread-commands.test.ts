import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '@quire/protocol';
import { functionCall, respond, Simulator, type SimulatorOptions, type Step, stall, text } from '@quire/simulator';
import { afterAll, expect, test } from 'vitest';
import { CommandRun, type Ended, parseEvents, runCommand } from './support/command-run.ts';
import { installCommand } from './support/installed-command.ts';
import { createWorkspace, type Workspace } from './support/workspace.ts';

const command = await installCommand();
afterAll(() => command[Symbol.asyncDispose]());

/** A provider with a script, a workspace, and the command on both. */
async function start(
  steps: readonly Step[],
  options: Partial<SimulatorOptions> = {},
): Promise<{ readonly simulator: Simulator; readonly workspace: Workspace; readonly quire: Quire } & AsyncDisposable> {
  const simulator = await Simulator.start({ ...options, steps });
  const workspace = await createWorkspace();
  const quire: Quire = (name, ...argv) => runCommand({ command, workspace, url: simulator.url, name, argv });
  return {
    simulator,
    workspace,
    quire,
    [Symbol.asyncDispose]: async () => {
      await workspace[Symbol.asyncDispose]();
      await simulator[Symbol.asyncDispose]();
    },
  };
}

type Quire = (name: string, ...argv: readonly string[]) => Promise<Ended>;

const EXEC = ['--skip-git-repo-check', '--json'] as const;

function threadIdOf(ended: Ended): string {
  const [first] = parseEvents(ended.stdout);
  expect({ type: first?.['type'], stderr: ended.stderr }).toEqual({ type: 'thread.started', stderr: '' });
  return String(first?.['thread_id']);
}

/** Texts of the messages of people and model that a request carried, in order; context is left out. */
function saidIn(simulator: Simulator, index: number): readonly string[] {
  const input = simulator.requests[index]?.input ?? [];
  return input
    .flatMap((item) => (item['type'] === 'message' && item['role'] !== 'developer' ? textsOf(item) : []))
    .filter((said) => !said.startsWith('<'));
}

function textsOf(item: JsonObject): readonly string[] {
  const content = Array.isArray(item['content']) ? item['content'] : [];
  return content.flatMap((part) => (isJsonObject(part) && typeof part['text'] === 'string' ? [part['text']] : []));
}

function git(workspace: Workspace, ...argv: readonly string[]): void {
  execFileSync('git', ['-c', 'user.name=n', '-c', 'user.email=n@example.org', ...argv], {
    cwd: workspace.project,
    env: { PATH: process.env['PATH'], HOME: workspace.root },
    stdio: 'ignore',
  });
}

test('exec fork goes on in a thread of its own, and --before leaves out what was said later [EXEC-70, EXEC-71]', async () => {
  await using run = await start(['One.', 'Two.', 'Forked.', 'Forked earlier.'].map((said) => respond(text(said))));
  const first = await run.quire('exec', ...EXEC, 'First.');
  const id = threadIdOf(first);
  await run.quire('exec', ...EXEC, 'resume', id, 'Second.');

  const forked = await run.quire('exec', ...EXEC, 'fork', id, 'Other.');
  const earlier = await run.quire('exec', ...EXEC, 'fork', '--before', '1', id, 'Earlier.');

  expect([forked.code, earlier.code]).toEqual([0, 0]);
  expect(new Set([id, threadIdOf(forked), threadIdOf(earlier)]).size).toBe(3);
  expect(saidIn(run.simulator, /* index */ 2)).toEqual(['First.', 'One.', 'Second.', 'Two.', 'Other.']);
  expect(saidIn(run.simulator, /* index */ 3)).toEqual(['First.', 'One.', 'Earlier.']);
});

test('a fork before a message that nobody said is one line and exit code 1, and makes no thread [EXEC-91]', async () => {
  await using run = await start([respond(text('One.'))]);
  const id = threadIdOf(await run.quire('exec', ...EXEC, 'First.'));
  const line = 'quire: this thread has only one user message, which is number 0, to fork before, not 50\n';

  const forked = await run.quire('thread', 'fork', '--last', '--before', '50');
  const asked = await run.quire('exec', ...EXEC, 'fork', '--before', '50', id, 'Other.');
  const listed = await run.quire('thread', 'list', '--json');

  expect([forked, asked].map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual([
    [1, '', line],
    [1, '', line],
  ]);
  expect(parseEvents(listed.stdout).map((thread) => thread['thread_id'])).toEqual([id]);
  expect(run.simulator.requests).toHaveLength(1);
});

test('a thread that is not there, or was put away, is told while stdin is still open [EXEC-92]', async () => {
  await using run = await start([respond(text('One.'))]);
  const id = threadIdOf(await run.quire('exec', ...EXEC, 'First.'));
  await run.quire('archive', id);
  const { workspace, simulator } = run;
  const attempts = [
    ['resume', 'nothing-of-that-name'],
    ['resume', '--last'],
    ['resume', id],
    ['fork', 'nothing-of-that-name', '-'],
  ];
  for (const argv of attempts) {
    await using open = new CommandRun({
      command,
      workspace,
      url: simulator.url,
      name: 'exec',
      argv: [...EXEC, ...argv],
      stdin: 'pipe',
    });
    const { code, stdout, stderr } = await open.ended;
    expect({ argv, code, stdout, lines: stderr.match(/\n/g)?.length }).toEqual({ argv, code: 1, stdout: '', lines: 1 });
  }
});

test('threads whose first line is damaged are told in one line by a listing and by --last [THR-25]', async () => {
  await using run = await start(['One.', 'Two.', 'Three.', 'Four.', 'Again.'].map((said) => respond(text(said))));
  const damaged: string[] = [];
  const damageOne = async (said: string): Promise<void> => {
    const id = threadIdOf(await run.quire('exec', ...EXEC, said));
    const [shown] = parseEvents((await run.quire('thread', 'show', id, '--json')).stdout);
    const path = String(shown?.['path']);
    await writeFile(path, (await readFile(path, 'utf8')).replace(/^.*\n/, '{"type":"sess\n'));
    damaged.unshift(path);
  };
  await damageOne('First.');
  const id = /[0-9a-f-]{36}(?=\.jsonl$)/.exec(damaged[0] ?? '')?.[0];
  const one = `quire: 1 thread can not be listed: its first line is damaged: ${damaged[0]}; open it with quire exec resume ${id}\n`;
  const listed = [
    await run.quire('thread', 'list'),
    await run.quire('thread', 'list', '--json'),
    await run.quire('exec', ...EXEC, 'resume', '--last', 'go on'),
  ];
  expect(listed.map(({ code, stdout }) => [code, stdout])).toEqual([
    [0, ''],
    [0, ''],
    [1, ''],
  ]);
  for (const { stderr } of listed) expect(stderr.split(one)).toHaveLength(2);

  const good = threadIdOf(await run.quire('exec', ...EXEC, 'Good.'));
  for (const said of ['Second.', 'Third.']) await damageOne(said);
  const taken = await run.quire('exec', ...EXEC, 'resume', '--last', 'go on');
  expect([taken.code, parseEvents(taken.stdout)[0]?.['thread_id']]).toEqual([0, good]);
  expect(taken.stderr).toBe(
    `quire: 2 threads can not be listed: their first lines are damaged: ${damaged[0]}, ${damaged[1]}; open one with quire exec resume ID, which is the end of its file's name\n`,
  );
});

test('exec fork without a prompt prints the id of a thread that can be resumed [EXEC-72]', async () => {
  await using run = await start(['One.', 'Two.'].map((said) => respond(text(said))));
  const id = threadIdOf(await run.quire('exec', ...EXEC, 'First.'));

  const forked = await run.quire('exec', '--skip-git-repo-check', 'fork', '--last');

  expect(forked.stderr).toContain(`forked from ${id}`);
  await run.quire('exec', ...EXEC, 'resume', forked.stdout.trim(), 'Second.');
  expect(saidIn(run.simulator, /* index */ 1)).toEqual(['First.', 'One.', 'Second.']);
});

const FINDINGS = JSON.stringify({
  findings: [
    {
      title: '[P1] The sum is off by one',
      body: 'The loop ends too early.',
      confidence_score: 0.9,
      priority: 1,
      code_location: { absolute_file_path: '/srv/sum.js', line_range: { start: 1, end: 2 } },
    },
  ],
  overall_correctness: 'patch is incorrect',
  overall_explanation: 'The change breaks the sum.',
  overall_confidence_score: 0.9,
});
const RENDERED = 'The change breaks the sum.';

for (const name of ['exec', 'review']) {
  test(`${name === 'exec' ? 'exec review' : name} prints what the reviewer ran, then the findings as one message [EXEC-73, EXEC-75]`, async () => {
    await using run = await start([
      respond(functionCall('call-1', 'shell_command', { command: 'git diff', login: false })),
      respond(text(FINDINGS)),
    ]);
    const { workspace } = run;
    git(workspace, 'init', '-q');
    await writeFile(join(workspace.project, 'sum.js'), 'let sum = 0;\n');
    git(workspace, 'add', '.');
    git(workspace, 'commit', '-q', '-m', 'one');
    await writeFile(join(workspace.project, 'sum.js'), 'let sum = 1;\n');

    const argv = ['--yolo', '--json', '-o', join(workspace.root, 'review.txt'), '--uncommitted'];
    const ended = await run.quire(name, ...(name === 'exec' ? ['review'] : []), ...argv);

    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
    const events = parseEvents(ended.stdout);
    expect(
      events.map(({ type, item }) => (isJsonObject(item) ? `${type} ${item['id']} ${item['type']}` : type)),
    ).toEqual([
      'thread.started',
      'turn.started',
      'item.started item_0 command_execution',
      'item.completed item_0 command_execution',
      'item.completed item_1 agent_message',
      'turn.completed',
    ]);
    const message = events.at(-2)?.['item'];
    const said = isJsonObject(message) ? String(message['text']) : '';
    expect(said.startsWith(RENDERED)).toBe(true);
    expect(said).toContain('[P1] The sum is off by one');
  });
}

test('threads are listed, named, forked, rolled back and put away [THR-01, THR-03, THR-05, THR-06, THR-07, THR-08]', async () => {
  await using run = await start(['One.', 'Two.', 'Three.'].map((said) => respond(text(said))));
  const { quire } = run;
  const id = threadIdOf(await quire('exec', ...EXEC, 'First.'));
  await quire('exec', ...EXEC, 'resume', id, 'Second.');

  expect((await quire('thread', 'rename', id.slice(0, 13), 'mine')).stdout).toContain('named mine');
  const listed = await quire('thread', 'list', '--json');
  const [summary] = parseEvents(listed.stdout);
  expect([summary?.['thread_id'], summary?.['name'], summary?.['preview']]).toEqual([id, 'mine', 'First.']);
  expect((await quire('thread', 'list')).stdout).toBe(`${id}  now  mine\n`);

  expect((await quire('thread', 'rollback', 'mine', '1')).stdout).toBe(
    `${id}: its last turn was taken back; files stay as they are\n`,
  );
  const fork = (await quire('thread', 'fork', 'mine')).stdout.trim();
  await quire('exec', ...EXEC, 'resume', fork, 'Third.');
  expect(saidIn(run.simulator, /* index */ 2)).toEqual(['First.', 'One.', 'Third.']);

  expect((await quire('archive', 'mine')).code).toBe(0);
  const left = parseEvents((await quire('thread', 'list', '--json')).stdout);
  expect(left.map((line) => line['thread_id'])).toEqual([fork]);
  expect((await quire('unarchive', id)).code).toBe(0);
});

test('a shell command runs in a thread with its output on stdout, and the model hears of it [THR-13]', async () => {
  await using run = await start(['One.', 'Two.'].map((said) => respond(text(said))));
  const id = threadIdOf(await run.quire('exec', ...EXEC, 'First.'));

  const ended = await run.quire('thread', 'shell', id, 'echo from-shell; exit 3');

  expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 0, stdout: 'from-shell\n' });
  expect(ended.stderr).toContain('exit 3');
  await run.quire('exec', ...EXEC, 'resume', id, 'Second.');
  expect(JSON.stringify(run.simulator.requests[1]?.input)).toContain('from-shell');
});

test('a thread is compacted by its own command [THR-11]', async () => {
  await using run = await start(
    ['One.', 'A summary.', 'Two.'].map((said) => respond(text(said))),
    { expectLocalCompactions: true },
  );
  const id = threadIdOf(await run.quire('exec', ...EXEC, 'First.'));

  const ended = await run.quire('thread', 'compact', id);

  expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 0, stdout: '' });
  expect(ended.stderr).toContain('history summarised by the model');
  expect((await run.quire('exec', ...EXEC, 'resume', id, 'Second.')).code).toBe(0);
});

test('what can not be done with a thread is one line and exit code 1 [THR-14]', async () => {
  await using run = await start([respond(text('One.'))]);
  const id = threadIdOf(await run.quire('exec', ...EXEC, 'First.'));
  const attempts: readonly (readonly string[])[] = [
    ['show', 'nothing-of-that-name'],
    ['rename', 'nothing-of-that-name', 'x'],
    ['archive', 'nothing-of-that-name'],
    ['fork', 'nothing-of-that-name'],
    ['rollback', 'nothing-of-that-name', '1'],
    ['undo', id],
  ];
  for (const argv of attempts) {
    const ended = await run.quire('thread', ...argv);
    const lines = ended.stderr.split('\n').filter((line) => /^(?:quire|ERROR): /.test(line));
    expect({ argv, code: ended.code, lines: lines.length, stdout: ended.stdout }).toEqual({
      argv,
      code: 1,
      lines: 1,
      stdout: '',
    });
    expect(ended.stderr).not.toMatch(/internal error|\n {4}at /);
  }
});

test('the files that a turn changed are put back, and what was done is on stdout [THR-11]', async () => {
  const change = { command: 'echo new > made.txt; echo changed > sum.js', login: false };
  await using run = await start([respond(functionCall('call-1', 'shell_command', change)), respond(text('Done.'))]);
  const { project } = run.workspace;
  git(run.workspace, 'init', '-q');
  await writeFile(join(project, 'sum.js'), 'let sum;\n');
  const undo = ['-c', 'features.undo=true'];
  const id = threadIdOf(await run.quire('exec', '--yolo', '--json', ...undo, 'Change it.'));
  expect((await readdir(project)).sort()).toEqual(['.git', 'made.txt', 'sum.js']);

  const ended = await run.quire('thread', 'undo', ...undo, id);

  expect([ended.code, /^.*2 files.*\n$/.test(ended.stdout)]).toEqual([0, true]);
  expect((await readdir(project)).sort()).toEqual(['.git', 'sum.js']);
  expect(await readFile(join(project, 'sum.js'), 'utf8')).toBe('let sum;\n');
});

test('a thread that another process has open is named in one line [THR-14]', async () => {
  await using run = await start([respond(text('One.')), stall()]);
  const { workspace, simulator } = run;
  const id = threadIdOf(await run.quire('exec', ...EXEC, 'First.'));
  const argv = [...EXEC, 'resume', id, 'Second.'];
  await using busy = new CommandRun({ command, workspace, url: simulator.url, argv });
  await simulator.request(/* index */ 1);

  for (const words of [
    ['rollback', id, '1'],
    ['compact', id],
    ['shell', id, 'true'],
  ]) {
    const ended = await run.quire('thread', ...words);
    expect([ended.code, ended.stdout, ended.stderr.trimEnd().split('\n').length]).toEqual([1, '', 1]);
    expect(ended.stderr).toContain(String(busy.child.pid));
  }
  busy.child.kill('SIGINT');
  expect((await busy.ended).code).toBe(130);
});

test('Ctrl-C interrupts a review, with its terminal event and the code of the signal [EXEC-30, EXEC-73]', async () => {
  await using run = await start([stall()]);
  const { workspace, simulator } = run;
  git(workspace, 'init', '-q');
  await writeFile(join(workspace.project, 'sum.js'), 'let sum;\n');
  const argv = ['--json', '--uncommitted'];
  await using review = new CommandRun({ command, workspace, url: simulator.url, name: 'review', argv });
  await simulator.request(/* index */ 0);

  review.child.kill('SIGINT');

  const ended = await review.ended;
  expect([ended.code, parseEvents(ended.stdout).map(({ type }) => type)]).toEqual([
    130,
    ['thread.started', 'turn.started', 'turn.interrupted'],
  ]);
});
