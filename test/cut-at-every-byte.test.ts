import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, stringAt } from '@quire/protocol';
import { cutAfterEvents, refuse, respond, Simulator, text } from '@quire/simulator';
import { afterAll, expect, test } from 'vitest';
import { bundleProgram } from './support/bundled-program.ts';
import { type Ended, parseEvents, runCommand } from './support/command-run.ts';
import { type Cut, startCutProvider } from './support/cut-provider.ts';
import { RIGHT_OUTCOME } from './support/cut-run.ts';
import { historyDigest } from './support/history-digest.ts';
import { inParallel } from './support/in-parallel.ts';
import { installCommand } from './support/installed-command.ts';
import {
  CALL_ID,
  eventBoundaries,
  FINAL,
  MESSAGE,
  RAN_FILE,
  REASONING,
  recordedAnswer,
} from './support/recorded-answer.ts';
import { runSweep, type Sweep } from './support/sweep.ts';
import { createWorkspace, onlyRollout, rolloutItems } from './support/workspace.ts';

const command = await installCommand();
/** Nothing but waiting, so it goes on beside the sweeps. */
const lostProvider = loseProvider();
afterAll(async () => {
  await lostProvider.catch(() => undefined); // its own test reports what is wrong with it
  await command[Symbol.asyncDispose]();
});

/** Processes at once on a machine of two cores. */
const AT_ONCE = 4;

/**
 * The sweep at every byte lets the model patch, which starts no process; the one in which a shell runs takes every
 * byte too with `QUIRE_SWEEP=full`.
 */
const IS_FULL = process.env['QUIRE_SWEEP'] === 'full';
const SHELL_STEP = IS_FULL ? 1 : 61;
/** Through the command, each offset is a process or two: every byte of it takes minutes. */
const COMMAND_STEP = IS_FULL ? 1 : 97;
const SWEEPS: readonly Sweep[] = [
  { tool: 'apply_patch', afterCut: 'replays', manner: 'drop', step: 1 },
  { tool: 'apply_patch', afterCut: 'continues', manner: 'drop', step: 1 },
  { tool: 'apply_patch', afterCut: 'replays', manner: 'end', step: 13 },
  { tool: 'apply_patch', afterCut: 'continues', manner: 'end', step: 17 },
  { tool: 'shell_command', afterCut: 'replays', manner: 'drop', step: SHELL_STEP },
  { tool: 'shell_command', afterCut: 'continues', manner: 'drop', step: SHELL_STEP },
];

test('in one process, an answer cut at any byte loses and doubles no item and runs its tool once, whatever comes after the cut [FAULT-01, FAULT-02, FAULT-03]', {
  timeout: 600_000,
}, async () => {
  await using program = await bundleProgram('cut-sweep');
  const reports = await inParallel(SWEEPS, /* limit */ 2, (sweep) => runSweep(program, sweep));
  expect(reports).toEqual(
    SWEEPS.map(({ tool, step }) => ({ runs: Math.floor(recordedAnswer(tool).bytes.length / step) + 1, wrong: {} })),
  );
});

test('through the command, an answer cut at a sample of bytes and around every event is printed and recorded once [FAULT-04]', {
  timeout: IS_FULL ? 1_800_000 : 120_000,
}, async () => {
  const { bytes } = recordedAnswer('shell_command');
  const sample = Array.from(
    { length: Math.floor(bytes.length / COMMAND_STEP) + 1 },
    (_, index) => index * COMMAND_STEP,
  );
  const around = eventBoundaries(bytes).flatMap((boundary) => [boundary - 1, boundary, boundary + 1]);
  const offsets = [...new Set([...sample, ...around])].filter((offset) => offset <= bytes.length).sort((a, b) => a - b);
  // Each offset is cut once in each mode, and once for each way of the provider to go on.
  const runs = offsets.flatMap((offset, index) => [
    { offset, mode: 'json', afterCut: index % 2 === 0 ? 'replays' : 'continues' } as const,
    { offset, mode: 'human', afterCut: index % 2 === 0 ? 'continues' : 'replays' } as const,
  ]);
  const observed = await inParallel(runs, AT_ONCE, runCommandCut);
  expect(observed.filter((outcome) => JSON.stringify(outcome.shown) !== JSON.stringify(outcome.right))).toEqual([]);
  expect(observed.length).toBeGreaterThan(100);
});

test('a provider that is gone for good after the cut keeps a run with default retries for less than half a minute [FAULT-26]', {
  timeout: 60_000,
}, async () => {
  const ended = await lostProvider;
  expect([ended.code, ended.signal]).toEqual([1, null]);
  expect(ended.tookMs).toBeLessThan(30_000);
  expect(ended.lingeredMs).toBeLessThan(1_000);
  const events = parseEvents(ended.stdout).map(({ type, message }) => `${type} ${message ?? ''}`.slice(0, 25).trim());
  expect(events).toEqual([
    'thread.started',
    'turn.started',
    ...[1, 2, 3, 4, 5].map((attempt) => `error Reconnecting... ${attempt}/5`),
    expect.stringMatching(/^error nothing accepts/),
    'turn.failed',
  ]);
});

async function loseProvider(): Promise<Ended> {
  await using simulator = await Simulator.start({
    // It dies at the first retry, which would not wait for a test that has seen the words about it.
    steps: [cutAfterEvents(/* eventCount */ 2, respond(text('Never whole.'))), refuse()],
  });
  await using workspace = await createWorkspace();
  const argv = ['--skip-git-repo-check', '--json', 'Go.'];
  return await runCommand({ command, workspace, url: simulator.url, argv, timeoutMs: 50_000 });
}

interface CommandCut {
  readonly offset: number;
  readonly mode: 'json' | 'human';
  readonly afterCut: Cut['afterCut'];
}

async function runCommandCut(run: CommandCut): Promise<{ readonly run: CommandCut; shown: unknown; right: unknown }> {
  const { mode, ...cut } = run;
  await using provider = await startCutProvider({ ...cut, tool: 'shell_command', manner: 'drop' });
  await using workspace = await createWorkspace();
  await writeFile(join(workspace.project, RAN_FILE), '');
  const modeOption = mode === 'json' ? ['--json'] : [];
  const argv = ['--skip-git-repo-check', '--yolo', ...modeOption, 'Add a line.'];
  const ended = await runCommand({ command, workspace, url: provider.url, argv });
  const shown = {
    code: ended.code,
    printed: mode === 'json' ? completedItems(ended.stdout) : [ended.stdout, ...shownBlocks(ended.stderr)],
    ran: await readFile(join(workspace.project, RAN_FILE), 'utf8'),
    record: historyDigest(await rolloutItems(await onlyRollout(workspace.home))),
    lastInput: historyDigest(provider.simulator.requests.at(-1)?.input ?? []),
    violations: provider.simulator.violations,
  };
  const { ran, record, lastInput, violations } = RIGHT_OUTCOME;
  const printed =
    mode === 'json'
      ? RIGHT_OUTCOME.events
      : [`${FINAL}\n`, `∴ ${REASONING}`, `• ${MESSAGE}`, `$ echo ran >> ${RAN_FILE}`, '  ✓ done', `• ${FINAL}`];
  return { run, shown, right: { code: 0, printed, ran, record, lastInput, violations } };
}

/** The completed items of a `--json` run, in the words of the digest. */
function completedItems(stdout: string): readonly string[] {
  return parseEvents(stdout).flatMap(({ type, item }) => {
    if (type !== 'item.completed' || !isJsonObject(item)) return [];
    const words = { agent_message: 'message', reasoning: 'reasoning' }[stringAt(item, 'type') ?? ''];
    if (words !== undefined) return [`${words} ${stringAt(item, 'text')}`];
    return [item['type'] === 'command_execution' ? `output ${CALL_ID}` : JSON.stringify(item)];
  });
}

/** The first line of each item in a transcript. */
function shownBlocks(stderr: string): readonly string[] {
  return stderr
    .split('\n')
    .filter((line) => /^(?:[∴•$±✗!]|ERROR| {2}[✓✗])/u.test(line))
    .map((line) => line.replace(/ in \d.*$/, ''));
}
