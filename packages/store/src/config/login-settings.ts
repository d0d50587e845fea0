import type { SettingReader } from './setting-reader.ts';

/** How people sign in, and where what they got is kept. */
export interface LoginSettings {
  /** Absent: either one. */
  readonly forcedLoginMethod: 'chatgpt' | 'api' | undefined;
  /** Logins to other workspaces are refused. Absent: any. Not empty. */
  readonly forcedWorkspaceIds: readonly string[] | undefined;
  readonly credentialsStore: 'file' | 'keyring' | 'auto' | 'ephemeral';
  /** Address of the account service. Absent: the built-in one. */
  readonly chatgptBaseUrl: string | undefined;
}

/** @param owner of the layers that are not the project's: a project has no say in this */
export function readLoginSettings(owner: SettingReader): LoginSettings {
  return {
    forcedLoginMethod: owner.oneOf({ key: 'forced_login_method' }, ['chatgpt', 'api']),
    forcedWorkspaceIds: readWorkspaces(owner),
    credentialsStore:
      owner.oneOf({ key: 'cli_auth_credentials_store' }, ['file', 'keyring', 'auto', 'ephemeral']) ?? 'file',
    chatgptBaseUrl: owner.url({ key: 'chatgpt_base_url' }),
  };
}

function readWorkspaces(owner: SettingReader): readonly string[] | undefined {
  const setting = { key: 'forced_chatgpt_workspace_id' } as const;
  const ids = owner.stringOrList(setting);
  // Source: the peer. It fits no workspace, and what fits none costs the stored login.
  if (ids?.some((id) => id.includes(','))) throw owner.invalid(setting, 'is a list in one string; write ["ID", "ID"]');
  const named = ids?.map((id) => id.trim()).filter((id) => id !== '');
  return named?.length === 0 ? undefined : named;
}
