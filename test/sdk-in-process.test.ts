import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Quire } from '@quire/agent';
import { stringAt, type ThreadEvent, type TurnItem } from '@quire/protocol';
import { functionCall, type RecordedRequest, rehearse, respond, Simulator, text } from '@quire/simulator';
import { expect, test } from 'vitest';
import { bundleProgram } from './support/bundled-program.ts';
import { inParallel } from './support/in-parallel.ts';
import { eventually, MARK_VARIABLE, markedProcesses } from './support/processes.ts';
import { chooseSeed, createRandom } from './support/random.ts';
import { randomAnswer } from './support/random-answers.ts';
import { ABORTED_EVERY, THREADS, type ThreadsReport } from './support/threads-report.ts';
import { createWorkspace, rolloutPaths } from './support/workspace.ts';

test('twenty threads share a process, aborting and closing disturb nobody, and the process ends by itself [FAULT-80, FAULT-81, FAULT-82]', async () => {
  const rules = rehearse((request) => {
    if (request.toolOutputs.length > 0) return respond(text('Done.'));
    const isAborted = Number(/Thread (\d+)\./.exec(JSON.stringify(request.input))?.[1]) % ABORTED_EVERY === 0;
    const command = isAborted ? 'sleep 1000' : 'echo ran';
    return respond(functionCall('call-1', 'shell_command', { command, login: false, timeout_ms: 600_000 }));
  });
  await using simulator = await Simulator.start({ rules });
  await using workspace = await createWorkspace();
  await using program = await bundleProgram('many-threads');
  const mark = randomUUID();
  const { code, signal, stdout, stderr } = await runToEnd(
    [program.path, simulator.url, workspace.home, workspace.project],
    mark,
  );
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  const report = JSON.parse(stdout) as ThreadsReport;
  expect(report).toEqual({
    outcomes: Array.from({ length: THREADS }, (_, index) =>
      index % ABORTED_EVERY === 0 ? { kind: 'interrupted' } : { kind: 'completed', lastAgentMessage: 'Done.' },
    ),
    afterClose: 'closed',
    secondRun: 'busy',
    distinctThreads: THREADS,
  });
  expect(await rolloutPaths(workspace.home)).toHaveLength(THREADS + 1);
  expect(await eventually(() => markedProcesses(mark).length === 0, /* timeoutMs */ 10_000)).toBe(true);
});

/** The process gets no help to end; one that hangs is killed, which shows in its signal. */
function runToEnd(
  argv: readonly string[],
  mark: string,
): Promise<{
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}> {
  const child = spawn(process.execPath, argv, {
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh', [MARK_VARIABLE]: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Random turns; more with `QUIRE_TURNS`. */
const TURNS = Number(process.env['QUIRE_TURNS'] ?? 120);
const AT_ONCE = 24;

test('whatever the provider answers, the events of a turn keep their order and every action its end [FAULT-83, FAULT-84, FAULT-85]', {
  timeout: 60_000 + TURNS * 500,
}, async () => {
  const seed = chooseSeed();
  const problems: string[] = [];
  await using workspace = await createWorkspace();
  await using simulator = await Simulator.start({ rules: rehearse((request) => answer(request, seed)) });
  const quire = new Quire({
    home: workspace.home,
    environment: { PATH: process.env['PATH'], SHELL: '/bin/sh' },
    configOverrides: [
      'model_provider=mock',
      'model_providers.mock.name=mock',
      `model_providers.mock.base_url=${simulator.url}`,
      'model_providers.mock.stream_max_retries=2',
      'model_providers.mock.request_max_retries=0',
    ],
  });
  const kinds = await inParallel(
    Array.from({ length: TURNS }, (_, index) => index),
    AT_ONCE,
    async (index) => {
      await using thread = await quire.startThread({
        workingDirectory: workspace.project,
        sandboxMode: 'danger-full-access',
        skipGitRepoCheck: true,
      });
      const random = createRandom(seed + index);
      const abortAt = random() < 0.25 ? Math.floor(random() * 12) : Number.POSITIVE_INFINITY;
      const stop = new AbortController();
      const events: ThreadEvent[] = [];
      const onEvent = (event: ThreadEvent): void => {
        events.push(event);
        if (events.length > abortAt) stop.abort(new Error('enough'));
      };
      await thread.runPushed(`Turn ${index}.`, { signal: stop.signal, onEvent });
      problems.push(...orderProblems(events).map((problem) => `turn ${index}: ${problem}`));
      const last = events.at(-1);
      return last?.kind === 'turn-end' ? last.outcome.kind : 'none';
    },
  );
  expect([...problems, ...simulator.violations], `QUIRE_SEED=${seed}`).toEqual([]);
  expect(new Set(kinds)).toEqual(new Set(['completed', 'failed', 'interrupted']));
});

/** The same for the same seed, thread number and count of requests, however the threads interleave. */
const counts = new Map<string, number>();
function answer(request: RecordedRequest, seed: number): ReturnType<typeof randomAnswer> {
  const key = stringAt(request.body, 'prompt_cache_key') ?? '';
  const round = (counts.get(key) ?? 0) + 1;
  counts.set(key, round);
  const turn = Number(/Turn (\d+)\./.exec(JSON.stringify(request.input))?.[1]);
  return randomAnswer(createRandom(seed + turn * 1_000 + round), { label: `call-${turn}-${round}`, round });
}

/** Ways in which the events of one turn break their promise. */
function orderProblems(events: readonly ThreadEvent[]): readonly string[] {
  const problems: string[] = [];
  const kinds = events.map(({ kind }) => kind);
  if (kinds[0] !== 'turn-start' || kinds.lastIndexOf('turn-start') !== 0) problems.push(`starts with ${kinds[0]}`);
  if (kinds.indexOf('turn-end') !== kinds.length - 1) problems.push(`ends with ${kinds.at(-1)}`);
  const open = new Map<string, TurnItem>();
  const ended = new Set<string>();
  for (const event of events) {
    if (event.kind === 'item-start' && isAction(event.item)) {
      if (open.has(event.item.id)) problems.push(`${event.item.kind} ${event.item.id} is started twice`);
      open.set(event.item.id, event.item);
    }
    if (event.kind === 'item-update' && ended.has(event.item.id))
      problems.push(`${event.item.id} changes after its end`);
    if (event.kind !== 'item-end') continue;
    const { item } = event;
    if (ended.has(item.id)) problems.push(`${item.kind} ${item.id} ends twice`);
    ended.add(item.id);
    if (isAction(item) && !open.delete(item.id)) problems.push(`${item.kind} ${item.id} ends without a start`);
    if (isAction(item) && item.status === 'in-progress') problems.push(`${item.kind} ${item.id} ends in progress`);
  }
  for (const item of open.values()) problems.push(`${item.kind} ${item.id} has no end`);
  return problems;
}

function isAction(item: TurnItem): item is Extract<TurnItem, { kind: 'command-execution' | 'file-change' }> {
  return item.kind === 'command-execution' || item.kind === 'file-change';
}
