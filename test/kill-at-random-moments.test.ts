import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';
import { Simulator } from '@quire/simulator';
import { afterAll, expect, test } from 'vitest';
import { BUSY_FINAL, busyTurn } from './support/busy-turn.ts';
import { CommandRun, eventTypes, parseEvents, type RunOptions } from './support/command-run.ts';
import { historyDigest } from './support/history-digest.ts';
import { inParallel } from './support/in-parallel.ts';
import { installCommand } from './support/installed-command.ts';
import { eventually, isAlive, markedProcesses, watchdogsOf } from './support/processes.ts';
import { chooseSeed, createRandom } from './support/random.ts';
import { createWorkspace, readRolloutLines, rolloutPaths, type Workspace } from './support/workspace.ts';

const command = await installCommand();
afterAll(() => command[Symbol.asyncDispose]());

/** `QUIRE_KILLS=200` is the full run. */
const KILLS = Number(process.env['QUIRE_KILLS'] ?? 24);
const AT_ONCE = 4;
const ORPHAN_LIMIT_MS = 2_000;
/** For folders, of which no time is promised. */
const SWEEP_LIMIT_MS = 10_000;
const SHELLS = ['/bin/bash', '/bin/sh'] as const;

/** What killed runs left among the temporary files. */
const litter: string[] = [];

test('kill -9 at any moment loses nothing that was acknowledged, leaves no process and a thread that resumes [FAULT-10, FAULT-11, FAULT-12, FAULT-13]', {
  timeout: 60_000 + KILLS * 2_000,
}, async () => {
  const seed = chooseSeed();
  const random = createRandom(seed);
  const wholeMs = Math.max(...(await inParallel(SHELLS, AT_ONCE, (shell) => runWhole(shell))));
  const kills = Array.from({ length: KILLS }, (_, index) => ({
    shell: SHELLS[index % SHELLS.length] ?? SHELLS[0],
    afterMs: random() * wholeMs,
    secret: Math.floor(random() * 1e12),
  }));
  const failures: string[] = [];
  const stages = await inParallel(kills, AT_ONCE, async (kill) => {
    try {
      return await killAndResume(kill);
    } catch (error) {
      failures.push(`after ${Math.round(kill.afterMs)} ms of ${kill.shell}: ${String(error)}`);
      return undefined;
    }
  });
  expect(failures, `${failures.length} of ${KILLS} kills, QUIRE_SEED=${seed}`).toEqual([]);
  expect(new Set(stages).size, `QUIRE_SEED=${seed}: all kills hit the same stages`).toBeGreaterThan(2);
});

test('kill -9 at any moment leaves nothing in the folder for temporary files [FAULT-14]', () => {
  expect(litter).toEqual([]);
});

interface Kill {
  readonly shell: string;
  readonly afterMs: number;
  readonly secret: number;
}

/** How long the turn takes when nobody kills it, with as many others beside it. */
async function runWhole(shell: string): Promise<number> {
  await using simulator = await Simulator.start({ rules: busyTurn('98765') });
  await using workspace = await createBusyWorkspace();
  await using run = new CommandRun(optionsFor({ workspace, simulator, shell }, ['Work.']));
  const ended = await run.ended;
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  expect(await eventually(() => markedProcesses(run.mark).length === 0, ORPHAN_LIMIT_MS)).toBe(true);
  return ended.tookMs;
}

/** @returns how far the run had come */
async function killAndResume({ shell, afterMs, secret }: Kill): Promise<number> {
  const sleepSeconds = `9${secret}`;
  await using simulator = await Simulator.start({ rules: busyTurn(sleepSeconds) });
  await using workspace = await createBusyWorkspace();
  const context = { workspace, simulator, shell };
  await using run = new CommandRun(optionsFor(context, ['Work.']));
  await setTimeout(afterMs); // the moment is what the test is about
  const watchdogs = watchdogsOf(run.child.pid ?? 0);
  const hasEnded = run.child.exitCode !== null || run.child.signalCode !== null;
  const exited = hasEnded ? undefined : once(run.child, 'exit');
  run.child.kill('SIGKILL');
  await exited; // from then on the others have their time
  await expectNoOrphans(() => [
    ...markedProcesses(run.mark),
    ...markedProcesses(sleepSeconds),
    ...watchdogs.filter(isAlive),
  ]);
  const { stdout } = await run.ended;
  const acknowledged = parseEvents(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
  await eventually(() => leftovers(workspace).length === 0, SWEEP_LIMIT_MS); // the watching process removes them last
  litter.push(...leftovers(workspace).map((name) => `${name} after ${Math.round(afterMs)} ms`));

  const threadId = acknowledged.find(({ type }) => type === 'thread.started')?.['thread_id'];
  const [path] = await rolloutPaths(workspace.home);
  if (path === undefined) {
    expect(acknowledged).toEqual([]);
    return 0;
  }
  const lines = await readRolloutLines(path);
  expect(missing(acknowledged, lines)).toEqual([]);
  if (typeof threadId !== 'string') return 1;

  await using resumed = new CommandRun(optionsFor(context, ['resume', threadId, 'Go on.']));
  const ended = await resumed.ended;
  expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: '' });
  expect(eventTypes(ended.stdout).at(-1)).toBe('turn.completed');
  expect(simulator.violations).toEqual([]);
  expect(await readRolloutLines(path).then((now) => now.slice(0, lines.length))).toEqual(lines);
  expect(historyDigest(itemsOf(await readRolloutLines(path))).at(-1)).toBe(`message ${BUSY_FINAL}`);
  await expectNoOrphans(() => [...markedProcesses(resumed.mark), ...markedProcesses(sleepSeconds)]);
  return 2 + lines.length;
}

async function expectNoOrphans(
  find: () => readonly { readonly pid: number; readonly command: string }[],
): Promise<void> {
  await eventually(() => find().length === 0, ORPHAN_LIMIT_MS);
  const orphans = find();
  for (const { pid } of orphans) process.kill(pid, 'SIGKILL');
  expect(orphans.map(({ pid, command }) => `${pid} ${command.replaceAll('\0', ' ')}`)).toEqual([]);
}

interface RunContext {
  readonly workspace: Workspace;
  readonly simulator: Simulator;
  readonly shell: string;
}

function optionsFor({ workspace, simulator, shell }: RunContext, target: readonly string[]): RunOptions {
  const argv = ['--skip-git-repo-check', '--yolo', '--json', ...target];
  return { command, workspace, url: simulator.url, argv, environment: { SHELL: shell } };
}

/** With startup files that make the login state need a file of its own. */
async function createBusyWorkspace(): Promise<Workspace> {
  const workspace = await createWorkspace();
  await writeFile(join(workspace.root, '.bash_profile'), 'left() { :; }\n');
  return workspace;
}

/** Private folders of a run that nobody removed. */
function leftovers(workspace: Workspace): readonly string[] {
  return readdirSync(workspace.root).filter((name) => name.startsWith('quire-'));
}

function itemsOf(lines: readonly JsonObject[]): readonly JsonObject[] {
  return lines.flatMap(({ type, payload }) => (type === 'response_item' && isJsonObject(payload) ? [payload] : []));
}

/** Acknowledged events that the rollout does not hold, as texts. */
function missing(acknowledged: readonly JsonObject[], lines: readonly JsonObject[]): readonly string[] {
  const recorded = historyDigest(itemsOf(lines));
  const holds = (wanted: string): boolean => {
    const index = recorded.indexOf(wanted);
    if (index === -1) return false;
    (recorded as string[]).splice(index, 1); // each entry vouches for one event
    return true;
  };
  return acknowledged.filter((event) => !expectedEntries(event).every(holds)).map((event) => JSON.stringify(event));
}

function expectedEntries({ type, item }: JsonObject): readonly string[] {
  if ((type !== 'item.completed' && type !== 'item.started') || !isJsonObject(item)) return [];
  const isStarted = type === 'item.started';
  switch (item['type']) {
    case 'agent_message':
      return [`message ${stringAt(item, 'text')}`];
    case 'reasoning':
      return [`reasoning ${stringAt(item, 'text')}`];
    case 'command_execution':
    case 'file_change':
      return [`${isStarted ? 'call' : 'output'} ${/call-\w/.exec(JSON.stringify(item))?.[0]}`];
    default:
      throw new Error(`unexpected item ${JSON.stringify(item)}`);
  }
}
