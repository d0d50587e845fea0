export { assertNever } from './assert-never.ts';
export { editDistance } from './edit-distance.ts';
export { type Brand, formatUuidV7, parseThreadId, parseTurnId, type ThreadId, type TurnId } from './ids.ts';
export {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  numberAt,
  objectAt,
  parseJsonObject,
  stringAt,
} from './json.ts';
export { ModelError, type ModelErrorCode, type ModelErrorDetails, type TransportFailure } from './model-error.ts';
export type { ModelEvent } from './model-event.ts';
export type {
  CatalogModel,
  ModelInfo,
  ModelMessages,
  ModelUpgrade,
  ModelVisibility,
  Personality,
  ReasoningLevel,
  TruncationPolicy,
} from './model-info.ts';
export type { Credentials, ModelProvider, ProviderCapabilities } from './model-provider.ts';
export {
  type ApprovalPolicy,
  type ApprovalPolicyReading,
  approvalPolicyJson,
  approvalPolicyName,
  type GranularApprovalPolicy,
  type NamedApprovalPolicy,
  readApprovalPolicy,
  type SandboxMode,
  type SandboxPolicy,
} from './policy.ts';
export type { RateLimitCredits, RateLimitSnapshot, RateLimitWindow } from './rate-limits.ts';
export {
  type AttemptReceipt,
  type ModelTransport,
  type RequestReceipt,
  type TokenBuckets,
  tokenBuckets,
} from './request-receipt.ts';
export {
  type CompactionItem,
  type CompactionTriggerItem,
  type ContentPart,
  type CustomToolCallItem,
  type CustomToolCallOutputItem,
  type FunctionCallItem,
  type FunctionCallOutputItem,
  type GhostSnapshotItem,
  type InputImageContent,
  type InputTextContent,
  type LocalShellCallItem,
  type MessageItem,
  type MessageRole,
  type OutputTextContent,
  parseResponseItem,
  type ReasoningItem,
  type ResponseItem,
  responseItemToJson,
  type ToolCallItem,
  type ToolOutputBody,
  type ToolOutputItem,
  type ToolOutputPart,
  type ToolSearchCallItem,
  type ToolSearchOutputItem,
  type UnknownContent,
  type UnknownItem,
  type WebSearchCallItem,
} from './response-item.ts';
export type {
  CollaborationModeLine,
  CompactedLine,
  GitInfo,
  RolloutEvent,
  RolloutLine,
  SessionMeta,
  TurnContextLine,
} from './rollout-line.ts';
export type { LocalFailureCode, ThreadEvent, ThreadTokenUsage, TurnFailure, TurnOutcome } from './thread-event.ts';
export { addUsage, blendedTotal, type TokenUsage, ZERO_USAGE } from './token-usage.ts';
export type { ToolSpec } from './tool-spec.ts';
export type {
  CommandStatus,
  CompactionStrategyName,
  FileChangeStatus,
  FileChangeSummary,
  PlanStep,
  ReviewFinding,
  ReviewResult,
  TurnItem,
  TurnItemKind,
} from './turn-item.ts';
export type { UserInput } from './user-input.ts';
