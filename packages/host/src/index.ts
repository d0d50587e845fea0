export { systemClock } from './clock.ts';
export { describeHost, type HostDescription } from './describe-host.ts';
export { systemEntropy } from './entropy.ts';
export { FileEditError, type FileEditErrorCode } from './files/apply-edits.ts';
export { createFileDigests } from './files/file-digests.ts';
export { createPatchFiles } from './files/patch-files.ts';
export { createWorkspaceFiles, type WorkspaceFilesOptions } from './files/workspace-files.ts';
export { type GitFacts, type GitFactsOptions, isInsideGitRepository, readGitFacts } from './git/git-facts.ts';
export { combineHooks } from './hooks/combine-hooks.ts';
export { type ClosableToolHooks, createToolHooks } from './hooks/create-tool-hooks.ts';
export { type GuardHooksOptions, guardHooks } from './hooks/guard-hooks.ts';
export type { HookSession, ToolHooksOptions } from './hooks/hook-options.ts';
export type { ImageFormat } from './image/image-header.ts';
export type { ImageErrorCode } from './image/image-problem.ts';
export { createImageReader } from './image/image-reader.ts';
export { ImageError, type LoadedImage, loadImage } from './image/load-image.ts';
export { IMAGE_MAX_BYTES } from './image/read-image-file.ts';
export {
  DEFAULT_PROJECT_INSTRUCTIONS_MAX_BYTES,
  type ProjectDocument,
  type ProjectInstructions,
  type ProjectInstructionsOptions,
  readProjectInstructions,
} from './instructions/project-instructions.ts';
export { createJavaScriptKernel } from './javascript/create-javascript-kernel.ts';
export type { JavaScriptKernelOptions } from './javascript/kernel-options.ts';
export { loadMcpPool } from './mcp/load-mcp-pool.ts';
export { McpError, type McpErrorCode } from './mcp/mcp-error.ts';
export type { McpLease, McpServerStatus } from './mcp/mcp-lease.ts';
export type { McpAcquisition, McpPool, McpPoolOptions } from './mcp/mcp-pool.ts';
export type { LoginPlace, StoredLogin } from './mcp/oauth/credentials-file.ts';
export { loadMcpLogins, type McpLogins } from './mcp/oauth/load-mcp-logins.ts';
export type { McpLoginOptions } from './mcp/oauth/login.ts';
export { type CommandRunnerOptions, createCommandRunner } from './process/command-runner.ts';
export { runProgram } from './process/run-program.ts';
export { findUserShell } from './process/shell.ts';
export { type ProgramApart, startApart } from './process/start-apart.ts';
export { readReviewTarget } from './review/read-review-target.ts';
export {
  type ReviewTarget,
  ReviewTargetError,
  type ReviewTargetErrorCode,
  type ReviewTargetFacts,
} from './review/review-target.ts';
export { createSandbox } from './sandbox/create-sandbox.ts';
export type {
  BackendReport,
  Sandbox,
  SandboxBackendName,
  SandboxedStart,
  SandboxOptions,
  SandboxReport,
  SandboxRequest,
} from './sandbox/sandbox.ts';
export { SnapshotError, type SnapshotErrorCode } from './snapshots/snapshot-error.ts';
export {
  createWorkTreeSnapshots,
  type PrunableSnapshots,
  type WorkTreeSnapshotsOptions,
} from './snapshots/work-tree-snapshots.ts';
export { localTimezone } from './timezone.ts';
