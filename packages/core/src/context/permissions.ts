import type { ApprovalPolicy, SandboxPolicy } from '@quire/protocol';
import { wrapFragment } from './fragments.ts';

/**
 * Tells the model what it may do. Our own words; the tag and the mode names are the peer's.
 * It must stay true: without a sandbox, restricted modes refuse what they can not confine.
 */
export function permissionsSection(sandbox: SandboxPolicy, approval: ApprovalPolicy): string {
  return wrapFragment('permissions', `\n${sandboxText(sandbox)}\n${approvalText(approval)}\n`);
}

function sandboxText(sandbox: SandboxPolicy): string {
  switch (sandbox.mode) {
    case 'danger-full-access':
      return 'Sandbox mode: danger-full-access. Commands and patches run without confinement and may use the network. Be careful with everything outside the project.';
    case 'workspace-write': {
      const roots = sandbox.writableRoots.length === 0 ? '' : ` Also writable: ${sandbox.writableRoots.join(', ')}.`;
      return `Sandbox mode: workspace-write. Patches may change files in the working directory and in temporary folders, but not in .git, .codex or .agents.${roots} Only plain reading commands run; any other command is refused, because there is no sandbox here to confine it.`;
    }
    case 'read-only':
      return 'Sandbox mode: read-only. Files can be read and plain reading commands run; patches and every other command are refused, because there is no sandbox here to confine them.';
  }
}

function approvalText(approval: ApprovalPolicy): string {
  if (approval === 'never') {
    return 'Approval policy: never. Nobody can be asked; a refusal is final, so choose another way and do not ask for escalation.';
  }
  return `Approval policy: ${approval}. Nobody is there to answer in this session; what would need an approval is refused.`;
}
