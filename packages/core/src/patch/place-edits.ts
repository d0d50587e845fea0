import type { FileEdit, PatchFiles } from '../ports/patch-files.ts';
import type { PatchPlan } from './plan-patch.ts';

export interface PlacedEdits {
  /** With the place where each has to land. */
  readonly edits: readonly FileEdit[];
  /** Every place that the patch names or touches, links resolved. Permission is about these. */
  readonly targets: readonly string[];
}

/**
 * Where a plan would really read and write. A write goes through links; a deletion takes the link itself, so the place
 * of the link counts and not only what it leads to. Rejects with what `resolveTarget` rejects with.
 */
export async function placeEdits(
  plan: Pick<PatchPlan, 'edits' | 'touchedPaths'>,
  resolveTarget: PatchFiles['resolveTarget'],
): Promise<PlacedEdits> {
  const named = await Promise.all(plan.touchedPaths.map((path) => resolveTarget(path)));
  const edits = await Promise.all(
    plan.edits.map(async (edit) => ({ ...edit, target: await placeOf(edit, resolveTarget) })),
  );
  return { edits, targets: [...new Set([...named, ...edits.map(({ target }) => target)])] };
}

async function placeOf({ kind, path }: FileEdit, resolveTarget: PatchFiles['resolveTarget']): Promise<string> {
  if (kind === 'write') return resolveTarget(path);
  const slash = path.lastIndexOf('/');
  const parent = await resolveTarget(slash <= 0 ? '/' : path.slice(0, slash));
  return `${parent === '/' ? '' : parent}/${path.slice(slash + 1)}`;
}
