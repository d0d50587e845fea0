import type { AgentThread, QuireOptions, ResumeTarget, ThreadFacts, ThreadOptions, TurnOptions } from '@quire/agent';
import type { ThreadEvent, ThreadId, TurnId, TurnOutcome, UserInput } from '@quire/protocol';
import type { AgentModule } from '../../src/exec/run-exec.ts';

export const THREAD_ID = '01a1fb78-4bdd-7351-aa59-3fb83be1e59d' as ThreadId;
export const TURN_ID = '01a1fb78-0000-7000-8000-000000000001' as TurnId;

export const FACTS: ThreadFacts = {
  threadId: THREAD_ID,
  resumed: false,
  workingDirectory: '/srv/project',
  model: 'model-a',
  providerId: 'mock',
  approvalPolicy: 'never',
  sandboxMode: 'read-only',
  reasoningEffort: 'medium',
  reasoningSummary: 'auto',
  rolloutPath: undefined,
  warnings: [],
};

/** One call that the command made of the agent, in order. */
export type AgentCall =
  | { readonly call: 'create'; readonly options: QuireOptions | undefined }
  | { readonly call: 'start'; readonly options: ThreadOptions | undefined }
  | { readonly call: 'resume'; readonly target: ResumeTarget; readonly options: ThreadOptions | undefined }
  | { readonly call: 'run'; readonly input: string | readonly UserInput[]; readonly outputSchema: unknown }
  | { readonly call: 'close' };

export interface TurnContext {
  readonly signal: AbortSignal;
  emit(event: ThreadEvent): void;
  end(outcome: TurnOutcome): void;
}

export interface ScriptedAgentOptions {
  readonly facts?: Partial<ThreadFacts>;
  /** Plays the turn; `turn-start` was emitted before. */
  readonly turn?: (context: TurnContext) => Promise<void> | void;
  readonly openError?: Error;
  readonly onCall?: (call: AgentCall) => void;
  readonly close?: () => Promise<void>;
}

/** An agent whose turn is a script, behind the same interface as the real one. */
export function scriptedAgent(options: ScriptedAgentOptions = {}): { agent: AgentModule; calls: AgentCall[] } {
  const calls: AgentCall[] = [];
  const record = (call: AgentCall): void => {
    calls.push(call);
    options.onCall?.(call);
  };
  const thread: AgentThread = {
    facts: { ...FACTS, ...options.facts },
    run: () => Promise.reject(new Error('not part of the script')),
    runStreamed: () => {
      throw new Error('not part of the script');
    },
    steer: () => false,
    runPushed: async (input, turnOptions: TurnOptions & { readonly onEvent: (event: ThreadEvent) => void }) => {
      record({ call: 'run', input, outputSchema: turnOptions.outputSchema });
      const emit = turnOptions.onEvent;
      emit({ kind: 'turn-start', turnId: TURN_ID });
      await (options.turn ?? answer('Hello.'))({
        signal: turnOptions.signal ?? new AbortController().signal,
        emit,
        end: (outcome) => emit({ kind: 'turn-end', turnId: TURN_ID, outcome }),
      });
    },
    close: async () => {
      record({ call: 'close' });
      await options.close?.();
    },
    [Symbol.asyncDispose]: () => thread.close(),
  };
  class Quire {
    constructor(quireOptions?: QuireOptions) {
      record({ call: 'create', options: quireOptions });
    }

    async startThread(threadOptions?: ThreadOptions): Promise<AgentThread> {
      record({ call: 'start', options: threadOptions });
      if (options.openError !== undefined) throw options.openError;
      return thread;
    }

    async resumeThread(target: ResumeTarget, threadOptions?: ThreadOptions): Promise<AgentThread> {
      record({ call: 'resume', target, options: threadOptions });
      if (options.openError !== undefined) throw options.openError;
      return thread;
    }
  }
  const loadImageInput = async (path: string): Promise<UserInput> => {
    if (path.startsWith('missing')) throw agentError('image', `the image ${path} can not be read`);
    return { kind: 'image', url: 'data:image/png;base64,AA==', path };
  };
  return { agent: { Quire, loadImageInput }, calls };
}

/** What the real agent throws, by shape. */
export function agentError(code: string, message: string): Error {
  return Object.assign(new Error(message), { name: 'AgentError', code });
}

/** A turn that says `text` and uses some tokens. */
export function answer(text: string): (context: TurnContext) => void {
  return ({ emit, end }) => {
    emit({ kind: 'item-end', turnId: TURN_ID, item: { kind: 'agent-message', id: 'm1', text } });
    emit({ kind: 'token-usage', turnId: TURN_ID, usage: USAGE });
    end({ kind: 'completed', lastAgentMessage: text });
  };
}

const TOKENS = {
  inputTokens: 4_000,
  cachedInputTokens: 1_600,
  outputTokens: 800,
  reasoningOutputTokens: 200,
  totalTokens: 4_800,
};
export const USAGE = { total: TOKENS, last: TOKENS, contextWindow: undefined };

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
