import type { ThreadId, TurnId, UserInput } from '@quire/protocol';
import type { ThreadSettings } from '../thread/settings.ts';

/** How a sub-agent fares. All but the first two are states of rest: nothing happens before somebody acts. */
export type SubAgentStatus =
  | { readonly kind: 'pending-init' | 'running' }
  | { readonly kind: 'interrupted' | 'shutdown' | 'not-found' }
  | { readonly kind: 'completed'; readonly text: string | undefined }
  | { readonly kind: 'errored'; readonly message: string };

export type SubAgentErrorCode =
  | 'depth-limit'
  | 'thread-limit'
  /** No agent of this tree has the id. */
  | 'not-found'
  /** The id is that of a thread that the caller did not start: itself, one above it or beside it. */
  | 'not-below'
  | 'closed'
  | 'not-resumable';

/** Something that can not be done with sub-agents. The message is for the model: what, and what to do instead. */
export class SubAgentError extends Error {
  override readonly name = 'SubAgentError';
  readonly code: SubAgentErrorCode;

  constructor(code: SubAgentErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** The call on whose behalf something is done. */
export interface SubAgentCaller {
  readonly turnId: TurnId;
  readonly callId: string;
  /** Of the running turn; a new agent inherits them. */
  readonly settings: ThreadSettings;
  readonly signal: AbortSignal;
}

export interface SpawnOrder {
  readonly input: readonly UserInput[];
  /** A label. */
  readonly role: string | undefined;
  /** The agent begins with what its parent knows, up to the call that starts it. */
  readonly forkContext: boolean;
  /** Absent: the parent's. */
  readonly model: string | undefined;
  readonly reasoningEffort: string | undefined;
}

/**
 * The agents that one thread starts, and those below them. Ids are as the model wrote them. Every method throws
 * `SubAgentError`, or the reason of the caller's signal.
 */
export interface SubAgents {
  /** Starts an agent and gives it its task. It works in the background. */
  spawn(order: SpawnOrder, caller: SubAgentCaller): Promise<{ readonly threadId: ThreadId; readonly nickname: string }>;
  /** Gives an agent more to do: into its running turn, or as its next one. `interrupt` ends the running turn first. */
  send(
    id: string,
    message: { readonly input: readonly UserInput[]; readonly interrupt: boolean },
    caller: SubAgentCaller,
  ): Promise<{ readonly submissionId: string }>;
  /** Opens an agent again that was closed; one that is open stays as it is. */
  resume(id: string, caller: SubAgentCaller): Promise<SubAgentStatus>;
  /** Waits until at least one of the agents rests. Gives back those that do; none when the time is up. */
  wait(
    ids: readonly string[],
    options: { readonly timeoutMs: number },
    caller: SubAgentCaller,
  ): Promise<ReadonlyMap<string, SubAgentStatus>>;
  /** Ends an agent and all below it. Gives back how it fared before. */
  close(id: string, caller: SubAgentCaller): Promise<SubAgentStatus>;
}
