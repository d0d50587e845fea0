import { isDangerousCommand, isKnownSafeCommand } from '../shell/index.ts';
import type { ThreadSettings } from '../thread/settings.ts';

export type CommandDecision =
  | { readonly kind: 'run' }
  /** `reason` is told to the model and to people. */
  | { readonly kind: 'refuse'; readonly reason: string };

/**
 * Whether a command may run. No sandbox exists yet and nobody can be asked, so every "ask" and every
 * "run confined" of the decision table is a refusal that says so.
 * Source: the peer's decisions for commands without a rule.
 */
export function decideCommand(
  script: string,
  request: { readonly escalated: boolean },
  settings: Pick<ThreadSettings, 'approvalPolicy' | 'sandbox'>,
): CommandDecision {
  const { approvalPolicy, sandbox } = settings;
  if (request.escalated && approvalPolicy !== 'on-request') {
    return refuse(`approval policy is ${approvalPolicy}: do not ask for escalated permissions`);
  }
  if (isKnownSafeCommand(script)) return { kind: 'run' };
  if (isDangerousCommand(script)) {
    const why = approvalPolicy === 'never' ? 'the approval policy is never' : 'nobody is there to give it';
    return refuse(
      `this command deletes without asking (such as \`rm -f\`), which needs an approval, and ${why}; remove files one by one with plain \`rm\` or \`apply_patch\``,
    );
  }
  if (sandbox.mode === 'danger-full-access') {
    return approvalPolicy === 'untrusted'
      ? refuse('approval policy is untrusted and nobody is there to approve the command')
      : { kind: 'run' };
  }
  return refuse(
    `sandbox mode is ${sandbox.mode} and no sandbox is available to confine this command; only plain reading commands run. ` +
      'The user can allow everything with `-s danger-full-access`',
  );
}

function refuse(reason: string): CommandDecision {
  return { kind: 'refuse', reason };
}
