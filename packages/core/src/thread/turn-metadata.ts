import type { JsonObject, TurnId } from '@quire/protocol';
import type { ThreadSettings } from './settings.ts';

/** What rides beside each request of a turn. Source: the peer's `x-codex-turn-metadata`, its small form of early 2026. */
export function turnMetadata(turnId: TurnId, settings: Pick<ThreadSettings, 'environment' | 'sandbox'>): JsonObject {
  const { git } = settings.environment;
  const sandbox = settings.sandbox.mode === 'danger-full-access' ? 'none' : settings.sandbox.mode;
  if (git === undefined) return { turn_id: turnId, sandbox };
  const workspace: JsonObject = {
    ...(Object.keys(git.remotes).length === 0 ? {} : { associated_remote_urls: git.remotes }),
    ...(git.commitHash === undefined ? {} : { latest_git_commit_hash: git.commitHash }),
  };
  return { turn_id: turnId, workspaces: { [git.root]: workspace }, sandbox };
}
