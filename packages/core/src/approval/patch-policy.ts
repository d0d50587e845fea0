import { isInside, relativeTo } from '../paths.ts';
import type { ThreadSettings } from '../thread/settings.ts';

export type PatchDecision = { readonly kind: 'apply' } | { readonly kind: 'refuse'; readonly reason: string };

/** Folders that stay read-only below every writable root. Source: the peer. */
const PROTECTED_AT_ROOT: readonly string[] = ['.codex', '.agents', '.quire'];

/**
 * Whether a patch may touch `targets` (absolute, symbolic links resolved). Patches are applied by this
 * process, so the check itself is the confinement.
 */
export function decidePatch(
  targets: readonly string[],
  settings: Pick<ThreadSettings, 'cwd' | 'sandbox' | 'temporaryRoots' | 'approvalPolicy'>,
): PatchDecision {
  const { sandbox } = settings;
  if (sandbox.mode === 'danger-full-access') return { kind: 'apply' };
  if (sandbox.mode === 'read-only') {
    return refuse('the sandbox mode is read-only, so no file may be changed');
  }
  const roots = [settings.cwd, ...sandbox.writableRoots, ...settings.temporaryRoots];
  for (const target of targets) {
    const root = roots.find((candidate) => isInside(candidate, target));
    if (root === undefined) {
      return refuse(`${target} is outside of the project and of the folders that may be written to`);
    }
    if (isProtected(relativeTo(root, target))) {
      return refuse(`${target} is in a protected folder (.git, .codex, .agents, .quire)`);
    }
  }
  return settings.approvalPolicy === 'untrusted'
    ? refuse('approval policy is untrusted and nobody is there to approve the patch')
    : { kind: 'apply' };
}

function isProtected(path: string): boolean {
  const segments = path.split('/');
  return segments.includes('.git') || PROTECTED_AT_ROOT.includes(segments[0] ?? '');
}

function refuse(reason: string): PatchDecision {
  return { kind: 'refuse', reason };
}
