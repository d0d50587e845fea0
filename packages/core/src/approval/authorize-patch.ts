import type { FileChangeSummary } from '@quire/protocol';
import type { ToolContext } from '../tools/tool.ts';
import { needsApproval } from './needs-approval.ts';
import { decidePatch } from './patch-policy.ts';
import { rejectedByUser } from './rejected-by-user.ts';

export type PatchAuthorization =
  /** `wasAsked`: time went by, so what was shown has to be compared with what would be written now. */
  | { readonly kind: 'allowed'; readonly wasAsked: boolean }
  /** `message` is the whole text for the model and for people. */
  | { readonly kind: 'refused'; readonly message: string };

/** Policy, approvals of the session, and a person if need be. Rejects only with the reason of the signal. */
export async function authorizePatch(
  patch: {
    readonly callId: string;
    readonly changes: readonly FileChangeSummary[];
    /** Every file that is touched, move targets included: absolute, symbolic links resolved. */
    readonly targets: readonly string[];
  },
  context: Pick<ToolContext, 'settings' | 'approvals' | 'turnId' | 'signal' | 'interrupt' | 'noteDecision'>,
): Promise<PatchAuthorization> {
  const { approvals, turnId, signal } = context;
  const { callId, changes } = patch;
  const decision = decidePatch(patch.targets, context.settings);
  const keys = patch.targets.map((target) => `patch:${target}`);
  if (decision.kind === 'apply' || (decision.kind === 'ask' && approvals.isAllowed(keys))) {
    context.noteDecision?.('approved', 'settings');
    return { kind: 'allowed', wasAsked: false };
  }
  if (decision.kind === 'refuse' || approvals.isUnattended) context.noteDecision?.('denied', 'settings');
  if (decision.kind === 'refuse') return { kind: 'refused', message: `patch rejected: ${decision.reason}` };
  if (approvals.isUnattended) {
    const end = { why: 'nobody is there to give it', instead: 'change only files that may be written to' };
    return { kind: 'refused', message: `patch rejected: ${decision.cause}; it ${needsApproval(end)}` };
  }
  const request = { kind: 'patch', turnId, callId, reason: decision.cause, changes } as const;
  const answer = await approvals.ask(request, { keys, signal });
  context.noteDecision?.(answer.kind, 'person');
  if (answer.kind === 'aborted') {
    context.interrupt();
    return { kind: 'refused', message: 'aborted by user' };
  }
  if (answer.kind !== 'denied') return { kind: 'allowed', wasAsked: true };
  return { kind: 'refused', message: rejectedByUser('patch', answer) };
}
