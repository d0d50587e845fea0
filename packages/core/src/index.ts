export type { RequestedPermissions } from './approval/authorize-command.ts';
export { confinementOf } from './approval/confinement.ts';
export { PROTECTED_ANYWHERE, PROTECTED_AT_ROOT } from './approval/protected-paths.ts';
export { backoffDelayMs } from './backoff.ts';
export { saidByPeople } from './compaction/history-shape.ts';
export type { EnvironmentFacts, GitFacts } from './context/environment.ts';
export { isUserTurnBoundary, turnAbortedMessage } from './context/fragments.ts';
export { turnContextLine } from './context/initial-context.ts';
export { modelInstructions } from './context/model-instructions.ts';
export {
  allowRuleText,
  matchRules,
  mergeRuleSets,
  type NetworkRule,
  NO_RULES,
  type PrefixRule,
  parseRules,
  type RuleSet,
  type RuleSetMatch,
  RulesError,
  type RulesErrorCode,
  type RulesPlace,
  strictestDecision,
} from './exec-policy/index.ts';
export { type PromptItems, promptItems } from './history/normalize-history.ts';
export { DEFAULT_MODEL, findModel } from './model/catalog.ts';
export type {
  CachedCatalog,
  CatalogAccess,
  CatalogCache,
  CatalogCacheReading,
  CatalogSource,
  FetchedCatalog,
} from './model/catalog-ports.ts';
export { catalogClientVersion } from './model/client-version.ts';
export { findModelIn, unknownModelWarning } from './model/find-model.ts';
export { loadCatalogParser } from './model/load-catalog-parser.ts';
export {
  type CatalogNotice,
  type CatalogTiming,
  ModelCatalog,
  type ModelCatalogOptions,
  type RefreshOutcome,
  type RefreshStrategy,
} from './model/model-catalog.ts';
export type { ModelList } from './model/model-list.ts';
export { nextAvailabilityNotice, type UpgradeOffer, upgradeOffer } from './model/model-notices.ts';
export { type ModelOverrides, withOverrides } from './model/model-overrides.ts';
export type { CatalogReading } from './model/parse-catalog.ts';
export { chooseModel, type ModelPreset, modelPresets } from './model/presets.ts';
export { allowedWebSearchMode } from './model/turn/allowed-web-search.ts';
export { resolvePersonality } from './model/turn/personality.ts';
export { resolveSettings } from './model/turn/resolve-turn.ts';
export type {
  ApprovalDecision,
  ApprovalRequest,
  Approvals,
  CellCallbacks,
  CellImage,
  CellOutcome,
  Clock,
  Command,
  CommandEnd,
  CommandOutcome,
  CommandRules,
  CommandRunner,
  Confinement,
  DirectoryEntry,
  ElicitationAnswer,
  ElicitationRequest,
  Entropy,
  FileDigest,
  FileDigests,
  FileEdit,
  FileReading,
  HookDefinition,
  HookEvent,
  HookedCall,
  HookVerdict,
  ImageReader,
  ImageReading,
  JavaScriptKernel,
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
  ModelCallOptions,
  ModelKnowledge,
  ModelPort,
  ModelRequest,
  ModelTurn,
  ModelTurnIdentity,
  PatchFiles,
  ProgramCall,
  Question,
  QuestionAnswers,
  RequestBudget,
  RestoreReport,
  RolloutWriter,
  RuleDecision,
  RuleMatch,
  SessionReading,
  SessionWriting,
  ShellCommand,
  ShellInfo,
  ShellScript,
  SnapshotRef,
  Span,
  SpanOptions,
  Telemetry,
  TelemetryAttributes,
  ToolHooks,
  WorkspaceAnswer,
  WorkspaceFiles,
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
export { millisecondsText } from './ports/telemetry.ts';
export { parseReview } from './review/parse-review.ts';
export { REVIEW_INSTRUCTIONS } from './review/review-instructions.ts';
export { type ReviewSubject, reviewLabel, reviewPrompt } from './review/review-prompt.ts';
export { ThreadReconstruction, type ThreadSeed } from './thread/reconstruct-thread.ts';
export type { ReviewOrder } from './thread/review-task.ts';
export type {
  CollaborationMode,
  CompactionSettings,
  ShellToolForm,
  ThreadSettings,
  ToolChoices,
  TurnChoices,
  WebSearchMode,
  WebSearchSettings,
} from './thread/settings.ts';
export type { TaskRequest } from './thread/task.ts';
export { TaskError } from './thread/task-error.ts';
export { Thread, type TurnRequest } from './thread/thread.ts';
export type { ThreadPorts } from './thread/thread-ports.ts';
export type { DynamicToolContent, DynamicToolDefinition } from './tools/dynamic/dynamic-tool-definition.ts';
export { loadDynamicTools } from './tools/dynamic/load-dynamic-tools.ts';
export { compileHookMatcher } from './tools/hook-matcher.ts';
export { loadJavaScriptTools } from './tools/javascript/load-javascript-tools.ts';
export { loadMcpTools, type McpToolSet } from './tools/mcp/load-mcp-tools.ts';
export type { McpToolPorts } from './tools/mcp/mcp-tool.ts';
export { loadSubAgentTools } from './tools/sub-agents/load-agent-tools.ts';
export { statusJson, subAgentNotice } from './tools/sub-agents/status-json.ts';
export type { Tool, ToolContext, ToolKind, ToolResult } from './tools/tool.ts';
export type { ToolSource } from './tools/tool-source.ts';
export { webSearchWarning } from './tools/web-search/web-search-spec.ts';
