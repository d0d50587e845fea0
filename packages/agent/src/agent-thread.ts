import type { CommandRunner, ModelPort, RolloutWriter, Thread } from '@quire/core';
import type { ThreadEvent, TurnItem, UserInput } from '@quire/protocol';
import { AgentError, TurnFailedError } from './agent-error.ts';
import type { AgentThread, ThreadFacts, TurnOptions, TurnResult } from './api.ts';
import { EventBuffer } from './event-buffer.ts';

/** What a thread holds open and gives back at `close`. */
export interface ThreadResources {
  readonly model: ModelPort;
  readonly runner: CommandRunner;
  readonly rollout: RolloutWriter;
}

type PushOptions = TurnOptions & { readonly onEvent: (event: ThreadEvent) => void };

export class OpenThread implements AgentThread {
  readonly facts: ThreadFacts;
  readonly #thread: Thread;
  readonly #resources: ThreadResources;
  readonly #closing = new AbortController();
  #turn: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(thread: Thread, facts: ThreadFacts, resources: ThreadResources) {
    this.#thread = thread;
    this.facts = facts;
    this.#resources = resources;
  }

  async run(input: string | readonly UserInput[], options: TurnOptions = {}): Promise<TurnResult> {
    const items: TurnItem[] = [];
    let finalResponse = '';
    let failure: TurnFailedError | undefined;
    let interrupted = false;
    await this.runPushed(input, {
      ...options,
      onEvent: (event) => {
        if (event.kind === 'item-end') {
          items.push(event.item);
          if (event.item.kind === 'agent-message') finalResponse = event.item.text;
        } else if (event.kind === 'turn-end') {
          if (event.outcome.kind === 'failed') failure = new TurnFailedError(event.outcome.failure);
          interrupted = event.outcome.kind === 'interrupted';
        }
      },
    });
    if (failure !== undefined) throw failure;
    if (interrupted) throw options.signal?.reason ?? new AgentError('closed', 'the thread was closed during the turn');
    return { items, finalResponse, usage: this.#thread.usage };
  }

  async *runStreamed(
    input: string | readonly UserInput[],
    options: TurnOptions = {},
  ): AsyncGenerator<ThreadEvent, void, undefined> {
    const leaving = new AbortController();
    const signal = options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal]);
    const buffer = new EventBuffer();
    const turn = this.runPushed(input, { ...options, signal, onEvent: buffer.push }).then(
      () => buffer.end(),
      (reason: unknown) => buffer.fail(reason),
    );
    try {
      yield* buffer.drain();
    } finally {
      leaving.abort(new AgentError('closed', 'the reader left the turn'));
      await turn;
    }
  }

  async runPushed(input: string | readonly UserInput[], options: PushOptions): Promise<void> {
    if (this.#closing.signal.aborted) throw new AgentError('closed', 'this thread is closed; open it again to go on');
    if (this.#turn !== undefined) {
      throw new AgentError('busy', 'a turn is already running in this thread; wait for it, steer it or interrupt it');
    }
    const parts = normalizeInput(input);
    const { signal } = this.#closing;
    const turn = this.#thread.runTurn({
      input: parts,
      signal: options.signal === undefined ? signal : AbortSignal.any([options.signal, signal]),
      outputSchema: options.outputSchema,
      onEvent: options.onEvent,
    });
    this.#turn = turn.then(
      () => undefined,
      () => undefined,
    );
    try {
      await turn;
    } finally {
      this.#turn = undefined;
    }
  }

  steer(input: string | readonly UserInput[]): boolean {
    return this.#thread.steer(normalizeInput(input));
  }

  close(): Promise<void> {
    this.#closed ??= this.#release();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #release(): Promise<void> {
    this.#closing.abort(new AgentError('closed', 'the thread was closed'));
    await this.#turn;
    this.#resources.model.close();
    await this.#resources.runner.close();
    this.#resources.rollout.close();
  }
}

function normalizeInput(input: string | readonly UserInput[]): readonly UserInput[] {
  const parts: readonly UserInput[] = typeof input === 'string' ? [{ kind: 'text', text: input }] : input;
  const hasContent = parts.some((part) => part.kind === 'image' || part.text.trim() !== '');
  if (!hasContent) throw new AgentError('invalid-argument', 'the input is empty; give a text or an image');
  return parts;
}
