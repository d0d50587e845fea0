import type {
  AgentThread,
  ForkOptions,
  ListOptions,
  QuireOptions,
  ResumeTarget,
  Submission,
  ThreadFacts,
  ThreadOptions,
  ThreadSummary,
  TurnOptions,
} from '@quire/agent';
import type { ReviewResult, ThreadEvent, ThreadId, TurnId, TurnOutcome, UserInput } from '@quire/protocol';
import type { AgentModule, Threads } from '../../src/exec/command-dependencies.ts';

export const THREAD_ID = '01a1fb78-4bdd-7351-aa59-3fb83be1e59d' as ThreadId;
export const OTHER_ID = '01a1fb78-4bdd-7351-aa59-000000000002' as ThreadId;
export const TURN_ID = '01a1fb78-0000-7000-8000-000000000001' as TurnId;

export const FACTS: ThreadFacts = {
  threadId: THREAD_ID,
  resumed: false,
  forkedFrom: undefined,
  workingDirectory: '/srv/project',
  model: 'model-a',
  providerId: 'mock',
  approvalPolicy: 'never',
  sandboxMode: 'read-only',
  reasoningEffort: 'medium',
  reasoningSummary: 'auto',
  shownReasoning: 'summary',
  rolloutPath: undefined,
  warnings: [],
};

/** One call that the command made of the agent, in order. */
export type AgentCall =
  | { readonly call: 'create'; readonly options: QuireOptions | undefined }
  | { readonly call: 'start'; readonly options: ThreadOptions | undefined }
  | { readonly call: 'resume'; readonly target: ResumeTarget; readonly options: ThreadOptions | undefined }
  | { readonly call: 'fork'; readonly target: ResumeTarget; readonly options: ForkOptions | undefined }
  | { readonly call: 'check'; readonly target: ResumeTarget; readonly use: 'resume' | 'fork' }
  | { readonly call: 'run'; readonly input: Submission; readonly outputSchema: unknown }
  | { readonly call: 'roll-back'; readonly turns: number }
  | { readonly call: 'list'; readonly options: Omit<ListOptions, 'signal'> }
  | { readonly call: 'rename'; readonly id: string; readonly name: string }
  | { readonly call: 'archive' | 'unarchive'; readonly id: string }
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
  /** What is wrong with the thread that is to be resumed or forked. */
  readonly checkError?: Error;
  /** What opening a thread waits for. */
  readonly opening?: (signal: AbortSignal | undefined) => Promise<void>;
  /** Changes a stored thread. */
  readonly change?: () => Promise<void>;
  /** The threads on disk. */
  readonly stored?: readonly ThreadSummary[];
  readonly onRead?: (options: ListOptions) => void;
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
    run: notScripted,
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
    contextLeftPercent: undefined,
    compact: notScripted,
    undo: notScripted,
    runShell: notScripted,
    review: notScripted,
    rollBack: async (turns) => {
      record({ call: 'roll-back', turns });
      await options.change?.();
    },
    close: async () => {
      record({ call: 'close' });
      await options.close?.();
    },
    [Symbol.asyncDispose]: () => thread.close(),
  };
  const opened = async (threadOptions: ThreadOptions | undefined): Promise<AgentThread> => {
    if (options.openError !== undefined) throw options.openError;
    await options.opening?.(threadOptions?.signal);
    return thread;
  };
  const changed = async (call: AgentCall): Promise<void> => {
    record(call);
    await options.change?.();
  };
  class Quire implements Threads {
    constructor(quireOptions?: QuireOptions) {
      record({ call: 'create', options: quireOptions });
    }

    async startThread(threadOptions?: ThreadOptions): Promise<AgentThread> {
      record({ call: 'start', options: threadOptions });
      return opened(threadOptions);
    }

    async resumeThread(target: ResumeTarget, threadOptions?: ThreadOptions): Promise<AgentThread> {
      record({ call: 'resume', target, options: threadOptions });
      return opened(threadOptions);
    }

    async forkThread(target: ResumeTarget, forkOptions?: ForkOptions): Promise<AgentThread> {
      record({ call: 'fork', target, options: forkOptions });
      return opened(forkOptions);
    }

    async checkReview(): Promise<void> {
      // Whatever is asked for can be reviewed.
    }

    async checkThread(target: ResumeTarget, { use }: { readonly use: 'resume' | 'fork' }): Promise<void> {
      record({ call: 'check', target, use });
      if (options.checkError !== undefined) throw options.checkError;
    }

    async readThread(target: ResumeTarget, listOptions: ListOptions = {}): Promise<ThreadSummary> {
      options.onRead?.(listOptions);
      const { workingDirectory } = listOptions;
      const stored = options.stored ?? [];
      const found =
        target.kind === 'id'
          ? stored.filter((summary) =>
              [summary.threadId.toUpperCase(), summary.threadId, summary.name, summary.rolloutPath].includes(target.id),
            )
          : stored
              .filter((summary) => target.anyDirectory === true || summary.workingDirectory === workingDirectory)
              .filter(({ preview, archived }) => preview !== '' && !archived)
              .sort((left, right) => right.updatedAtMs - left.updatedAtMs);
      const beginning =
        found.length === 0 && target.kind === 'id'
          ? stored.filter(({ threadId }) => threadId.startsWith(target.id))
          : found.slice(0, 1);
      const [first, ...others] = beginning;
      if (first !== undefined && others.length === 0) return first;
      throw Object.assign(new Error(first === undefined ? 'no such thread' : 'several threads'), { code: 'thread' });
    }

    async listThreads({ signal: _, ...listOptions }: ListOptions = {}): Promise<readonly ThreadSummary[]> {
      record({ call: 'list', options: listOptions });
      const { archived = false, workingDirectory, limit } = listOptions;
      return (options.stored ?? [])
        .filter((summary) => summary.archived === archived)
        .filter((summary) => workingDirectory === undefined || summary.workingDirectory === workingDirectory)
        .slice(0, limit);
    }

    setThreadName(id: string, name: string): Promise<void> {
      return changed({ call: 'rename', id, name });
    }

    async archiveThread(id: string): Promise<{ readonly threadId: ThreadId; readonly path: string }> {
      await changed({ call: 'archive', id });
      return { threadId: THREAD_ID, path: '/home/archived_sessions/rollout.jsonl' };
    }

    async unarchiveThread(id: string): Promise<{ readonly threadId: ThreadId; readonly path: string }> {
      await changed({ call: 'unarchive', id });
      return { threadId: THREAD_ID, path: '/home/sessions/rollout.jsonl' };
    }
  }
  const loadImageInput = async (path: string): Promise<UserInput> => {
    if (path.startsWith('missing')) throw agentError('image', `the image ${path} can not be read`);
    return { kind: 'image', url: 'data:image/png;base64,AA==', path };
  };
  return { agent: { Quire, loadImageInput }, calls };
}

function notScripted(): Promise<never> {
  return Promise.reject(new Error('not part of the script'));
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

export const REVIEW: ReviewResult = {
  findings: [
    {
      title: '[P1] The sum is off by one',
      body: 'The loop ends too early.\n\nSee `sum`.',
      confidence: 0.9,
      priority: 1,
      location: { path: '/srv/project/src/sum.ts', startLine: 10, endLine: 12 },
    },
    { title: '[P3] A name', body: '', confidence: undefined, priority: undefined, location: undefined },
  ],
  overallCorrectness: 'patch is incorrect',
  overallExplanation: 'It breaks the sum.',
  overallConfidence: 0.8,
};

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
