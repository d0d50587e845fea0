import type { ApprovalPolicy } from '@quire/protocol';
import type { McpTool } from '../../ports/mcp-servers.ts';
import type { ThreadSettings } from '../../thread/settings.ts';

export type McpCallDecision =
  | { readonly kind: 'run' }
  | { readonly kind: 'ask' }
  /** It needs an approval, and the policy allows nobody to be asked. */
  | { readonly kind: 'refuse' };

/**
 * What happens before a tool of a server runs. A tool that says nothing of itself counts as one that changes things.
 * Source: observed with the peer 0.169, where policy `never` with full access is the only one that needs no approval.
 */
export function decideMcpCall(
  tool: Pick<McpTool, 'approvalMode' | 'hints'>,
  { approvalPolicy, sandbox }: Pick<ThreadSettings, 'approvalPolicy' | 'sandbox'>,
): McpCallDecision {
  const isUnlimited = approvalPolicy === 'never' && sandbox.mode === 'danger-full-access';
  if (isUnlimited || !needsApproval(tool)) return { kind: 'run' };
  return mayAsk(approvalPolicy) ? { kind: 'ask' } : { kind: 'refuse' };
}

/** Whether a person may be bothered because of a server: with an approval, or with a form. */
export function mayAsk(policy: ApprovalPolicy): boolean {
  return typeof policy === 'string' ? policy !== 'never' : policy.mcpElicitations;
}

function needsApproval({ approvalMode, hints }: Pick<McpTool, 'approvalMode' | 'hints'>): boolean {
  const { readOnly = false, destructive, openWorld } = hints;
  switch (approvalMode) {
    case 'approve':
      return false;
    case 'prompt':
      return true;
    case 'writes':
      return destructive === true || !readOnly;
    default:
      if (destructive === true) return true;
      return !readOnly && ((destructive ?? true) || (openWorld ?? true));
  }
}
