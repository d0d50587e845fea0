export type ReviewTarget =
  | { readonly kind: 'uncommitted' }
  | { readonly kind: 'base'; readonly branch: string }
  | { readonly kind: 'commit'; readonly sha: string };

/** What a review has to know of its target. */
export type ReviewTargetFacts =
  | { readonly kind: 'uncommitted' }
  | {
      readonly kind: 'base';
      readonly branch: string;
      /** Of HEAD and the branch, or its upstream when that has commits which the branch has not. */
      readonly mergeBase: string;
    }
  | {
      readonly kind: 'commit';
      /** In full. */
      readonly sha: string;
      readonly title: string;
    };

export type ReviewTargetErrorCode =
  | 'no-repository'
  | 'no-commits'
  | 'unknown-branch'
  | 'unknown-commit'
  | 'no-merge-base'
  /** There are no differences: nothing to ask a model about. */
  | 'no-changes'
  | 'git-failed';

/** A target that can not be reviewed. The message is one line that says what to do. */
export class ReviewTargetError extends Error {
  override readonly name = 'ReviewTargetError';
  readonly code: ReviewTargetErrorCode;

  constructor(code: ReviewTargetErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }
}
