import { type ApprovalPolicy, approvalPolicyName, type SandboxPolicy } from '@quire/protocol';
import { PROTECTED_ANYWHERE, PROTECTED_AT_ROOT } from '../approval/protected-paths.ts';
import { wrapFragment } from './fragments.ts';

/** Tells the model what it may do. Our own words; the tag and the mode names are the peer's. */
export function permissionsSection(sandbox: SandboxPolicy, approval: ApprovalPolicy): string {
  return wrapFragment('permissions', `\n${sandboxText(sandbox)}\n${approvalText(approval, sandbox)}\n`);
}

function sandboxText(sandbox: SandboxPolicy): string {
  switch (sandbox.mode) {
    case 'danger-full-access':
      return 'Sandbox mode: danger-full-access. Commands and patches run without confinement and may use the network. Be careful with everything outside the project.';
    case 'workspace-write': {
      const roots = sandbox.writableRoots.length === 0 ? '' : ` Also writable: ${sandbox.writableRoots.join(', ')}.`;
      const kept = [...PROTECTED_ANYWHERE, ...PROTECTED_AT_ROOT].join(', ');
      const network = sandbox.networkAccess ? 'the network can be used' : 'there is no network';
      return `Sandbox mode: workspace-write. Commands run in a sandbox: every file can be read, and files in the working directory and in temporary folders can be written, but not in ${kept}; ${network}.${roots} Patches may change the same files.`;
    }
    case 'read-only':
      return 'Sandbox mode: read-only. Commands run in a sandbox: every file can be read, nothing can be written, and there is no network. Patches can not be applied.';
  }
}

const ESCALATION =
  'When a command has to go beyond the sandbox, set `sandbox_permissions` to `require_escalated` and say why in `justification`, as a short question to the user.';

function approvalText(approval: ApprovalPolicy, { mode }: SandboxPolicy): string {
  const name = approvalPolicyName(approval);
  const escalation = mode === 'danger-full-access' ? '' : ` ${ESCALATION}`;
  const asked = `Approval policy: ${name}.`;
  switch (name) {
    case 'never':
      return `${asked} Nobody can be asked; a refusal is final, so choose another way and do not ask for escalation.`;
    case 'untrusted':
      return `${asked} The user is asked about every command but plain reading ones, and about patches. Do not ask for escalation.`;
    case 'on-failure':
      return `${asked} When the sandbox stops a command, the user is asked to let it run without. Do not ask for escalation.`;
    case 'on-request':
      return `${asked}${escalation} What nobody answers is refused.`;
    case 'granular':
      return typeof approval !== 'string' && approval.sandboxApproval
        ? `${asked}${escalation} What nobody answers is refused.`
        : `${asked} What goes beyond the sandbox is refused; do not ask for escalation.`;
  }
}
