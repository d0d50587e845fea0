export { backoffDelayMs } from './backoff.ts';
export { BASE_INSTRUCTIONS } from './context/base-instructions.ts';
export type { EnvironmentFacts, GitFacts } from './context/environment.ts';
export { isUserTurnBoundary, turnAbortedMessage } from './context/fragments.ts';
export { turnContextLine } from './context/initial-context.ts';
export { modelInstructions, supportsPersonality } from './context/model-instructions.ts';
export { type PromptItems, promptItems } from './history/normalize-history.ts';
export { DEFAULT_MODEL, findModel } from './model/catalog.ts';
export type {
  Clock,
  CommandEnd,
  CommandOutcome,
  CommandRunner,
  Entropy,
  FileDigest,
  FileDigests,
  FileEdit,
  FileReading,
  ModelPort,
  ModelRequest,
  ModelTurn,
  ModelTurnIdentity,
  PatchFiles,
  RequestBudget,
  RestoreReport,
  RolloutWriter,
  ShellCommand,
  ShellInfo,
  SnapshotRef,
  WorkTreeSnapshots,
} from './ports/index.ts';
export {
  type SpawnOrder,
  type SubAgentCaller,
  SubAgentError,
  type SubAgentErrorCode,
  type SubAgentStatus,
  type SubAgents,
} from './ports/index.ts';
export { parseReview } from './review/parse-review.ts';
export { REVIEW_INSTRUCTIONS } from './review/review-instructions.ts';
export { renderReview } from './review/review-messages.ts';
export { type ReviewSubject, reviewLabel, reviewPrompt } from './review/review-prompt.ts';
export { ThreadReconstruction, type ThreadSeed } from './thread/reconstruct-thread.ts';
export type { ReviewOrder } from './thread/review-task.ts';
export type { CollaborationMode, CompactionSettings, ThreadSettings, WebSearchMode } from './thread/settings.ts';
export type { TaskRequest } from './thread/task.ts';
export { TaskError } from './thread/task-error.ts';
export { Thread, ThreadBusyError, type TurnRequest } from './thread/thread.ts';
export type { ThreadPorts } from './thread/thread-ports.ts';
export { loadSubAgentTools } from './tools/sub-agents/load-agent-tools.ts';
export { statusJson, subAgentNotice } from './tools/sub-agents/status-json.ts';
export type { Tool, ToolContext, ToolResult } from './tools/tool.ts';
