export interface ShellInfo {
  /** `bash`, `zsh`, `sh`, … as told to the model. */
  readonly name: string;
  /** Absolute path of the program. */
  readonly path: string;
}

export interface ShellCommand {
  readonly script: string;
  /** With the environment of a login shell. */
  readonly login: boolean;
  /** Absolute. */
  readonly cwd: string;
  readonly timeoutMs: number;
}

export type CommandEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timed-out' }
  /** The shell or the directory could not be used; nothing ran. */
  | { readonly kind: 'not-started'; readonly reason: string };

export interface CommandOutcome {
  readonly end: CommandEnd;
  /**
   * Standard output, then standard error, as valid text. Of what is too long to keep (see the implementation)
   * the middle is missing, and in its place is a line `…[N bytes left out here]…`.
   */
  readonly output: string;
  /** How much is missing from `output`; 0 when it is whole. */
  readonly omittedBytes: number;
  /** Lines that were printed, kept or not. A last one without a newline counts. */
  readonly totalLines: number;
  /** From the start of the command; of a wait for the login shell that ran out of time, from the call. */
  readonly durationMs: number;
}

/** Runs commands on the machine. One for the life of a thread. */
export interface CommandRunner {
  readonly shell: ShellInfo;
  /** The argument vector that `command` stands for: what is shown to people. */
  argv(command: ShellCommand): readonly string[];
  /**
   * Runs to the end. A non-zero exit is a result, not an error. When `signal` fires the whole process
   * tree is killed and the promise rejects with the abort reason; `onOutput` got what was printed until then.
   * `onOutput` must not throw; it is not called after the promise settled.
   */
  run(
    command: ShellCommand,
    options: { readonly signal: AbortSignal; readonly onOutput?: (chunk: string) => void },
  ): Promise<CommandOutcome>;
  /** Gets what later commands share (the login environment) ready in the background. Never rejects. */
  warmUp(): void;
  /** Kills whatever still runs. After it every `run` rejects. */
  close(): Promise<void>;
}
