import type { SubAgentStatus } from '@quire/core';
import { assertNever, type ThreadEvent, type ThreadId, type TurnOutcome, type UserInput } from '@quire/protocol';
import { AgentError } from './agent-error.ts';
import type { AgentThread } from './api.ts';

export interface ChildIdentity {
  readonly threadId: ThreadId;
  readonly nickname: string;
  readonly role: string | undefined;
  /** The thread that started it. */
  readonly parentId: ThreadId;
  /** 1 for an agent of the thread that a person talks to. */
  readonly depth: number;
}

/** What whoever started an agent is told of it. Called synchronously; must not throw. */
export interface ChildListener {
  /** A turn ended by itself and nothing more is to be done. */
  onRest(status: SubAgentStatus): void;
  onWarning(message: string): void;
}

export function isAtRest(status: SubAgentStatus): boolean {
  return status.kind !== 'pending-init' && status.kind !== 'running';
}

/** One agent of a tree: a thread that does what it is given, one turn after the other, in the background. */
export class ChildAgent {
  readonly identity: ChildIdentity;
  readonly #listener: ChildListener;
  /** Absent once it is closed. */
  #thread: AgentThread | undefined;
  #status: SubAgentStatus;
  /** Waits for the next turn. */
  #inbox: (readonly UserInput[])[] = [];
  /** Of the running turn. */
  #turn: AbortController | undefined;
  #work: Promise<void> = Promise.resolve();
  readonly #watchers = new Set<() => void>();

  constructor(parts: {
    readonly identity: ChildIdentity;
    readonly thread: AgentThread;
    /** How it fared before, as it is told until it gets something to do. */
    readonly status: SubAgentStatus;
    readonly listener: ChildListener;
  }) {
    this.identity = parts.identity;
    this.#thread = parts.thread;
    this.#status = parts.status;
    this.#listener = parts.listener;
  }

  get status(): SubAgentStatus {
    return this.#status;
  }

  get isOpen(): boolean {
    return this.#thread !== undefined;
  }

  /** Steers the running turn, or begins the next one. The agent must be open. */
  give(input: readonly UserInput[], { interrupt }: { readonly interrupt: boolean }): void {
    if (this.#turn === undefined) {
      this.#inbox.push(input);
      this.#status = { kind: 'running' };
      this.#work = this.#workThrough();
      return;
    }
    if (!interrupt && this.#thread?.steer(input) === true) return;
    this.#inbox.push(input);
    if (interrupt) this.#turn.abort(new AgentError('closed', 'the agent was told to do something else'));
  }

  /** Calls back once when the agent comes to rest. The result takes the callback away. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback);
    return () => this.#watchers.delete(callback);
  }

  /** Ends its turn, its commands and all agents below it. Gives back how it fared before. */
  async close(): Promise<SubAgentStatus> {
    const before = this.#status;
    const thread = this.#thread;
    this.#thread = undefined;
    this.#inbox = [];
    this.#status = { kind: 'shutdown' };
    this.#announceRest();
    await thread?.close();
    await this.#work;
    return before;
  }

  /** Never rejects. */
  async #workThrough(): Promise<void> {
    let status: SubAgentStatus = this.#status;
    while (this.#inbox.length > 0 && this.#thread !== undefined) {
      const input = this.#inbox.flat();
      this.#inbox = [];
      this.#turn = new AbortController();
      status = await this.#runTurn(this.#thread, input, this.#turn.signal);
    }
    this.#turn = undefined;
    if (this.#thread === undefined) return;
    this.#status = status;
    this.#listener.onRest(status);
    this.#announceRest();
  }

  async #runTurn(thread: AgentThread, input: readonly UserInput[], signal: AbortSignal): Promise<SubAgentStatus> {
    let outcome: TurnOutcome | undefined;
    const onEvent = (event: ThreadEvent): void => {
      if (event.kind === 'turn-end') outcome = event.outcome;
      else if (event.kind === 'warning') this.#listener.onWarning(event.message);
    };
    try {
      await thread.runPushed(input, { signal, onEvent });
    } catch (error) {
      return { kind: 'errored', message: error instanceof Error ? error.message : String(error) };
    }
    return outcome === undefined ? { kind: 'interrupted' } : statusOf(outcome);
  }

  #announceRest(): void {
    for (const watcher of [...this.#watchers]) watcher();
    this.#watchers.clear();
  }
}

function statusOf(outcome: TurnOutcome): SubAgentStatus {
  switch (outcome.kind) {
    case 'completed':
      return { kind: 'completed', text: outcome.lastAgentMessage };
    case 'failed':
      return { kind: 'errored', message: outcome.failure.message };
    case 'interrupted':
      return { kind: 'interrupted' };
    default:
      return assertNever(outcome, 'statusOf');
  }
}
