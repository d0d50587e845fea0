export type { HostTokens, TokenHost } from '@quire/auth';
export type {
  ApprovalDecision,
  ApprovalRequest,
  DynamicToolContent,
  DynamicToolDefinition,
  ElicitationAnswer,
  ElicitationRequest,
  ModelPreset,
  Question,
  QuestionAnswers,
  RefreshOutcome,
  RefreshStrategy,
  ToolHooks,
} from '@quire/core';
export type { SandboxBackendName, SandboxReport } from '@quire/host';
export { AgentError, type AgentErrorCode, TurnFailedError } from './agent-error.ts';
export type {
  AgentThread,
  DamagedThread,
  ForkOptions,
  ListOptions,
  QuireOptions,
  ResumeTarget,
  ReviewTarget,
  Submission,
  TaskOptions,
  ThreadFacts,
  ThreadOptions,
  ThreadSummary,
  TurnOptions,
  TurnOverrides,
  TurnResult,
} from './api.ts';
export { loadImageInput } from './image-input.ts';
export type { ModelListing } from './models/list-models.ts';
export type { AskOptions, Person } from './person.ts';
export { Quire } from './quire.ts';
export type { SandboxedCommand } from './sandboxed-command.ts';
export { KnownSecrets } from './secrets.ts';
export { VERSION } from './version.ts';
