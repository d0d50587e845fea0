import { functionCall, type Output, respond, Simulator, type Step, text } from '@quire/simulator';
import { afterAll, expect, test } from 'vitest';
import { CommandRun, parseEvents } from './support/command-run.ts';
import { installCommand } from './support/installed-command.ts';
import { eventually, markedProcesses } from './support/processes.ts';
import { createWorkspace } from './support/workspace.ts';

const command = await installCommand();
afterAll(() => command[Symbol.asyncDispose]());

/** Far more than a pipe holds (64 KiB). */
const MESSAGES = 40;
/** From a signal to the end of a run whose output nobody takes, in milliseconds. Source: the promise of `exec`. */
const LIMIT_MS = 2_000;
const MESSAGE_LENGTH = 20_000;

function messageText(index: number): string {
  return `${index}: ${'ä✓'.repeat(MESSAGE_LENGTH / 2)}`;
}

/** Many messages, then `last`. */
function flood(...last: readonly Output[]): Step {
  return respond(...Array.from({ length: MESSAGES }, (_, index) => text(messageText(index))), ...last);
}

const ARGV = ['--skip-git-repo-check', '--yolo'];

test('a reader that begins late gets every event, none torn, and the run waits for it [FAULT-60]', async () => {
  await using simulator = await Simulator.start({ steps: [flood()] });
  await using workspace = await createWorkspace();
  await using run = new CommandRun({
    command,
    workspace,
    url: simulator.url,
    argv: [...ARGV, '--json', 'Go.'],
    leaveStdout: true,
  });
  expect(await simulator.outcome(/* index */ 0)).toBe('sent');
  run.readStdout();
  const closed = new Promise((resolve) => run.child.once('close', resolve));
  expect((await run.ended).code).toBe(0);
  await closed;
  const events = parseEvents(run.stdout);
  expect(events.map(({ type }) => type)).toEqual([
    'thread.started',
    'turn.started',
    ...Array.from({ length: MESSAGES }, () => 'item.completed'),
    'turn.completed',
  ]);
  expect(events.slice(2, -1).map(({ item }) => (item as { readonly text: string }).text)).toEqual(
    Array.from({ length: MESSAGES }, (_, index) => messageText(index)),
  );
});

test('a final message larger than the pipe arrives whole in human mode [FAULT-60]', async () => {
  const answer = 'ä✓'.repeat(500_000);
  await using simulator = await Simulator.start({ steps: [respond(text(answer))] });
  await using workspace = await createWorkspace();
  await using run = new CommandRun({
    command,
    workspace,
    url: simulator.url,
    argv: [...ARGV, 'Go.'],
    leaveStdout: true,
  });
  await run.saw('tokens used');
  run.readStdout();
  const closed = new Promise((resolve) => run.child.once('close', resolve));
  expect((await run.ended).code).toBe(0);
  await closed;
  expect(run.stdout === `${answer}\n`).toBe(true);
});

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const)('a reader that never reads does not keep a run after %s [FAULT-61]', async (signal, code) => {
  const sleep = functionCall('call-1', 'shell_command', { command: 'sleep 1000', login: false, timeout_ms: 600_000 });
  await using simulator = await Simulator.start({ steps: [flood(sleep)] });
  await using workspace = await createWorkspace();
  await using run = new CommandRun({
    command,
    workspace,
    url: simulator.url,
    argv: [...ARGV, '--json', 'Go.'],
    leaveStdout: true,
  });
  const isSleeping = () => markedProcesses(run.mark).some((facts) => facts.command.startsWith('sleep\0'));
  expect(await eventually(isSleeping, /* timeoutMs */ 10_000)).toBe(true);
  const signalledAt = performance.now();
  run.child.kill(signal);
  const ended = await run.ended;
  const tookMs = performance.now() - signalledAt;
  expect(tookMs).toBeLessThan(LIMIT_MS);
  expect([ended.code, ended.signal]).toEqual([code, null]);
  await eventually(() => markedProcesses(run.mark).length === 0, LIMIT_MS - tookMs);
  expect(markedProcesses(run.mark)).toEqual([]);
});

test('a stderr that nobody reads does not stop a run in json mode [FAULT-62]', async () => {
  await using simulator = await Simulator.start({ steps: [flood()] });
  await using workspace = await createWorkspace();
  await using run = new CommandRun({ command, workspace, url: simulator.url, argv: [...ARGV, '--json', 'Go.'] });
  run.child.stderr?.destroy();
  const ended = await run.ended;
  expect([ended.code, parseEvents(ended.stdout).at(-1)?.['type']]).toEqual([0, 'turn.completed']);
});

test('a stderr whose reader goes away does not stop a run in human mode [FAULT-62]', async () => {
  await using simulator = await Simulator.start({ steps: [flood(text('Final.'))] });
  await using workspace = await createWorkspace();
  await using run = new CommandRun({ command, workspace, url: simulator.url, argv: [...ARGV, 'Go.'] });
  run.child.stderr?.destroy();
  const ended = await run.ended;
  expect([ended.code, ended.stdout]).toEqual([0, 'Final.\n']);
});
