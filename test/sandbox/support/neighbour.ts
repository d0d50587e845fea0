import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { SERVER, VICTIM } from './beside.ts';

/** A process that lives beside an attempt and notices what is done to it. */
export interface Neighbour extends AsyncDisposable {
  /** What the attempt has to know of it, as variables. */
  readonly variables: Readonly<Record<string, string>>;
  /** What was done to it since it started, one line each. Asks, so everything that came before has been seen. */
  noticed(): Promise<readonly string[]>;
}

const ANSWER_MS = 20_000;
const INTERPRETER = 'perl';

export async function startServer(place: string, name: string): Promise<Neighbour> {
  const child = startPerl(SERVER, [`${place}/outside`, `${place}/root`, name, '/run']);
  const { lines, variables } = await firstLine(child);
  return {
    variables,
    noticed: async () => {
      await endOf(child);
      return lines;
    },
    [Symbol.asyncDispose]: () => endOf(child),
  };
}

export async function startVictim(place: string): Promise<Neighbour> {
  const child = startPerl(VICTIM, [`${place}/outside`]);
  const { lines, variables } = await firstLine(child);
  const before = stateOf(child.pid);
  return {
    variables,
    noticed: async () => {
      const state = stateOf(child.pid);
      const changes = state === before ? [] : [`state of the process: ${state}`];
      child.stdin.write('ask\n');
      await endOf(child);
      const intact = lines.filter((line) => line === `memory untouched-${'x'.repeat(54)}`);
      if (intact.length === 0) changes.push('its memory, or it has gone');
      return [...changes, ...lines.filter((line) => !intact.includes(line))];
    },
    [Symbol.asyncDispose]: () => endOf(child),
  };
}

function startPerl(script: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(INTERPRETER, ['-e', script, ...args], { stdio: 'pipe' });
  child.stdin.on('error', () => undefined); // it may have been killed, which is noticed otherwise
  return child;
}

/** The first line it says holds its variables; the lines behind it are gathered. */
async function firstLine(child: ChildProcessWithoutNullStreams): Promise<{
  readonly lines: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}> {
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString('utf8');
  });
  const first = await new Promise<string>((resolve, reject) => {
    reader.once('line', resolve);
    child.once('close', () => reject(new Error(`a process beside the attempt did not start: ${complaint}`)));
  });
  reader.on('line', (line) => lines.push(line));
  const pairs = first.split(' ').map((pair) => pair.split('=', 2));
  return { lines, variables: Object.fromEntries(pairs) };
}

/** It ends when it has nothing left to read. */
async function endOf(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'close', { signal: AbortSignal.timeout(ANSWER_MS) });
  child.stdin.end();
  await ended.catch(() => child.kill('SIGKILL'));
}

/** Limits, priority, policy, processors, score, tracer, root and names of a process: whatever others can change of it. */
function stateOf(pid: number | undefined): string {
  try {
    const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');
    const numbers = read('stat').split(') ')[1]?.split(' ') ?? [];
    // Behind the name: priority 15, nice 16, policy 38. Source: proc_pid_stat(5).
    const scheduling = [numbers[15], numbers[16], numbers[38]].join(' ');
    const status = read('status').match(/^(TracerPid|Cpus_allowed|NoNewPrivs):.*$/gm) ?? [];
    const parts = [read('limits'), scheduling, ...status, read('oom_score_adj'), read('cgroup')];
    return [...parts, readlinkSync(`/proc/${pid}/cwd`)].join('\n');
  } catch {
    return 'gone';
  }
}
