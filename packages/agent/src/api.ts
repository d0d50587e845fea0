import type { HostTokens, TokenHost } from '@quire/auth';
import type { DynamicToolDefinition, ToolHooks } from '@quire/core';
import type {
  ApprovalPolicy,
  JsonObject,
  JsonValue,
  Personality,
  ReviewResult,
  SandboxMode,
  ThreadEvent,
  ThreadId,
  ThreadTokenUsage,
  TurnItem,
  UserInput,
} from '@quire/protocol';
import type { OssProviderId } from '@quire/store';
import type { Person } from './person.ts';

export interface QuireOptions {
  /** Home folder for configuration, credentials and threads. Default: `$QUIRE_HOME`, `$CODEX_HOME`, `~/.codex`. */
  readonly home?: string;
  /** Raw `key=value` overrides, as after `-c`. Later ones win. */
  readonly configOverrides?: readonly string[];
  /** Default: the environment of the process. Commands of the agent inherit it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Base URL of the built-in provider. */
  readonly baseUrl?: string;
  readonly apiKey?: string;
  /**
   * ChatGPT tokens that this program owns, and where others come from when they are refused. They go before every other
   * login, are never written down, and are renewed in no other way; `refresh` has ten seconds, and a failure of it is tried
   * again. Does not go with `apiKey`.
   */
  readonly tokens?: HostTokens & TokenHost;
  /** Name under which requests are made. Default `quire_sdk`. */
  readonly originator?: string;
  /** Ignores `config.toml`; credentials are still read from the home folder. */
  readonly ignoreUserConfig?: boolean;
  /** A profile of the configuration by its name, as after `--profile`. */
  readonly profile?: string;
  /** Features by name that are on or off whatever the configuration says. Threads of unknown ones are refused. */
  readonly features?: Readonly<Record<string, boolean>>;
  /**
   * Asks a server of open models on this machine instead of the configured provider: the named one, or with `true` the
   * one that `oss_provider` names. The model is that server's usual one unless `model` is given for this run.
   */
  readonly oss?: boolean | OssProviderId;
  /**
   * Told once when telemetry gets lost, also while no turn runs. Must not throw. Default: a warning of a thread, which
   * is dropped when there is no turn any more.
   */
  readonly onTelemetryProblem?: (message: string) => void;
  /**
   * Told of threads that a listing, or the search for the last thread, passed over because the first line of their
   * files is damaged: where they began is not known. They can be opened by their ids. Must not throw.
   */
  readonly onDamagedThreads?: (threads: readonly DamagedThread[]) => void;
}

export interface DamagedThread {
  readonly threadId: ThreadId;
  /** Absolute. */
  readonly rolloutPath: string;
}

export interface ThreadOptions {
  /** Default: the working directory of the process. */
  readonly workingDirectory?: string;
  readonly model?: string;
  readonly sandboxMode?: SandboxMode;
  /** Also writable in `workspace-write`. */
  readonly additionalDirectories?: readonly string[];
  /** A thread outside a git work tree is refused unless this is set. */
  readonly skipGitRepoCheck?: boolean;
  /** Keeps nothing on disk. */
  readonly ephemeral?: boolean;
  /** What made the thread; written into its header. Default `exec`. */
  readonly source?: JsonValue;
  /** Gives up opening. A thread that is open already is not affected. */
  readonly signal?: AbortSignal;
  /** A free label for listings; written into the header of a new thread. */
  readonly threadSource?: string;
  /** Who is asked what the thread may not decide by itself. Absent: nobody, and what would be asked is refused. */
  readonly person?: Person;
  /** Functions of this program that the model may call. */
  readonly tools?: readonly DynamicToolDefinition[];
  /** Functions around every tool call, after the hooks of the configuration. A fault before a call denies it. */
  readonly hooks?: Partial<ToolHooks>;
}

/** What a turn, and all after it, does otherwise than the turns before. */
export interface TurnOverrides {
  readonly workingDirectory?: string;
  readonly model?: string;
  readonly reasoningEffort?: string;
  readonly reasoningSummary?: 'auto' | 'concise' | 'detailed' | 'none';
  /** `null`: the usual service, whatever is configured. */
  readonly serviceTier?: string | null;
  readonly personality?: Personality;
  readonly approvalPolicy?: ApprovalPolicy;
  readonly sandboxMode?: SandboxMode;
  readonly collaborationMode?: { readonly mode: string; readonly instructions?: string };
}

export interface TaskOptions {
  readonly signal?: AbortSignal;
}

export interface TurnOptions extends TaskOptions {
  /** JSON Schema that the final answer must follow. */
  readonly outputSchema?: JsonObject;
  readonly overrides?: TurnOverrides;
}

/** What a review is about. */
export type ReviewTarget =
  | { readonly kind: 'uncommitted' }
  | { readonly kind: 'base'; readonly branch: string }
  | { readonly kind: 'commit'; readonly sha: string; readonly title?: string }
  | { readonly kind: 'custom'; readonly instructions: string };

/** What a thread is asked to do: a turn with a person's input, or one of the other tasks. */
export type Submission =
  | string
  | readonly UserInput[]
  | { readonly task: 'compact' }
  | { readonly task: 'undo' }
  | { readonly task: 'shell'; readonly script: string }
  | { readonly task: 'review'; readonly target: ReviewTarget };

export interface TurnResult {
  readonly items: readonly TurnItem[];
  /** Text of the last agent message; empty when there was none. */
  readonly finalResponse: string;
  readonly usage: ThreadTokenUsage | undefined;
}

/** What a thread was resolved to when it was opened: for headers and logs of clients. */
export interface ThreadFacts {
  readonly threadId: ThreadId;
  readonly resumed: boolean;
  /** The thread that this one was forked from. */
  readonly forkedFrom: ThreadId | undefined;
  readonly workingDirectory: string;
  readonly model: string;
  readonly providerId: string;
  readonly approvalPolicy: string;
  readonly sandboxMode: SandboxMode;
  readonly reasoningEffort: string | undefined;
  readonly reasoningSummary: string;
  /** What people want to see of what the model thinks: `raw` in place of the summary, where there is any. */
  readonly shownReasoning: 'summary' | 'raw' | 'none';
  /** Absolute path of the rollout file; absent for an ephemeral thread. */
  readonly rolloutPath: string | undefined;
  /** Notices from opening: configuration warnings, unknown model, torn rollout, cut instructions. */
  readonly warnings: readonly string[];
}

/**
 * One conversation, open for turns. One task at a time: a second one while one is going rejects.
 */
export interface AgentThread extends AsyncDisposable {
  readonly facts: ThreadFacts;
  /** Percent of the model's window that is left; `undefined`: its size is not known. */
  readonly contextLeftPercent: number | undefined;
  /** Runs a task to its end. Rejects with `TurnFailedError`, or the abort reason. */
  run(submission: Submission, options?: TurnOptions): Promise<TurnResult>;
  /**
   * Runs a task and yields its events; the last one is `turn-end`. Aborting the signal interrupts the
   * task, which then ends with outcome `interrupted`. Leaving the iteration interrupts it too.
   */
  runStreamed(submission: Submission, options?: TurnOptions): AsyncIterable<ThreadEvent>;
  /**
   * The push form of `runStreamed`, without a queue in between: `onEvent` is called synchronously for
   * each event in order and must not throw. Resolves after `turn-end`.
   */
  runPushed(
    submission: Submission,
    options: TurnOptions & { readonly onEvent: (event: ThreadEvent) => void },
  ): Promise<void>;
  /** Adds input to the running turn before its next request. `false` when no turn is running that takes it. */
  steer(input: string | readonly UserInput[]): boolean;
  /** Makes the history shorter. Rejects with `TurnFailedError`; the history is unchanged then. */
  compact(options?: TaskOptions): Promise<void>;
  /** Puts the files back to where they were before the newest turn that changed something. Gives back what was done. */
  undo(options?: TaskOptions): Promise<string>;
  /** Runs a command of a person's own, without approval and sandbox; the model hears of it with the next turn. */
  runShell(script: string, options?: TaskOptions): Promise<Extract<TurnItem, { kind: 'command-execution' }>>;
  review(target: ReviewTarget, options?: TaskOptions): Promise<ReviewResult>;
  /**
   * Takes the last `turns` user turns out of the thread; files stay as they are.
   * @throws AgentError 'invalid-argument' when there are not that many
   */
  rollBack(turns: number): Promise<void>;
  /** Ends what runs, kills the commands of this thread and releases files and sockets. Twice is fine. */
  close(): Promise<void>;
}

/**
 * `id`: a thread id or a beginning of one that is the only one, a name, or the path of a rollout file.
 * `last`: the thread of this working directory that was written to most recently.
 */
export type ResumeTarget =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'last'; readonly anyDirectory?: boolean };

export interface ForkOptions extends ThreadOptions {
  /** The fork ends strictly before this user message: 0 is the first one. Absent: it takes everything over. */
  readonly beforeUserMessage?: number;
  /** When there is no such message the fork is an error instead of taking everything over. Default false. */
  readonly requiresMessage?: boolean;
}

export interface ListOptions {
  /** Only threads that began in this directory. */
  readonly workingDirectory?: string;
  /** The ones that were put away instead. */
  readonly archived?: boolean;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** A thread on disk. */
export interface ThreadSummary {
  readonly threadId: ThreadId;
  readonly name: string | undefined;
  /** Beginning of the first user message; empty when there is none. */
  readonly preview: string;
  readonly workingDirectory: string;
  /** Unix milliseconds. */
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly forkedFrom: ThreadId | undefined;
  readonly rolloutPath: string;
  readonly archived: boolean;
}
