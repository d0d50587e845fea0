export { AgentError, type AgentErrorCode, TurnFailedError } from './agent-error.ts';
export type {
  AgentThread,
  QuireOptions,
  ResumeTarget,
  ThreadFacts,
  ThreadOptions,
  TurnOptions,
  TurnResult,
} from './api.ts';
export { loadImageInput } from './image-input.ts';
export { Quire } from './quire.ts';
export { VERSION } from './version.ts';
