import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startReason } from '../system-reason.ts';
import { linkSignals } from './abort.ts';
import { follow, type ProgramEnd } from './follow-program.ts';
import { groupExists, killGroup, killMarkedProcesses, OWNER_VARIABLE } from './marked-processes.ts';
import { Watchdog } from './watchdog.ts';

type Argv = readonly [string, ...string[]];

export interface BoundedProgram {
  /** The program and its arguments; no shell reads them. */
  readonly argv: Argv;
  /** Absolute. */
  readonly cwd: string;
  /** All that it gets on stdin. */
  readonly input: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Runs programs that are to print a short answer. Each leads a session of its own, and none is left behind: neither
 * after `close` nor on any death of this process.
 */
export class BoundedPrograms {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #token = randomBytes(16).toString('hex');
  readonly #watchdog = new Watchdog({ token: this.#token, directory: join(tmpdir(), `quire-${this.#token}`) });
  readonly #closing = new AbortController();
  /** Those in which something was left running. */
  readonly #leftGroups = new Set<number>();
  readonly #running = new Set<Promise<unknown>>();
  #count = 0;
  #closed: Promise<void> | undefined;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
    this.#environment = Object.fromEntries(given);
  }

  /** Rejects with the reason of `signal`, after the program and what it started were killed. */
  async run(program: BoundedProgram): Promise<ProgramEnd> {
    using link = linkSignals([program.signal, this.#closing.signal]);
    link.signal.throwIfAborted();
    const running = this.#run({ ...program, signal: link.signal });
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(new Error('running programs were closed'));
    await Promise.allSettled(this.#running);
    for (const groupId of this.#leftGroups) killGroup(groupId);
    if (this.#count > 0) await killMarkedProcesses(this.#token);
    await this.#watchdog.close();
  }

  async #run({ argv, cwd, input, timeoutMs, signal }: BoundedProgram): Promise<ProgramEnd> {
    this.#forgetEnded();
    this.#watchdog.start();
    this.#count += 1;
    const mark = `${this.#token}.${this.#count}`;
    const environment = this.#environment;
    const started = await start(await this.#watchdog.marked(argv, { cwd, environment }), { cwd, environment, mark });
    if (!('groupId' in started)) return started;
    const { child, groupId } = started;
    this.#watchdog.addGroup(groupId);
    this.#leftGroups.add(groupId);
    child.stdin?.end(input);
    try {
      return await follow(child, {
        timeoutMs,
        signal,
        killTree: () => {
          killGroup(groupId);
          return killMarkedProcesses(mark);
        },
      });
    } finally {
      this.#forgetEnded();
    }
  }

  #forgetEnded(): void {
    for (const groupId of this.#leftGroups) {
      if (groupExists(groupId)) continue;
      this.#leftGroups.delete(groupId);
      this.#watchdog.removeGroup(groupId);
    }
  }
}

type Start = { readonly child: ChildProcess; readonly groupId: number } | Extract<ProgramEnd, { kind: 'fault' }>;

async function start(
  [program, ...args]: Argv,
  options: { readonly cwd: string; readonly environment: Readonly<Record<string, string>>; readonly mark: string },
): Promise<Start> {
  try {
    const child = spawn(program, args, {
      cwd: options.cwd,
      detached: true,
      env: { ...options.environment, [OWNER_VARIABLE]: options.mark },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin?.on('error', () => undefined); // it need not read what it is told
    if (child.pid !== undefined) return { child, groupId: child.pid };
    const [error]: unknown[] = await once(child, 'error'); // announced for the next tick
    throw error;
  } catch (error) {
    return { kind: 'fault', problem: `could not be started (${await reasonOf(error, options.cwd)})` };
  }
}

/** The system says ENOENT of the directory and of the program alike. */
async function reasonOf(error: unknown, cwd: string): Promise<string> {
  const hasDirectory = await stat(cwd).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return hasDirectory ? startReason(error) : `there is no directory ${cwd}`;
}
