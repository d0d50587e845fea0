export type { Clock, Entropy } from './clock.ts';
export type { CommandEnd, CommandOutcome, CommandRunner, ShellCommand, ShellInfo } from './command-runner.ts';
export type { ModelPort, ModelRequest, ModelTurn, ModelTurnIdentity } from './model-port.ts';
export type { FileEdit, FileReading, PatchFiles } from './patch-files.ts';
export type { RolloutWriter } from './rollout-writer.ts';
