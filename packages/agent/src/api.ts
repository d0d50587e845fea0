import type {
  JsonObject,
  SandboxMode,
  ThreadEvent,
  ThreadId,
  ThreadTokenUsage,
  TurnItem,
  UserInput,
} from '@quire/protocol';

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
  /** Name under which requests are made. Default `quire_sdk`. */
  readonly originator?: string;
  /** Ignores `config.toml`; credentials are still read from the home folder. */
  readonly ignoreUserConfig?: boolean;
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
  readonly source?: string;
  /** Gives up opening. A thread that is open already is not affected. */
  readonly signal?: AbortSignal;
  /** A free label for listings; written into the header of a new thread. */
  readonly threadSource?: string;
}

export interface TurnOptions {
  readonly signal?: AbortSignal;
  /** JSON Schema that the final answer must follow. */
  readonly outputSchema?: JsonObject;
}

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
  readonly workingDirectory: string;
  readonly model: string;
  readonly providerId: string;
  readonly approvalPolicy: string;
  readonly sandboxMode: SandboxMode;
  readonly reasoningEffort: string | undefined;
  readonly reasoningSummary: string;
  /** Absolute path of the rollout file; absent for an ephemeral thread. */
  readonly rolloutPath: string | undefined;
  /** Notices from opening: configuration warnings, unknown model, torn rollout, cut instructions. */
  readonly warnings: readonly string[];
}

/**
 * One conversation, open for turns. One turn at a time: a second `run` while one is going rejects.
 */
export interface AgentThread extends AsyncDisposable {
  readonly facts: ThreadFacts;
  /** Runs a turn to its end. Rejects with `TurnFailedError`, or the abort reason. */
  run(input: string | readonly UserInput[], options?: TurnOptions): Promise<TurnResult>;
  /**
   * Runs a turn and yields its events; the last one is `turn-end`. Aborting the signal interrupts the
   * turn, which then ends with outcome `interrupted`. Leaving the iteration interrupts it too.
   */
  runStreamed(input: string | readonly UserInput[], options?: TurnOptions): AsyncIterable<ThreadEvent>;
  /**
   * The push form of `runStreamed`, without a queue in between: `onEvent` is called synchronously for
   * each event in order and must not throw. Resolves after `turn-end`.
   */
  runPushed(
    input: string | readonly UserInput[],
    options: TurnOptions & { readonly onEvent: (event: ThreadEvent) => void },
  ): Promise<void>;
  /** Adds input to the running turn before its next request. `false` when no turn is running. */
  steer(input: string | readonly UserInput[]): boolean;
  /** Ends what runs, kills the commands of this thread and releases files and sockets. Twice is fine. */
  close(): Promise<void>;
}

/** `last`: the thread of this working directory that was written to most recently. */
export type ResumeTarget =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'last'; readonly anyDirectory?: boolean };
