/** When a person is asked before something runs. Names are the configuration file's. */
export type ApprovalPolicy = 'untrusted' | 'on-failure' | 'on-request' | 'never';
/** What commands and patches may touch. Names are the configuration file's. */
export type SandboxMode = 'read-only' | 'workspace-write' | 'danger-full-access';

export interface SandboxPolicy {
  readonly mode: SandboxMode;
  /** Absolute; beside the working directory. Only for `workspace-write`. */
  readonly writableRoots: readonly string[];
  readonly networkAccess: boolean;
  readonly excludeTmpdirEnvVar: boolean;
  readonly excludeSlashTmp: boolean;
}
