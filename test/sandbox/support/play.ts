import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createSandbox, type Sandbox, type SandboxBackendName } from '@quire/host';
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

/** Plays an attempt in a place of its own. @param backend absent: nothing confines it */
export async function play(attempt: Attempt, backend?: SandboxBackendName): Promise<Outcome> {
  await using stage = await setStage(attempt);
  const run = new Run(attempt, stage, backend);
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
  readonly #backend: SandboxBackendName | undefined;
  /** By owner; one that confines is made with its first command. */
  readonly #sandboxes = new Map<string, Sandbox>();

  constructor(attempt: Attempt, stage: Stage, backend: SandboxBackendName | undefined) {
    this.#attempt = attempt;
    this.#stage = stage;
    this.#backend = backend;
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
    const [path = '', ...args] = argv;
    const plain = { path, args, environment, extraFds: [], release: () => undefined };
    const confined = this.#backend !== undefined && step.by !== 'outside';
    const start = confined ? await this.#wrap(step, { argv, cwd, environment }) : plain;
    const child = this.#spawn(step, cwd, start);
    child.once('exit', start.release);
    return { ended: this.#end(child) };
  }

  async #wrap(
    step: CommandStep,
    command: { readonly argv: readonly string[]; readonly cwd: string; readonly environment: Record<string, string> },
  ) {
    const backend = this.#backend;
    const owner = step.owner ?? 'first';
    const known = this.#sandboxes.get(owner) ?? createSandbox(backend === undefined ? {} : { backend });
    this.#sandboxes.set(owner, known);
    const writableRoots = (this.#attempt.roots ?? ['root']).map((root) => join(this.#stage.place, root));
    const network = this.#attempt.network ?? 'off';
    const start = await known.wrap({ ...command, confinement: { kind: 'sandbox', writableRoots, network } });
    if (start.kind === 'unavailable') throw new Error(start.reason);
    return start;
  }

  #spawn(
    step: CommandStep,
    cwd: string,
    start: {
      readonly path: string;
      readonly args: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      readonly extraFds: readonly number[];
    },
  ): ChildProcess {
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
    return { PATH: process.env['PATH'] ?? '', ...variables, [MARK_VARIABLE]: markOf(place), OWNER: String(process.pid), ...Object.fromEntries(own) };
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
