export { systemClock } from './clock.ts';
export { describeHost, type HostDescription } from './describe-host.ts';
export { systemEntropy } from './entropy.ts';
export { FileEditError, type FileEditErrorCode } from './files/apply-edits.ts';
export { createFileDigests } from './files/file-digests.ts';
export { createPatchFiles } from './files/patch-files.ts';
export { type GitFacts, type GitFactsOptions, isInsideGitRepository, readGitFacts } from './git/git-facts.ts';
export type { ImageFormat } from './image/image-header.ts';
export { IMAGE_MAX_BYTES, ImageError, type ImageErrorCode, type LoadedImage, loadImage } from './image/load-image.ts';
export {
  DEFAULT_PROJECT_INSTRUCTIONS_MAX_BYTES,
  type ProjectDocument,
  type ProjectInstructions,
  type ProjectInstructionsOptions,
  readProjectInstructions,
} from './instructions/project-instructions.ts';
export { type CommandRunnerOptions, createCommandRunner } from './process/command-runner.ts';
export { readReviewTarget } from './review/read-review-target.ts';
export {
  type ReviewTarget,
  ReviewTargetError,
  type ReviewTargetErrorCode,
  type ReviewTargetFacts,
} from './review/review-target.ts';
export { SnapshotError, type SnapshotErrorCode } from './snapshots/snapshot-error.ts';
export {
  createWorkTreeSnapshots,
  type PrunableSnapshots,
  type WorkTreeSnapshotsOptions,
} from './snapshots/work-tree-snapshots.ts';
export { localTimezone } from './timezone.ts';
