export type ReviewTarget =
  | { readonly kind: 'uncommitted' }
  | { readonly kind: 'base'; readonly branch: string }
  | { readonly kind: 'commit'; readonly sha: string };

/** What a review has to know of its target. */
export type ReviewTargetFacts =
  | {
      readonly kind: 'uncommitted';
      readonly hasStaged: boolean;
      readonly hasUnstaged: boolean;
      readonly hasUntracked: boolean;
      readonly hasChanges: boolean;
    }
  | {
      readonly kind: 'base';
      readonly branch: string;
      /** What HEAD was compared with: the branch, or its upstream when that has commits which the branch has not. */
      readonly comparedWith: string;
      readonly mergeBase: string;
      /** Whether tracked files of the work tree differ from the merge base. */
      readonly hasChanges: boolean;
    }
  | {
      readonly kind: 'commit';
      /** In full. */
      readonly sha: string;
      readonly title: string;
      readonly hasChanges: boolean;
    };

export type ReviewTargetErrorCode =
  | 'no-repository'
  | 'no-commits'
  | 'unknown-branch'
  | 'unknown-commit'
  | 'no-merge-base'
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
