import { approvalPolicyName } from '@quire/protocol';
import { isInside, relativeTo } from '../paths.ts';
import type { ThreadSettings } from '../thread/settings.ts';
import { isProtectedPath, PROTECTED_ANYWHERE, PROTECTED_AT_ROOT } from './protected-paths.ts';

export type PatchDecision =
  | { readonly kind: 'apply' }
  /** `cause` says what about it has to be allowed. */
  | { readonly kind: 'ask'; readonly cause: string }
  | { readonly kind: 'refuse'; readonly reason: string };

type PatchSettings = Pick<ThreadSettings, 'cwd' | 'sandbox' | 'temporaryRoots' | 'approvalPolicy'>;

/**
 * Whether a patch may touch `targets` (absolute, symbolic links resolved). Patches are applied by this
 * process, so the check itself is the confinement. Source: the peer's decisions for patches; what the sandbox would stop
 * is known beforehand, so `on-failure` asks at once.
 */
export function decidePatch(targets: readonly string[], settings: PatchSettings): PatchDecision {
  const { sandbox, approvalPolicy } = settings;
  if (sandbox.mode === 'danger-full-access') return { kind: 'apply' };
  const obstacle = findObstacle(targets, settings);
  if (approvalPolicy === 'untrusted') return { kind: 'ask', cause: obstacle ?? 'the approval policy is untrusted' };
  if (obstacle === undefined) return { kind: 'apply' };
  const mayAsk = typeof approvalPolicy === 'string' ? approvalPolicy !== 'never' : approvalPolicy.sandboxApproval;
  if (mayAsk) return { kind: 'ask', cause: obstacle };
  return {
    kind: 'refuse',
    reason: `${obstacle}, and the settings do not let anybody be asked (approval policy ${approvalPolicyName(approvalPolicy)})`,
  };
}

/** Why not all targets may be written; `undefined` when they may. */
function findObstacle(targets: readonly string[], settings: PatchSettings): string | undefined {
  const { sandbox } = settings;
  if (sandbox.mode === 'read-only') return 'the sandbox mode is read-only, so no file may be changed';
  const writable = [settings.cwd, ...sandbox.writableRoots, ...settings.temporaryRoots];
  for (const target of targets) {
    const roots = writable.filter((root) => isInside(root, target));
    if (roots.length === 0) {
      return `${target} is outside of the project and of the folders that may be written to`;
    }
    if (roots.some((root) => isProtectedPath(relativeTo(root, target)))) {
      return `${target} is in a protected folder (${[...PROTECTED_ANYWHERE, ...PROTECTED_AT_ROOT].join(', ')})`;
    }
  }
  return undefined;
}
