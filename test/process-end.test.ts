import { setTimeout } from 'node:timers/promises';
import { failed, functionCall, reasoning, respond, Simulator, type Step, stall, text } from '@quire/simulator';
import { afterAll, describe, expect, test } from 'vitest';
import { CommandRun, type Ended, eventTypes, parseEvents, type RunOptions } from './support/command-run.ts';
import { createGate } from './support/gate.ts';
import { inParallel } from './support/in-parallel.ts';
import { installCommand } from './support/installed-command.ts';
import { eventually, markedProcesses, watchdogsOf } from './support/processes.ts';
import { createWorkspace } from './support/workspace.ts';

const command = await installCommand();
afterAll(() => command[Symbol.asyncDispose]());

/** Longest time between the last output of a process and its exit, in milliseconds. Source: the promise of `exec`. */
const LINGER_LIMIT_MS = 1_000;
/** After one signal a run waits at least so long for whoever takes no output, in milliseconds. Source: `docs/exec.md`. */
const READER_LIMIT_MS = 1_000;
/** Children at a time on a machine of two cores. */
const AT_ONCE = 4;
/** Nothing answers there. A port that was free a moment ago may be a server of another test by now. */
const NOWHERE = 'http://127.0.0.1:9/v1';
const MODES = ['json', 'human'] as const;
type Mode = (typeof MODES)[number];

interface Situation {
  readonly name: string;
  readonly step: () => Step;
  /** Resolves when the run is in the situation. */
  readonly reached: (run: CommandRun, simulator: Simulator) => Promise<unknown>;
}

const SITUATIONS: readonly Situation[] = [
  {
    name: 'waiting for the model',
    step: () => stall(),
    reached: (_run, simulator) => simulator.request(/* index */ 0),
  },
  {
    name: 'in the middle of an answer',
    step: () => stall({ afterEvents: 7 }, respond(reasoning('Half way.'), text('Never whole.', { chunks: 3 }))),
    reached: (run) => run.saw('Half way.'),
  },
  {
    name: 'while a tool runs',
    step: () => respond(sleepCall('call-1'), sleepCall('call-2')),
    reached: async (run) =>
      expect(await eventually(() => sleepersOf(run).length === 4, /* timeoutMs */ 10_000), 'the tools started').toBe(
        true,
      ),
  },
  {
    name: 'in a retry back-off',
    step: () => respond(failed({ code: 'rate_limit_exceeded', message: 'Rate limited. Please try again in 28s.' })),
    reached: (run) => run.saw('Rate limited.'),
  },
];

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

function sleepCall(callId: string): ReturnType<typeof functionCall> {
  const script = 'sleep 1000 & setsid sleep 1000';
  return functionCall(callId, 'shell_command', { command: script, login: false, timeout_ms: 600_000 });
}

function sleepersOf(run: CommandRun): readonly unknown[] {
  return markedProcesses(run.mark).filter((facts) => facts.command.startsWith('sleep\0'));
}

type StartOptions = Omit<RunOptions, 'command' | 'argv'> & { readonly mode: Mode };

function start({ mode, ...options }: StartOptions): CommandRun {
  const argv = ['--skip-git-repo-check', '--yolo', ...(mode === 'json' ? ['--json'] : []), 'Go.'];
  return new CommandRun({ ...options, command, argv });
}

/** What holds for every end. */
async function expectClean(ended: Ended, run: CommandRun): Promise<void> {
  expect(ended.signal).toBe(null);
  expect(ended.lingeredMs).toBeLessThan(LINGER_LIMIT_MS);
  const left = () => [...markedProcesses(run.mark), ...watchdogsOf(run.child.pid ?? 0)];
  // They have the same second; one that was killed may take a moment to go.
  await eventually(() => left().length === 0, LINGER_LIMIT_MS - ended.lingeredMs);
  expect(left(), 'processes left').toEqual([]);
}

function expectInterrupted(ended: Ended, mode: Mode): void {
  if (mode === 'human') {
    expect(ended.stdout).toBe('');
    expect(ended.stderr).toContain('■ interrupted');
    return;
  }
  expect(terminalEvents(ended.stdout)).toEqual([{ type: 'turn.interrupted' }]);
  expect(parseEvents(ended.stdout).at(-1)).toEqual({ type: 'turn.interrupted' });
  const started = parseEvents(ended.stdout).filter(({ type }) => type === 'item.started').length;
  expect(eventTypes(ended.stdout).filter((type) => type === 'item.completed').length).toBeGreaterThanOrEqual(started);
  expect(ended.stderr).toBe('');
}

function terminalEvents(stdout: string): readonly unknown[] {
  return parseEvents(stdout).filter(({ type }) =>
    ['turn.completed', 'turn.failed', 'turn.interrupted'].includes(String(type)),
  );
}

describe.each(SIGNALS)('%s', (signal, code) => {
  test.each(SITUATIONS)(
    '$name ends the turn, the process and all children with the documented code [FAULT-20, FAULT-21, FAULT-22]',
    async ({ step, reached }) => {
      await inParallel(MODES, AT_ONCE, async (mode) => {
        await using simulator = await Simulator.start({ steps: [step()] });
        await using workspace = await createWorkspace();
        await using run = start({ mode, workspace, url: simulator.url });
        await reached(run, simulator);
        run.child.kill(signal);
        const ended = await run.ended;
        expect(ended.code).toBe(code);
        await expectClean(ended, run);
        expectInterrupted(ended, mode);
        expect(['client-left', 'sent']).toContain(await simulator.outcome(/* index */ 0));
      });
    },
  );
});

test('a second Ctrl-C leaves at once, even when nobody takes the output [FAULT-23]', async () => {
  await using simulator = await Simulator.start({
    steps: [respond(text('x'.repeat(1_000_000)), sleepCall('call-1'))],
  });
  await using workspace = await createWorkspace();
  await using run = start({ mode: 'json', workspace, url: simulator.url, leaveStdout: true });
  expect(await eventually(() => sleepersOf(run).length === 2, /* timeoutMs */ 10_000)).toBe(true);
  const firstAt = performance.now();
  run.child.kill('SIGINT');
  expect(await eventually(() => sleepersOf(run).length === 0, /* timeoutMs */ 10_000)).toBe(true);
  await setTimeout(60); // two signals within 50 ms count as one press
  run.child.kill('SIGINT');
  const ended = await run.ended;
  expect(performance.now() - firstAt).toBeLessThan(READER_LIMIT_MS);
  expect([ended.code, ended.signal]).toEqual([130, null]);
  expect(
    await eventually(
      () => watchdogsOf(run.child.pid ?? 0).length + markedProcesses(run.mark).length === 0,
      /* timeoutMs */ 2_000,
    ),
  ).toBe(true);
});

describe('a reader of stdout that goes away', () => {
  test('ends a run with events and kills its tools [FAULT-24]', async () => {
    const gate = createGate();
    await using simulator = await Simulator.start({
      steps: [() => gate.opened.then(() => respond(text('One more.'), sleepCall('call-1')))],
    });
    await using workspace = await createWorkspace();
    await using run = start({ mode: 'json', workspace, url: simulator.url });
    await run.saw('turn.started');
    run.child.stdout?.destroy();
    const closedAt = performance.now();
    gate.open();
    const ended = await run.ended;
    expect(ended.code).toBe(141);
    expect(performance.now() - closedAt).toBeLessThan(2_000);
    await expectClean({ ...ended, lingeredMs: 0 }, run);
    expect(ended.stderr).toBe('');
  });

  test('is noticed with the answer in human mode [FAULT-24]', async () => {
    const gate = createGate();
    await using simulator = await Simulator.start({ steps: [() => gate.opened.then(() => respond(text('Done.')))] });
    await using workspace = await createWorkspace();
    await using run = start({ mode: 'human', workspace, url: simulator.url });
    await simulator.request(/* index */ 0);
    run.child.stdout?.destroy();
    gate.open();
    const ended = await run.ended;
    expect(ended.code).toBe(141);
    await expectClean(ended, run);
  });
});

describe('a provider that is killed', () => {
  const CASES = [
    { provider: ['stream_max_retries=0', 'request_max_retries=0'], retries: 0 },
    { provider: ['stream_max_retries=1', 'request_max_retries=0'], retries: 1 },
    { provider: ['stream_max_retries=1', 'request_max_retries=1'], retries: 1 },
  ];

  test.each(CASES)(
    'in the middle of an answer fails the turn after $retries retries: $provider [FAULT-25]',
    async ({ provider, retries }) => {
      await inParallel(MODES, AT_ONCE, async (mode) => {
        await using simulator = await Simulator.start({
          steps: [stall({ afterEvents: 7 }, respond(reasoning('Half way.'), text('Never.')))],
        });
        await using workspace = await createWorkspace();
        await using run = start({ mode, workspace, url: simulator.url, provider });
        await run.saw('Half way.');
        simulator.refuseConnections();
        expectFailed(await run.ended, { mode, retries });
        await expectClean(await run.ended, run);
      });
    },
  );

  test.each(CASES)(
    'before the first request fails the turn after $retries retries: $provider [FAULT-25]',
    async ({ provider, retries }) => {
      await inParallel(MODES, AT_ONCE, async (mode) => {
        await using workspace = await createWorkspace();
        await using run = start({ mode, workspace, url: NOWHERE, provider });
        expectFailed(await run.ended, { mode, retries });
        await expectClean(await run.ended, run);
      });
    },
  );
});

function expectFailed(ended: Ended, expected: { readonly mode: Mode; readonly retries: number }): void {
  expect(ended.code).toBe(1);
  if (expected.mode === 'human') {
    expect(ended.stdout).toBe('');
    expect(ended.stderr.match(/^ERROR: \S.*$/gm)).toHaveLength(1);
    expect(ended.stderr.match(/^↻ /gm) ?? []).toHaveLength(expected.retries);
    return;
  }
  const events = parseEvents(ended.stdout);
  expect(terminalEvents(ended.stdout)).toHaveLength(1);
  expect(events.at(-1)?.['type']).toBe('turn.failed');
  const reconnecting = events.filter(({ message }) => String(message).startsWith('Reconnecting... '));
  expect(reconnecting).toHaveLength(expected.retries);
  expect(ended.stderr).toMatch(/^quire: \S.*\n$/);
}
