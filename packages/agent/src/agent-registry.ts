import { SubAgentError } from '@quire/core';
import { parseThreadId, type ThreadId } from '@quire/protocol';
import type { Config } from '@quire/store';
import type { ChildAgent } from './child-agent.ts';
import { nickname } from './nicknames.ts';

export type TreeLimits = Pick<Config, 'agentsMaxDepth' | 'agentsMaxThreads'>;

/** Which agents a tree has, and how many it may have. */
export class AgentRegistry {
  readonly #limits: TreeLimits;
  readonly #agents = new Map<ThreadId, ChildAgent>();
  /** Of all agents, open or not, and of the thread at the top. */
  readonly #threads = new Set<ThreadId>();
  /** Agents that are being opened. */
  #opening = 0;
  #named = 0;

  constructor(limits: TreeLimits) {
    this.#limits = limits;
  }

  /** A thread of the tree; it need not be an agent. */
  addThread(threadId: ThreadId): void {
    this.#threads.add(threadId);
  }

  add(agent: ChildAgent): void {
    this.#agents.set(agent.identity.threadId, agent);
  }

  /** @throws SubAgentError 'depth-limit' */
  refuseDepth(depth: number): void {
    const { agentsMaxDepth } = this.#limits;
    if (depth <= agentsMaxDepth) return;
    throw new SubAgentError(
      'depth-limit',
      `no agents can be started from here: they may be ${agentsMaxDepth} deep (agents.max_depth). Solve the task yourself.`,
    );
  }

  /** Opens an agent if there is room for one more. @throws SubAgentError 'thread-limit', what `open` throws */
  async withRoom<Result>(open: () => Promise<Result>): Promise<Result> {
    const { agentsMaxThreads } = this.#limits;
    const isOpen = [...this.#agents.values()].filter((agent) => agent.isOpen).length;
    if (isOpen + this.#opening >= agentsMaxThreads) {
      throw new SubAgentError(
        'thread-limit',
        `${agentsMaxThreads} agents are open, and more may not be (agents.max_threads): close one that is done with close_agent, or do the work yourself.`,
      );
    }
    this.#opening += 1;
    try {
      return await open();
    } finally {
      this.#opening -= 1;
    }
  }

  takeNickname(): string {
    this.#named += 1;
    return nickname(this.#named - 1);
  }

  /**
   * The agent with this id, if `caller` started it or it is further below. Nobody can wait for one that may wait for
   * it, so no two threads ever wait for each other.
   * @throws SubAgentError 'not-below'
   */
  find(id: string, caller: ThreadId): ChildAgent | undefined {
    const threadId = parseThreadId(id.trim());
    if (threadId === undefined || !this.#threads.has(threadId)) return undefined;
    const agent = this.#agents.get(threadId);
    for (let current = agent; current !== undefined; current = this.#agents.get(current.identity.parentId)) {
      if (current.identity.parentId === caller) return agent;
    }
    const which = threadId === caller ? 'yourself' : 'a thread that you did not start';
    throw new SubAgentError('not-below', `${id} is ${which}; this works only for agents that you started.`);
  }
}
