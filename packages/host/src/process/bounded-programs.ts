import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HookDefinition } from '@quire/core';
import { systemReason } from '../system-reason.ts';
import { linkSignals } from './abort.ts';
import { follow, type HookRun } from './follow-program.ts';
import { groupExists, killGroup, killMarkedProcesses, OWNER_VARIABLE } from './marked-processes.ts';
import { Watchdog } from './watchdog.ts';

/** Starts hooks, each leading a session of its own, and leaves none behind: neither after `close` nor on any death. */
export class HookProcesses {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #token = randomBytes(16).toString('hex');
  readonly #watchdog = new Watchdog({ token: this.#token, directory: join(tmpdir(), `quire-${this.#token}`) });
  readonly #closing = new AbortController();
  /** Those in which something was left running. */
  readonly #leftGroups = new Set<number>();
  readonly #running = new Set<Promise<unknown>>();
  #count = 0;
  #closed: Promise<void> | undefined;

  constructor(options: {
    /** Told to what is started. */
    readonly threadId?: string;
    readonly environment: Readonly<Record<string, string | undefined>>;
  }) {
    const given = Object.entries(options.environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const { threadId } = options;
    const thread = threadId === undefined ? {} : { CODEX_THREAD_ID: threadId };
    this.#environment = { ...Object.fromEntries(given), ...thread };
  }

  /** Rejects with the reason of `signal`, after the hook and what it started were killed. */
  async run(
    hook: Pick<HookDefinition, 'command' | 'timeoutMs'>,
    start: { readonly payload: string; readonly cwd: string; readonly signal: AbortSignal },
  ): Promise<HookRun> {
    using link = linkSignals([start.signal, this.#closing.signal]);
    link.signal.throwIfAborted();
    const running = this.#run(hook, { ...start, signal: link.signal });
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
    this.#closing.abort(new Error('the hooks were closed'));
    await Promise.allSettled(this.#running);
    for (const groupId of this.#leftGroups) killGroup(groupId);
    if (this.#count > 0) await killMarkedProcesses(this.#token);
    await this.#watchdog.close();
  }

  async #run(
    hook: Pick<HookDefinition, 'command' | 'timeoutMs'>,
    start: { readonly payload: string; readonly cwd: string; readonly signal: AbortSignal },
  ): Promise<HookRun> {
    this.#forgetEnded();
    this.#watchdog.start();
    this.#count += 1;
    const mark = `${this.#token}.${this.#count}`;
    const { cwd } = start;
    const argv = await this.#watchdog.marked(argvOf(hook.command), { cwd, environment: this.#environment });
    const started = await startHook(argv, { cwd, environment: this.#environment, mark });
    if (!('groupId' in started)) return started;
    const { child, groupId } = started;
    this.#watchdog.addGroup(groupId);
    this.#leftGroups.add(groupId);
    child.stdin?.end(start.payload);
    try {
      return await follow(child, {
        timeoutMs: hook.timeoutMs,
        signal: start.signal,
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

type Argv = readonly [string, ...string[]];

type HookStart = { readonly child: ChildProcess; readonly groupId: number } | Extract<HookRun, { kind: 'fault' }>;

function argvOf(command: HookDefinition['command']): Argv {
  return typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
}

async function startHook(
  [program, ...args]: Argv,
  options: { readonly cwd: string; readonly environment: Readonly<Record<string, string>>; readonly mark: string },
): Promise<HookStart> {
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
    return { kind: 'fault', problem: `could not be started (${systemReason(error)})` };
  }
}
