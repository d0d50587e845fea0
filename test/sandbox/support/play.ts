import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import {
  createSandbox,
  type Sandbox,
  type SandboxBackendName,
  type SandboxedStart,
  type SandboxRequest,
} from '@quire/host';
import { MARK_VARIABLE, markedProcesses } from '../../support/processes.ts';
import type { Attempt, CommandStep } from './attempt.ts';
import { TERMINAL } from './beside.ts';
import { perlPrelude } from './perl-prelude.ts';
import { type Stage, setStage } from './stage.ts';

/** `traces`: what was achieved outside. `said`: the end of what the commands printed, for people. */
export interface Outcome {
  readonly traces: readonly string[];
  readonly said: string;
}

const STEP_MS = 8_000;
const SAID_LENGTH = 400;

type Command = Pick<SandboxRequest, 'argv' | 'cwd' | 'environment'>;

/** What is started, with the sandbox or without. */
type Started = Omit<Extract<SandboxedStart, { readonly kind: 'ready' }>, 'kind'>;

/** The sandboxes of two programs that run side by side, each for all of its commands. */
export type Owners = Readonly<Record<'first' | 'second', Sandbox>>;

export function createOwners(backend: SandboxBackendName): Owners {
  const options = { backend, allowedHosts: ['allowed.invalid'] };
  return { first: createSandbox(options), second: createSandbox(options) };
}

/** Plays an attempt in a place of its own. @param owners absent: nothing confines it */
export async function play(attempt: Attempt, owners?: Owners): Promise<Outcome> {
  await using stage = await setStage(attempt);
  const run = new Run(attempt, stage, owners);
  try {
    await run.all();
  } finally {
    run.endAll();
  }
  return { traces: await stage.traces(), said: run.said.slice(-SAID_LENGTH) };
}

class Run {
  said = '';
  readonly #attempt: Attempt;
  readonly #stage: Stage;
  readonly #owners: Owners | undefined;

  constructor(attempt: Attempt, stage: Stage, owners: Owners | undefined) {
    this.#attempt = attempt;
    this.#stage = stage;
    this.#owners = owners;
  }

  async all(): Promise<void> {
    const running: Promise<void>[] = [];
    for (const step of this.#attempt.steps) {
      const started = await this.#start(typeof step === 'string' ? { sh: step } : step);
      if (typeof step !== 'string' && step.runsOn) running.push(started.ended);
      else await started.ended;
    }
    await Promise.all(running);
  }

  /** Ends what is left over, by id. */
  endAll(): void {
    for (const { pid } of markedProcesses(markOf(this.#stage.place))) kill(pid);
  }

  /** Resolves when it has been started; `ended` when it and all that hold its output have ended. */
  async #start(step: CommandStep): Promise<{ readonly ended: Promise<void> }> {
    const argv = step.perl === undefined ? ['/bin/sh', '-c', step.sh ?? ''] : ['perl', '-e', perlPrelude() + step.perl];
    const environment = this.#environment();
    const cwd = join(this.#stage.place, this.#attempt.cwd ?? 'root');
    const command = { argv, cwd, environment };
    const sandbox = step.by === 'outside' ? undefined : this.#owners?.[step.owner ?? 'first'];
    const start = sandbox === undefined ? this.#plain(step, command) : await this.#wrap(sandbox, command);
    const child = this.#spawn(step, cwd, start);
    child.once('exit', start.release);
    return { ended: this.#end(child) };
  }

  #plain({ inherits }: CommandStep, { argv: [path = '', ...args], environment }: Command): Started {
    const extraFds = inherits === undefined ? [] : [openSync(join(this.#stage.place, inherits), 'r')];
    return { path, args, environment, extraFds, release: () => extraFds.forEach((fd) => void closeSync(fd)) };
  }

  async #wrap(sandbox: Sandbox, command: Command): Promise<Started> {
    const writableRoots = (this.#attempt.roots ?? ['root']).map((root) => join(this.#stage.place, root));
    const network = this.#attempt.network ?? 'off';
    const start = await sandbox.wrap({ ...command, confinement: { kind: 'sandbox', writableRoots, network } });
    if (start.kind === 'ready') return start;
    // A place that is exchanged while it is looked at: nothing is started then.
    if (!start.reason.includes('can not confine this command')) throw new Error(start.reason);
    return { path: '/bin/false', args: [], environment: {}, extraFds: [], release: () => undefined };
  }

  #spawn(step: CommandStep, cwd: string, start: Started): ChildProcess {
    const stdin = step.stdin === undefined ? undefined : openSync(join(this.#stage.place, step.stdin), 'r');
    const [path, args] = step.terminal
      ? ['perl', ['-e', TERMINAL, join(this.#stage.place, 'outside', 'typed'), start.path, ...start.args]]
      : [start.path, start.args];
    try {
      return spawn(path, args, {
        cwd,
        env: start.environment,
        stdio: [stdin ?? 'ignore', 'pipe', 'pipe', ...start.extraFds],
        detached: true,
      });
    } finally {
      if (stdin !== undefined) closeSync(stdin);
    }
  }

  async #end(child: ChildProcess): Promise<void> {
    const gather = (chunk: Buffer): void => {
      this.said = (this.said + chunk.toString('utf8')).slice(-SAID_LENGTH);
    };
    child.stdout?.on('data', gather);
    child.stderr?.on('data', gather);
    const closed = once(child, 'close', { signal: AbortSignal.timeout(STEP_MS) });
    await closed.catch(() => {
      kill(-(child.pid ?? 0));
      this.endAll();
      this.said += ' (took too long)';
    });
  }

  #environment(): Record<string, string> {
    const { place, variables } = this.#stage;
    const own = Object.entries(this.#attempt.environment ?? {}).map(([name, value]) => [
      name,
      value.replaceAll('PLACE', place),
    ]);
    return {
      PATH: process.env['PATH'] ?? '',
      ...variables,
      [MARK_VARIABLE]: markOf(place),
      OWNER: String(process.pid),
      ...Object.fromEntries(own),
    };
  }
}

/** Not the place itself, which is an argument of what lives beside the attempt. */
function markOf(place: string): string {
  return `attempt in ${place}`;
}

function kill(pid: number): void {
  if (pid === 0) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return; // gone already
  }
}
