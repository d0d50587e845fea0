import type { RolloutWriter, ThreadSeed, ThreadSettings } from '@quire/core';
import { systemClock } from '@quire/host';
import type { SessionMeta, ThreadId } from '@quire/protocol';
import { createMemoryRollout, createRollout, type KnownValues } from '@quire/store';
import type { ThreadOptions } from './api.ts';
import { VERSION } from './version.ts';

export interface OpenedRollout {
  readonly rollout: RolloutWriter;
  /** Absent when nothing is kept on disk. */
  readonly path: string | undefined;
  /** Reads the thread again from its record. */
  readonly readSeed: (signal: AbortSignal) => Promise<ThreadSeed>;
}

/** How an agent is called, in the header of its file. */
export interface AgentLabel {
  readonly nickname: string;
  readonly role: string | undefined;
}

type NewRolloutOptions = Pick<ThreadOptions, 'ephemeral' | 'source' | 'threadSource'> & {
  readonly agent?: AgentLabel;
  readonly forkedFrom?: ThreadId;
};

/** The record of a new thread; its header is durable when the promise resolves. */
export async function openNewRollout(
  options: NewRolloutOptions,
  thread: {
    readonly home: string;
    readonly threadId: ThreadId;
    readonly originator: string;
    readonly providerId: string;
    readonly settings: ThreadSettings;
    readonly secrets: KnownValues;
  },
): Promise<OpenedRollout> {
  if (options.ephemeral === true) {
    const rollout = createMemoryRollout();
    return {
      rollout,
      path: undefined,
      readSeed: async () => (await import('./stored-thread.ts')).seedOfLines(rollout.lines),
    };
  }
  const { home, threadId, secrets } = thread;
  const rollout = await createRollout({
    home,
    threadId,
    secrets,
    meta: rolloutMeta(options, thread),
    now: systemClock.now,
  });
  const { path } = rollout;
  return { rollout, path, readSeed: fileSeed(path, home) };
}

/** Reads a thread again from its file. What reads is loaded then: a new thread needs none of it. */
export function fileSeed(path: string, home: string): OpenedRollout['readSeed'] {
  return async (signal) => (await import('./stored-thread.ts')).readStoredSeed(path, { home, signal });
}

/** The header of a thread that begins now. */
function rolloutMeta(
  options: Omit<NewRolloutOptions, 'ephemeral'>,
  thread: { readonly originator: string; readonly providerId: string; readonly settings: ThreadSettings },
): Omit<SessionMeta, 'id' | 'timestamp'> {
  const { originator, providerId, settings } = thread;
  const { agent, forkedFrom } = options;
  return {
    ...(forkedFrom === undefined ? {} : { forked_from_id: forkedFrom }),
    cwd: settings.cwd,
    originator,
    cli_version: VERSION,
    source: options.source ?? 'exec',
    ...(options.threadSource === undefined ? {} : { thread_source: options.threadSource }),
    ...(agent === undefined ? {} : { agent_nickname: agent.nickname }),
    ...(agent?.role === undefined ? {} : { agent_role: agent.role }),
    model_provider: providerId,
    base_instructions: { text: settings.baseInstructions },
    ...gitMeta(settings),
  };
}

function gitMeta({ environment }: ThreadSettings): Pick<SessionMeta, 'git'> {
  const { git } = environment;
  if (git === undefined) return {};
  const repositoryUrl = git.remotes['origin'];
  return {
    git: {
      ...(git.commitHash === undefined ? {} : { commit_hash: git.commitHash }),
      ...(git.branch === undefined ? {} : { branch: git.branch }),
      ...(repositoryUrl === undefined ? {} : { repository_url: repositoryUrl }),
    },
  };
}
