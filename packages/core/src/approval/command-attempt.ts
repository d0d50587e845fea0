import type { Confinement } from '../ports/command-runner.ts';
import type { RequestedPermissions } from './requested-permissions.ts';

export interface CommandAttempt<Outcome> {
  readonly callId: string;
  /** Exactly what will run inside of the confinement. */
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly tty?: boolean;
  readonly permissions: RequestedPermissions;
  /** Runs it so confined. Called once, or twice when the sandbox was in the way and somebody allowed to go without. */
  readonly execute: (confinement: Confinement) => Promise<Outcome>;
  /** For a look at whether the sandbox was in the way; absent when it still runs. */
  readonly resultOf: (outcome: Outcome) => { readonly exitCode: number; readonly output: string } | undefined;
}

export type AttemptResult<Outcome> =
  | { readonly kind: 'ran'; readonly outcome: Outcome }
  /** `reason` is the whole text for the model and for people, such as `exec command rejected by user`. */
  | { readonly kind: 'refused'; readonly reason: string };
