export type {
  ApprovalDecision,
  ApprovalRequest,
  Approvals,
  ElicitationAnswer,
  ElicitationRequest,
  Question,
  QuestionAnswers,
} from './approvals.ts';
export type { Clock, Entropy } from './clock.ts';
export type { CommandRules, RuleDecision, RuleMatch } from './command-rules.ts';
export type {
  Command,
  CommandEnd,
  CommandOutcome,
  CommandRunner,
  Confinement,
  ProgramCall,
  SessionReading,
  SessionWriting,
  ShellCommand,
  ShellInfo,
  ShellScript,
} from './command-runner.ts';
export type { FileDigest, FileDigests } from './file-digests.ts';
export type { HookDefinition, HookEvent } from './hook-definition.ts';
export type { ImageReader, ImageReading } from './image-reader.ts';
export type { CellCallbacks, CellImage, CellOutcome, JavaScriptKernel } from './javascript-kernel.ts';
export type {
  McpApprovalMode,
  McpCallOptions,
  McpHttpTransport,
  McpReading,
  McpResourceKind,
  McpResourcePage,
  McpServerConfig,
  McpServers,
  McpStdioTransport,
  McpTool,
  McpToolHints,
  McpToolOutcome,
} from './mcp-servers.ts';
export type { ModelKnowledge } from './model-knowledge.ts';
export type { ModelCallOptions, ModelPort, ModelRequest, ModelTurn, ModelTurnIdentity } from './model-port.ts';
export type { FileEdit, FileReading, PatchFiles } from './patch-files.ts';
export type { RequestBudget } from './request-budget.ts';
export type { RolloutWriter } from './rollout-writer.ts';
export {
  type SpawnOrder,
  type SubAgentCaller,
  SubAgentError,
  type SubAgentErrorCode,
  type SubAgentStatus,
  type SubAgents,
} from './sub-agents.ts';
export type { Span, SpanOptions, Telemetry, TelemetryAttributes } from './telemetry.ts';
export type { HookedCall, HookVerdict, ToolHooks } from './tool-hooks.ts';
export type { RestoreReport, SnapshotRef, WorkTreeSnapshots } from './work-tree-snapshots.ts';
export type { DirectoryEntry, WorkspaceAnswer, WorkspaceFiles } from './workspace-files.ts';
