import type { ReviewTarget, ReviewTargetFacts } from './review-target.ts';

/**
 * Checks a target and gives the facts about it. The repository is only read, and nothing is run that it or its
 * configuration names. Rejects with `ReviewTargetError` or the reason of `signal`.
 */
export async function readReviewTarget(
  target: ReviewTarget,
  options: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<ReviewTargetFacts> {
  const { inspectReviewTarget } = await import('./inspect-review-target.ts');
  return inspectReviewTarget(target, options);
}
