import type { Confinement } from '../ports/command-runner.ts';
import type { ToolContext } from '../tools/tool.ts';
import type { RequestedPermissions } from './requested-permissions.ts';

export type { RequestedPermissions } from './requested-permissions.ts';

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

/**
 * The one way of every command of the model: rules and policy, a person if need be, the sandbox, and once more without
 * it. Rejects with what `execute` rejects with, and with the reason of the signal.
 */
export async function runAuthorized<Outcome>(
  attempt: CommandAttempt<Outcome>,
  context: ToolContext,
): Promise<AttemptResult<Outcome>> {
  // Loaded with the first command: a turn without one does not need it.
  const { Authorization } = await import('./authorization.ts');
  return new Authorization(attempt, context).run();
}
