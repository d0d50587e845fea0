export { backoffDelayMs } from './backoff.ts';
export { BASE_INSTRUCTIONS } from './context/base-instructions.ts';
export type { EnvironmentFacts, GitFacts } from './context/environment.ts';
export { DEFAULT_MODEL, findModel } from './model/catalog.ts';
export type {
  Clock,
  CommandEnd,
  CommandOutcome,
  CommandRunner,
  Entropy,
  FileEdit,
  FileReading,
  ModelPort,
  ModelRequest,
  ModelTurn,
  ModelTurnIdentity,
  PatchFiles,
  RolloutWriter,
  ShellCommand,
  ShellInfo,
} from './ports/index.ts';
export { ThreadReconstruction, type ThreadSeed } from './thread/reconstruct-thread.ts';
export type { ThreadSettings, WebSearchMode } from './thread/settings.ts';
export { Thread, ThreadBusyError, type ThreadPorts, type TurnRequest } from './thread/thread.ts';
