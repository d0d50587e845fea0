export { AgentError, type AgentErrorCode, TurnFailedError } from './agent-error.ts';
export type {
  AgentThread,
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
export { Quire } from './quire.ts';
export { VERSION } from './version.ts';
