import type { Confinement } from '@quire/core';

export type SandboxBackendName = 'bubblewrap' | 'landlock' | 'seatbelt';

export type SandboxedConfinement = Extract<Confinement, { readonly kind: 'sandbox' }>;

export interface SandboxRequest {
  /** The program and its arguments; no shell comes between. */
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly confinement: SandboxedConfinement;
  readonly environment: Readonly<Record<string, string>>;
  /** Descriptors above 2 that the program is given; all others are closed. In ascending order. Default none. */
  readonly passedFds?: readonly number[];
}

export type SandboxedStart =
  | {
      readonly kind: 'ready';
      /** What is to be started instead. */
      readonly path: string;
      readonly args: readonly string[];
      readonly environment: Readonly<Record<string, string>>;
      /** To be passed on as descriptors 3, 4, …; open until `release`. */
      readonly extraFds: readonly number[];
      /** Call it when the process has ended, or could not be started. Twice is fine. */
      readonly release: () => void;
    }
  /** Nothing that was tried works here; what, why, and what that means. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** What a try of one backend came to. */
export interface BackendReport {
  readonly backend: SandboxBackendName;
  readonly works: boolean;
  /** Version, or the reason why not; one line. */
  readonly detail: string;
  /** What it does not protect against; empty when there is nothing to say. */
  readonly gaps: readonly string[];
}

export interface SandboxReport {
  /** The one that is used; absent: commands that are to be confined are refused. */
  readonly chosen: SandboxBackendName | undefined;
  /** In the order of trying. */
  readonly tried: readonly BackendReport[];
}

/** Confines commands by means of the kernel. Starts nothing before it is asked to. */
export interface Sandbox {
  wrap(request: SandboxRequest): Promise<SandboxedStart>;
  /** Tries every backend for real, once. */
  probe(): Promise<SandboxReport>;
  /**
   * Ends the proxy for allowed hosts, and removes what is kept for the next command. Twice is fine. Without it the end
   * of the process does.
   */
  close(): Promise<void>;
}

export interface SandboxOptions {
  /** Only this one. Default: the strongest that works. */
  readonly backend?: SandboxBackendName;
  /** Says where the home of the user and that of the agent are. Default: the environment of this process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /**
   * What commands with `network: 'proxied'` may reach: names of hosts, and `*.name` for all below one. Absent: such
   * commands are refused.
   */
  readonly allowedHosts?: readonly string[];
}
