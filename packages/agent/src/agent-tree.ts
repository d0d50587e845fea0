import { loadSubAgentTools, type SubAgents, type Tool } from '@quire/core';
import type { ThreadId } from '@quire/protocol';
import { AgentRegistry, type TreeLimits } from './agent-registry.ts';
import { ThreadAgents } from './thread-agents.ts';
import type { AgentsOfTree, ThreadGround, ThreadSource } from './thread-ground.ts';

/** Gives the threads of one tree what they start agents with. */
export class AgentTree implements AgentsOfTree {
  readonly #registry: AgentRegistry;
  readonly #opener: ThreadSource;
  readonly #createTools: (agents: SubAgents) => readonly Tool[];

  private constructor(parts: {
    readonly registry: AgentRegistry;
    readonly opener: ThreadSource;
    readonly createTools: (agents: SubAgents) => readonly Tool[];
  }) {
    this.#registry = parts.registry;
    this.#opener = parts.opener;
    this.#createTools = parts.createTools;
  }

  static async create(limits: TreeLimits, opener: ThreadSource): Promise<AgentTree> {
    return new AgentTree({ registry: new AgentRegistry(limits), opener, createTools: await loadSubAgentTools() });
  }

  join(threadId: ThreadId, ground: ThreadGround, onWarning: (message: string) => void): ThreadAgents {
    this.#registry.addThread(threadId);
    const shared = { registry: this.#registry, opener: this.#opener, createTools: this.#createTools };
    return new ThreadAgents({ threadId, ground, onWarning, ...shared });
  }
}
