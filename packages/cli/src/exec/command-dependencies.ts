import type { Quire, QuireOptions } from '@quire/agent';
import type { UserInput } from '@quire/protocol';
import type { StdinSource } from '../process/stdin-source.ts';
import type { TextSink } from '../process/text-sink.ts';
import type { StdinLimits } from './prompt.ts';
import type { StopSwitch } from './stop-switch.ts';

/** Under which requests are made. */
export const ORIGINATOR = 'quire_exec';

/** The part of `@quire/agent` that the commands stand on. */
export interface AgentModule {
  readonly Quire: new (options?: QuireOptions) => Threads;
  readonly loadImageInput: (path: string) => Promise<UserInput>;
}

export type Threads = Pick<
  Quire,
  | 'startThread'
  | 'resumeThread'
  | 'forkThread'
  | 'checkReview'
  | 'checkThread'
  | 'listThreads'
  | 'readThread'
  | 'setThreadName'
  | 'archiveThread'
  | 'unarchiveThread'
>;

/** What a command has of its process, and how it gets at the agent. */
export interface CommandDependencies {
  readonly stdin: StdinSource;
  readonly stdinLimits: StdinLimits;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Whether stdout and stderr end at the same place. */
  readonly sharedSink: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Signals of the system and failures of stdout arrive here. */
  readonly stop: StopSwitch;
  /** Called while stdin is still being read, so that loading costs nothing extra. */
  readonly loadAgent: () => Promise<AgentModule>;
}
