export interface ShellInfo {
  /** `bash`, `zsh`, `sh`, … as told to the model. */
  readonly name: string;
  /** Absolute path of the program. */
  readonly path: string;
}

/** What a command may touch. Made by the approval policy; the host enforces it or starts nothing. */
export type Confinement =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'sandbox';
      /**
       * Absolute, real paths. Everything below may be written, but for what the host protects inside of them: git's
       * own folders, hooks and agents' configuration.
       */
      readonly writableRoots: readonly string[];
      /** `proxied`: only through the runtime's own proxy, to the hosts that it lets through. */
      readonly network: 'off' | 'on' | 'proxied';
    };

interface CommandBase {
  /** Absolute. */
  readonly cwd: string;
  readonly confinement: Confinement;
  /** On top of what every command inherits. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A script for a shell. */
export interface ShellScript extends CommandBase {
  readonly script: string;
  /** With the environment of a login shell. */
  readonly login: boolean;
  /** Path or name of another shell than the user's. */
  readonly shell?: string;
}

/** A program with its arguments, started without a shell. */
export interface ProgramCall extends CommandBase {
  readonly argv: readonly string[];
}

export type Command = ShellScript | ProgramCall;

export type ShellCommand = ShellScript & { readonly timeoutMs: number };

export type CommandEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timed-out' }
  /** The program or the directory could not be used, or no sandbox could be set up; nothing ran. */
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

/** What a session printed since it was last looked at. */
export interface SessionReading {
  readonly sessionId: number;
  /** Valid text; of what is too long to keep the middle is missing. */
  readonly output: string;
  readonly omittedBytes: number;
  /** Absent: it still runs and can be written to. A session that ended is forgotten with the reading that says so. */
  readonly end: CommandEnd | undefined;
  /** Of this look, from the call to its return. */
  readonly durationMs: number;
}

interface SessionLook {
  /** How long to wait for output or the end. Ends early when the command ends. */
  readonly yieldMs: number;
  /** Ends the wait, not the session: rejects with the reason; the output is there for the next look. */
  readonly signal: AbortSignal;
  /** Must not throw; not called after the promise settled. */
  readonly onOutput?: (chunk: string) => void;
}

export type SessionWriting =
  | { readonly kind: 'read'; readonly reading: SessionReading }
  | { readonly kind: 'unknown-session' }
  /** Started without a terminal, so nothing can be written to it. */
  | { readonly kind: 'input-closed' };

/** Runs commands on the machine. One for the life of a thread. */
export interface CommandRunner {
  readonly shell: ShellInfo;
  /** The argument vector that `command` stands for: what is shown to people, and what runs inside of the sandbox. */
  argv(command: Command): readonly string[];
  /**
   * Runs to the end. A non-zero exit is a result, not an error. When `signal` fires the whole process
   * tree is killed and the promise rejects with the abort reason; `onOutput` got what was printed until then.
   * `onOutput` must not throw; it is not called after the promise settled.
   */
  run(
    command: Command & { readonly timeoutMs: number },
    options: { readonly signal: AbortSignal; readonly onOutput?: (chunk: string) => void },
  ): Promise<CommandOutcome>;
  /**
   * Starts a command that may outlive the call, and looks at it once. `tty`: on a pseudo terminal that can be written
   * to; else on pipes, with nothing to read on standard input. An abort before the look is over kills it.
   */
  openSession(command: Command & { readonly tty: boolean }, look: SessionLook): Promise<SessionReading>;
  /** Writes to a session, if `text` is not empty, and looks at what it printed. */
  writeSession(sessionId: number, look: SessionLook & { readonly text: string }): Promise<SessionWriting>;
  /** Gets what later commands share (the login environment) ready in the background. Never rejects. */
  warmUp(): void;
  /** Kills whatever still runs. After it every `run` rejects. */
  close(): Promise<void>;
}
