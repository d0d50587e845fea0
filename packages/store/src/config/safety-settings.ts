import type { ApprovalPolicy, SandboxMode, SandboxPolicy } from '@quire/protocol';
import { isTable } from './layers.ts';
import type { SettingReader } from './setting-reader.ts';

export interface SafetySettings {
  /** Absent: nobody chose; the trust in the project decides. */
  readonly approvalPolicy: ApprovalPolicy | undefined;
  /** Absent: nobody chose; the trust in the project decides. */
  readonly sandboxMode: SandboxMode | undefined;
  /** Counts only under `workspace-write`, whoever chose that mode. */
  readonly sandboxWorkspaceWrite: Omit<SandboxPolicy, 'mode'>;
}

export function readSafetySettings(reader: SettingReader, warnings: string[]): SafetySettings {
  reader.requireTable('sandbox_workspace_write');
  return {
    approvalPolicy: readApprovalPolicy(reader, warnings),
    sandboxMode: reader.oneOf({ key: 'sandbox_mode' }, ['read-only', 'workspace-write', 'danger-full-access']),
    sandboxWorkspaceWrite: {
      writableRoots: reader.pathList({ key: 'sandbox_workspace_write.writable_roots' }) ?? [],
      networkAccess: reader.boolean({ key: 'sandbox_workspace_write.network_access' }) ?? false,
      excludeTmpdirEnvVar: reader.boolean({ key: 'sandbox_workspace_write.exclude_tmpdir_env_var' }) ?? false,
      excludeSlashTmp: reader.boolean({ key: 'sandbox_workspace_write.exclude_slash_tmp' }) ?? false,
    },
  };
}

/** Newer files may hold a table of switches here. The closest named policy stands in for it. */
function readApprovalPolicy(reader: SettingReader, warnings: string[]): ApprovalPolicy | undefined {
  const setting = { key: 'approval_policy' } as const;
  if (isTable(reader.raw(setting))) {
    warnings.push('approval_policy: the table form is not supported and counts as "on-request"');
    return 'on-request';
  }
  return reader.oneOf(setting, ['untrusted', 'on-failure', 'on-request', 'never']);
}
