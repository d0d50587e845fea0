import { assertNever } from '@quire/protocol';

/** What is to be reviewed, with the facts that the reviewer needs to find it. */
export type ReviewSubject =
  | { readonly kind: 'uncommitted' }
  /** `mergeBase` is the commit at which the work left `branch`; absent when it is not known. */
  | { readonly kind: 'base'; readonly branch: string; readonly mergeBase: string | undefined }
  | { readonly kind: 'commit'; readonly sha: string; readonly title: string | undefined }
  | { readonly kind: 'custom'; readonly instructions: string };

const SHORT_SHA = 7;

/** A few words for people. */
export function reviewLabel(subject: ReviewSubject): string {
  switch (subject.kind) {
    case 'uncommitted':
      return 'current changes';
    case 'base':
      return `changes against ${subject.branch}`;
    case 'commit': {
      const title = subject.title === undefined || subject.title === '' ? '' : `: ${subject.title}`;
      return `commit ${subject.sha.slice(0, SHORT_SHA)}${title}`;
    }
    case 'custom':
      return subject.instructions.trim().split('\n', 1)[0] ?? '';
    default:
      return assertNever(subject, 'reviewLabel');
  }
}

/** The one message that the reviewer gets. */
export function reviewPrompt(subject: ReviewSubject): string {
  switch (subject.kind) {
    case 'uncommitted':
      return 'Review the changes of this work tree that are not committed yet: staged, unstaged and untracked files.';
    case 'base':
      return subject.mergeBase === undefined
        ? `Review the work on the current branch against the branch ${subject.branch}. Find the commit at which it left that branch with \`git merge-base HEAD ${subject.branch}\` and look at \`git diff\` from there.`
        : `Review the work on the current branch against the branch ${subject.branch}. It left that branch at commit ${subject.mergeBase}: \`git diff ${subject.mergeBase}\` shows all of it.`;
    case 'commit': {
      const title = subject.title === undefined || subject.title === '' ? '' : ` ("${subject.title}")`;
      return `Review the change that commit ${subject.sha}${title} makes: \`git show ${subject.sha}\`.`;
    }
    case 'custom':
      return subject.instructions.trim();
    default:
      return assertNever(subject, 'reviewPrompt');
  }
}
