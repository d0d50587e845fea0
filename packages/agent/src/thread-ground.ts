import type { CredentialsSource } from '@quire/auth';
import type { RequestBudget, Thread, ThreadSeed, ThreadSettings, Tool } from '@quire/core';
import type { JsonValue, ThreadId } from '@quire/protocol';
import type { KnownValues } from '@quire/store';
import type { AgentThread, ThreadOptions } from './api.ts';
import type { ThreadModels } from './models/thread-models.ts';
import type { AgentLabel } from './new-rollout.ts';
import type { Site } from './site.ts';
import type { StoredThread } from './stored-thread.ts';
import type { ThreadRecording } from './thread-recording.ts';

/** What a thread is made of beside its settings; its children are made of the same. */
export interface ThreadGround {
  readonly site: Site;
  readonly options: ThreadOptions;
  readonly credentials: CredentialsSource;
  readonly models: ThreadModels;
  /** Notes on settings that people have read. */
  readonly toldNotes: Set<string>;
  readonly budget: RequestBudget;
  readonly secrets: KnownValues;
  /** 0 for a thread that a person talks to. */
  readonly depth: number;
  /** Absent: the thread starts no agents of its own. */
  readonly agents: AgentsOfTree | undefined;
  /** Absent: nothing is exported. */
  readonly recording: ThreadRecording | undefined;
}

/** The agents of all threads of one tree. */
export interface AgentsOfTree {
  /** What a thread of the tree starts agents with; its owner closes it. */
  join(threadId: ThreadId, ground: ThreadGround, onWarning: (message: string) => void): AgentsOfThread;
}

/** The agents of one thread. */
export interface AgentsOfThread {
  readonly tools: readonly Tool[];
  /** The thread whose agents these are; it is made after its tools. */
  attach(thread: Pick<Thread, 'history' | 'notify'>): void;
  /** Ends all agents, and those below them. No new ones can be started. */
  closeAll(): Promise<void>;
}

/** What makes a child other than its parent. */
export interface ChildOptions {
  readonly source: JsonValue;
  /** What kind of side task it is, as the provider is told. */
  readonly subagent: string;
  /** What it begins with. */
  readonly seed?: ThreadSeed;
  readonly forkedFrom?: ThreadId;
  /** It was read from disk and goes on; `seed` and labels are its own then. */
  readonly stored?: StoredThread;
  readonly agent?: AgentLabel;
  /** Present: it is an agent of this tree and may start others. */
  readonly agents?: AgentsOfTree | undefined;
}

/** Where threads get other threads from. */
export interface ThreadSource {
  /** A thread of its own that works for another one, on the same ground with other settings. */
  openChild(parent: ThreadGround, settings: ThreadSettings, child: ChildOptions): Promise<AgentThread>;
}
