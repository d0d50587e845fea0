import type { ToolContext } from '../tools/tool.ts';
import type { AttemptResult, CommandAttempt } from './command-attempt.ts';

export type { AttemptResult, CommandAttempt } from './command-attempt.ts';
export type { RequestedPermissions } from './requested-permissions.ts';

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
