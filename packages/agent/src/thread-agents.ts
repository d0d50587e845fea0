import {
  resolveSettings,
  type SpawnOrder,
  type SubAgentCaller,
  SubAgentError,
  type SubAgentStatus,
  type SubAgents,
  subAgentNotice,
  type Thread,
  type ThreadSeed,
  type ThreadSettings,
  type Tool,
} from '@quire/core';
import { systemClock, systemEntropy } from '@quire/host';
import {
  isJsonObject,
  type JsonValue,
  numberAt,
  objectAt,
  parseThreadId,
  type SessionMeta,
  stringAt,
  type ThreadId,
  type UserInput,
} from '@quire/protocol';
import type { AgentRegistry } from './agent-registry.ts';
import type { AgentThread } from './api.ts';
import { ChildAgent, type ChildIdentity, type ChildListener, isAtRest } from './child-agent.ts';
import { firstRest } from './first-rest.ts';
import { forkedSeed } from './forked-seed.ts';
import { changeSettings } from './ground-settings.ts';
import { openStoredThread, type StoredThread } from './stored-thread.ts';
import type { AgentsOfThread, ThreadGround, ThreadSource } from './thread-ground.ts';

/** What the line to the provider calls the thread of an agent. Source: sub-agent facts. */
const SUBAGENT_KIND = 'collab_spawn';

/** The agents of one thread. They work on when its turn ends or is interrupted, and end with the thread. */
export class ThreadAgents implements SubAgents, AgentsOfThread {
  readonly tools: readonly Tool[];
  readonly #threadId: ThreadId;
  readonly #ground: ThreadGround;
  readonly #registry: AgentRegistry;
  readonly #opener: ThreadSource;
  readonly #children = new Set<ChildAgent>();
  #thread: Pick<Thread, 'history' | 'notify'> | undefined;
  readonly #warn: (message: string) => void;
  #isClosed = false;

  constructor(parts: {
    readonly threadId: ThreadId;
    readonly ground: ThreadGround;
    readonly registry: AgentRegistry;
    readonly opener: ThreadSource;
    readonly createTools: (agents: SubAgents) => readonly Tool[];
    readonly onWarning: (message: string) => void;
  }) {
    this.#threadId = parts.threadId;
    this.#ground = parts.ground;
    this.#registry = parts.registry;
    this.#opener = parts.opener;
    this.#warn = parts.onWarning;
    this.tools = parts.createTools(this);
  }

  attach(thread: Pick<Thread, 'history' | 'notify'>): void {
    this.#thread = thread;
  }

  async spawn(
    order: SpawnOrder,
    caller: SubAgentCaller,
  ): Promise<{ readonly threadId: ThreadId; readonly nickname: string }> {
    const depth = this.#ground.depth + 1;
    this.#registry.refuseDepth(depth);
    return this.#registry.withRoom(async () => {
      const settings = await this.#childSettings(order, caller.settings);
      const nickname = this.#registry.takeNickname();
      const agent = { nickname, role: order.role };
      const thread = await this.#opener.openChild(this.#ground, settings, {
        source: sourceOf({ ...agent, parentId: this.#threadId, depth }),
        subagent: SUBAGENT_KIND,
        agents: this.#ground.agents,
        agent,
        ...(order.forkContext
          ? { seed: forkedSeed(this.#thread?.history ?? [], caller), forkedFrom: this.#threadId }
          : {}),
      });
      const { threadId } = thread.facts;
      const identity = { ...agent, threadId, parentId: this.#threadId, depth };
      const child = await this.#keep(identity, { thread, status: { kind: 'pending-init' } }, caller);
      child.give(order.input, { interrupt: false });
      return { threadId, nickname };
    });
  }

  async send(
    id: string,
    message: { readonly input: readonly UserInput[]; readonly interrupt: boolean },
  ): Promise<{ readonly submissionId: string }> {
    const child = this.#find(id);
    if (!child.isOpen) throw new SubAgentError('closed', `agent ${id} is closed; open it with resume_agent first.`);
    child.give(message.input, message);
    return { submissionId: systemEntropy.uuid() };
  }

  async resume(id: string, caller: SubAgentCaller): Promise<SubAgentStatus> {
    const child = this.#registry.find(id, this.#threadId);
    if (child?.isOpen === true) return child.status;
    return this.#registry.withRoom(async () => {
      const { identity, stored } = await this.#readStored(id, child, caller);
      // It may be further below than a child of this thread.
      const ground = { ...this.#ground, depth: identity.depth - 1 };
      const thread = await this.#opener.openChild(
        ground,
        storedSettings(caller.settings, stored.seed, this.#ground.models),
        {
          source: sourceOf(identity),
          subagent: SUBAGENT_KIND,
          agents: this.#ground.agents,
          stored,
        },
      );
      const status = restOf(stored.seed);
      await this.#keep(identity, { thread, status }, caller);
      return status;
    });
  }

  async wait(
    ids: readonly string[],
    { timeoutMs }: { readonly timeoutMs: number },
    { signal }: SubAgentCaller,
  ): Promise<ReadonlyMap<string, SubAgentStatus>> {
    const agents = ids.map((id) => [id, this.#registry.find(id, this.#threadId)] as const);
    const atRest = (): ReadonlyMap<string, SubAgentStatus> =>
      new Map(
        agents
          .map(([id, agent]) => [id, agent?.status ?? ({ kind: 'not-found' } as const)] as const)
          .filter(([, status]) => isAtRest(status)),
      );
    const before = atRest();
    if (before.size > 0) return before;
    await firstRest(
      agents.flatMap(([, agent]) => agent ?? []),
      { timeoutMs, clock: systemClock, signal },
    );
    return atRest();
  }

  async close(id: string): Promise<SubAgentStatus> {
    const child = this.#find(id);
    const before = await child.close();
    this.#children.delete(child);
    return before;
  }

  async closeAll(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#children].map((child) => child.close()));
  }

  #find(id: string): ChildAgent {
    const child = this.#registry.find(id, this.#threadId);
    if (child === undefined) throw unknownAgent(id);
    return child;
  }

  /** A thread that arrives too late is given back at once. */
  async #keep(
    identity: ChildIdentity,
    opened: { readonly thread: AgentThread; readonly status: SubAgentStatus },
    { signal }: SubAgentCaller,
  ): Promise<ChildAgent> {
    if (this.#isClosed || signal.aborted) {
      await opened.thread.close();
      signal.throwIfAborted();
      throw new SubAgentError('closed', 'this thread is being closed.');
    }
    const child = new ChildAgent({ identity, ...opened, listener: this.#listener(identity) });
    this.#registry.add(child);
    this.#children.add(child);
    return child;
  }

  async #childSettings(order: SpawnOrder, settings: ThreadSettings): Promise<ThreadSettings> {
    const { model, reasoningEffort } = order;
    if (model === undefined && reasoningEffort === undefined) return settings;
    return changeSettings(this.#ground, settings, {
      ...(model === undefined ? {} : { model }),
      ...(reasoningEffort === undefined ? {} : { reasoningEffort }),
    });
  }

  async #readStored(
    id: string,
    child: ChildAgent | undefined,
    { settings, signal }: SubAgentCaller,
  ): Promise<{ readonly identity: ChildIdentity; readonly stored: StoredThread }> {
    const threadId = child?.identity.threadId ?? parseThreadId(id.trim());
    if (threadId === undefined) throw unknownAgent(id);
    const { site, secrets, options } = this.#ground;
    if (options.ephemeral === true) {
      throw new SubAgentError('not-resumable', 'agents of this thread are not kept on disk; start a new one.');
    }
    let stored: StoredThread;
    try {
      stored = await openStoredThread(
        { kind: 'id', id: threadId },
        { home: site.home, cwd: settings.cwd, secrets, signal },
      );
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error ? error.message : String(error);
      throw new SubAgentError('not-found', `agent ${id} can not be opened again: ${reason}`, { cause: error });
    }
    const identity = child?.identity ?? identityOf(stored.seed.meta, threadId);
    if (identity !== undefined && (child !== undefined || identity.parentId === this.#threadId)) {
      return { identity, stored };
    }
    stored.rollout.close();
    throw unknownAgent(id);
  }

  #listener({ threadId, nickname }: ChildIdentity): ChildListener {
    return {
      onRest: (status) => {
        if (status.kind === 'errored') this.#warn(`Agent ${nickname} failed: ${status.message}`);
        if (status.kind === 'errored' || status.kind === 'completed') {
          this.#thread?.notify(subAgentNotice(threadId, status));
        }
      },
      onWarning: (message) => this.#warn(`Agent ${nickname}: ${message}`),
    };
  }
}

function unknownAgent(id: string): SubAgentError {
  return new SubAgentError('not-found', `there is no agent with id ${id}.`);
}

function sourceOf(agent: Omit<ChildIdentity, 'threadId'>): JsonValue {
  return {
    subagent: {
      thread_spawn: {
        parent_thread_id: agent.parentId,
        depth: agent.depth,
        agent_nickname: agent.nickname,
        ...(agent.role === undefined ? {} : { agent_role: agent.role }),
      },
    },
  };
}

/** Who an agent is, by the header of its file. */
function identityOf(meta: SessionMeta | undefined, threadId: ThreadId): ChildIdentity | undefined {
  const source = isJsonObject(meta?.source) ? objectAt(meta.source, 'subagent') : undefined;
  const spawn = source === undefined ? undefined : objectAt(source, 'thread_spawn');
  const parentId = spawn === undefined ? undefined : parseThreadId(spawn['parent_thread_id']);
  if (spawn === undefined || parentId === undefined) return undefined;
  return {
    threadId,
    parentId,
    nickname: stringAt(spawn, 'agent_nickname') ?? meta?.agent_nickname ?? threadId,
    role: stringAt(spawn, 'agent_role') ?? meta?.agent_role,
    depth: numberAt(spawn, 'depth') ?? 1,
  };
}

/** Instructions are fixed in the header for the life of a thread; model and effort are those of its last turn. */
function storedSettings(
  settings: ThreadSettings,
  { meta, previousContext }: ThreadSeed,
  models: ThreadGround['models'],
): ThreadSettings {
  const text = meta?.base_instructions?.text;
  const kept = text === undefined ? settings : { ...settings, baseInstructions: text };
  if (previousContext === undefined) return kept;
  const { choices } = settings;
  return resolveSettings({
    ...kept,
    model: models.describe(previousContext.model),
    choices: { ...choices, reasoningEffort: { ...choices.reasoningEffort, turn: previousContext.effort } },
  });
}

/** How an agent that was read from disk had fared: a turn that came to its end ends with the model's words. */
function restOf({ endsInsideTurn, history }: ThreadSeed): SubAgentStatus {
  const last = history.findLast((item) => item.type === 'message');
  if (endsInsideTurn || last?.role !== 'assistant') return { kind: 'interrupted' };
  const text = last.content.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
  return { kind: 'completed', text: text === '' ? undefined : text };
}
