import { type ApprovalPolicy, readApprovalPolicy, type SandboxMode, type SandboxPolicy } from '@quire/protocol';
import { isTable } from './layers.ts';
import type { SettingReader } from './setting-reader.ts';

export interface SafetySettings {
  /** Absent: nobody chose; the trust in the project decides. */
  readonly approvalPolicy: ApprovalPolicy | undefined;
  /** Absent: nobody chose; the trust in the project decides. */
  readonly sandboxMode: SandboxMode | undefined;
  /** Counts only under `workspace-write`, whoever chose that mode. */
  readonly sandboxWorkspaceWrite: Omit<SandboxPolicy, 'mode'>;
  /** What commands may reach when they may use the network at all. Absent: everything. */
  readonly allowedHosts: readonly string[] | undefined;
}

/**
 * Keys of other clients that nothing here reads, and whose silent loss would be taken for protection. The
 * values named lose nothing. Source: configuration facts.
 */
const UNREAD_PROTECTION: Readonly<Record<string, { readonly harmless: readonly unknown[]; readonly instead: string }>> =
  {
    permissions: { harmless: [], instead: 'sandbox_mode and sandbox_workspace_write say what commands may do' },
    default_permissions: { harmless: [], instead: 'sandbox_mode and sandbox_workspace_write say what commands may do' },
    approvals_reviewer: { harmless: ['user'], instead: 'approvals are asked of the user' },
    mcp_oauth_credentials_store: {
      harmless: ['auto', 'file'],
      instead: 'logins of MCP servers are kept in .credentials.json in the home folder',
    },
  };

export function readSafetySettings(reader: SettingReader, warnings: string[]): SafetySettings {
  reader.requireTable('sandbox_workspace_write');
  for (const [key, { harmless, instead }] of Object.entries(UNREAD_PROTECTION)) {
    const value = reader.merged[key];
    if (value !== undefined && !harmless.includes(value)) warnings.push(`${key} is not read: ${instead}`);
  }
  return {
    approvalPolicy: approvalPolicyOf(reader, warnings),
    sandboxMode: reader.oneOf({ key: 'sandbox_mode' }, ['read-only', 'workspace-write', 'danger-full-access']),
    sandboxWorkspaceWrite: {
      writableRoots: reader.pathList({ key: 'sandbox_workspace_write.writable_roots' }) ?? [],
      networkAccess: reader.boolean({ key: 'sandbox_workspace_write.network_access' }) ?? false,
      excludeTmpdirEnvVar: reader.boolean({ key: 'sandbox_workspace_write.exclude_tmpdir_env_var' }) ?? false,
      excludeSlashTmp: reader.boolean({ key: 'sandbox_workspace_write.exclude_slash_tmp' }) ?? false,
    },
    allowedHosts: reader.stringList({ key: 'sandbox_workspace_write.allowed_hosts' }),
  };
}

/** A name, or a table that says which kinds of questions may be asked. */
function approvalPolicyOf(reader: SettingReader, warnings: string[]): ApprovalPolicy | undefined {
  const setting = { key: 'approval_policy' } as const;
  const raw = reader.raw(setting);
  const value = isTable(raw) ? raw : reader.string(setting);
  if (value === undefined) return undefined;
  const reading = readApprovalPolicy(value);
  if (reading.kind === 'invalid') throw reader.invalid(setting, reading.problem);
  for (const key of reading.missingKeys) {
    warnings.push(
      `approval_policy: ${key} is not set in the table, so such questions are refused; set it to true or false`,
    );
  }
  for (const key of reading.unknownKeys) warnings.push(`approval_policy: ${key} is not known and was ignored`);
  return reading.policy;
}
