export type { Clock, Entropy } from './clock.ts';
export type { CommandEnd, CommandOutcome, CommandRunner, ShellCommand, ShellInfo } from './command-runner.ts';
export type { FileDigest, FileDigests } from './file-digests.ts';
export type { ModelPort, ModelRequest, ModelTurn, ModelTurnIdentity } from './model-port.ts';
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
export type { RestoreReport, SnapshotRef, WorkTreeSnapshots } from './work-tree-snapshots.ts';
