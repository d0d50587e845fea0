import { systemClock, systemEntropy } from '@quire/host';
import { parseThreadId, type SessionMeta, type ThreadId } from '@quire/protocol';
import {
  archiveRollout,
  type DamageListener,
  findRollout,
  forkRollout,
  isArchived,
  type KnownValues,
  listRollouts,
  type RolloutSummary,
  readRolloutBackwards,
  readRolloutSummary,
  setThreadName,
  unarchiveRollout,
} from '@quire/store';
import { AgentError } from './agent-error.ts';
import type { ForkOptions, ListOptions, ResumeTarget, ThreadSummary } from './api.ts';
import { currentDirectory } from './place.ts';
import type { Site } from './site.ts';
import { locateThread, type StoredThread, takeUp } from './stored-thread.ts';
import { VERSION } from './version.ts';

const DEFAULT_LIMIT = 50;

/**
 * A new thread with what another one holds, open for writing. The other one is only read, also while it is written.
 * @throws AgentError, RolloutError
 */
export async function forkStoredThread(
  target: ResumeTarget,
  fork: {
    readonly site: Site;
    readonly options: ForkOptions;
    readonly originator: string;
    readonly secrets: KnownValues;
    readonly onDamaged: DamageListener;
  },
): Promise<StoredThread> {
  const { site, options, secrets } = fork;
  const { home, signal } = site;
  const { beforeUserMessage, requiresMessage = false } = options;
  if (options.ephemeral === true) {
    throw new AgentError('invalid-argument', 'a fork is a thread of its own on disk; it can not be ephemeral');
  }
  if (beforeUserMessage !== undefined && !(Number.isSafeInteger(beforeUserMessage) && beforeUserMessage >= 0)) {
    throw new AgentError(
      'invalid-argument',
      `the user message to fork before is a number from 0, not ${beforeUserMessage}`,
    );
  }
  const source = await locateThread(target, { ...site, onDamaged: fork.onDamaged });
  const rollout = await forkRollout({
    home,
    source,
    threadId: systemEntropy.uuid() as ThreadId,
    meta: forkMeta(await readHeader(source, { home, signal }), fork),
    now: systemClock.now,
    secrets,
    signal,
    ...(beforeUserMessage === undefined ? {} : { beforeUserMessage, requiresMessage }),
  });
  return takeUp(rollout, { home, signal });
}

function forkMeta(
  parent: SessionMeta,
  { site, options, originator }: { readonly site: Site; readonly options: ForkOptions; readonly originator: string },
): Omit<SessionMeta, 'id' | 'timestamp'> {
  const { config } = site;
  const instructions = config.baseInstructions ?? parent.base_instructions?.text;
  return {
    cwd: site.cwd,
    originator,
    cli_version: VERSION,
    source: options.source ?? 'exec',
    ...(options.threadSource === undefined ? {} : { thread_source: options.threadSource }),
    model_provider: config.provider.id,
    ...(instructions === undefined ? {} : { base_instructions: { text: instructions } }),
    ...(parent.git === undefined ? {} : { git: parent.git }),
    ...(parent.dynamic_tools === undefined ? {} : { dynamic_tools: parent.dynamic_tools }),
  };
}

export async function listStoredThreads(
  home: string,
  options: ListOptions & { readonly onDamaged: DamageListener },
): Promise<readonly ThreadSummary[]> {
  const archived = options.archived ?? false;
  const page = await listRollouts({
    home,
    archived,
    limit: options.limit ?? DEFAULT_LIMIT,
    withPreview: true,
    onDamaged: options.onDamaged,
    signal: options.signal ?? new AbortController().signal,
    ...(options.workingDirectory === undefined ? {} : { cwd: options.workingDirectory }),
  });
  return page.threads.map((thread) => summaryOf(thread, archived));
}

function summaryOf(thread: RolloutSummary, archived: boolean): ThreadSummary {
  const { threadId, meta, name, preview, path, updatedAtMs } = thread;
  const createdAtMs = Date.parse(meta.timestamp);
  return {
    threadId,
    name,
    preview: preview ?? '',
    workingDirectory: meta.cwd,
    createdAtMs: Number.isNaN(createdAtMs) ? updatedAtMs : createdAtMs,
    updatedAtMs,
    forkedFrom: parseThreadId(meta.forked_from_id),
    rolloutPath: path,
    archived,
  };
}

/** @throws AgentError, RolloutError */
export async function readStoredThread(
  home: string,
  target: ResumeTarget,
  options: ListOptions & { readonly onDamaged: DamageListener },
): Promise<ThreadSummary> {
  const signal = options.signal ?? new AbortController().signal;
  const cwd = options.workingDirectory ?? currentDirectory();
  const path = await locateThread(target, { home, cwd, signal, onDamaged: options.onDamaged });
  const summary = readRolloutSummary(path, { home });
  if (summary === undefined) throw new AgentError('rollout', `${path} holds no thread`);
  return summaryOf(summary, isArchived(home, path));
}

export async function nameStoredThread(
  home: string,
  thread: { readonly id: string; readonly name: string; readonly secrets: KnownValues },
): Promise<void> {
  const { threadId } = await find(home, thread.id);
  setThreadName({ home, threadId, name: thread.name, secrets: thread.secrets, now: systemClock.now });
}

interface MovedThread {
  readonly threadId: ThreadId;
  readonly path: string;
}

export async function archiveStoredThread(home: string, id: string): Promise<MovedThread> {
  const { threadId, path } = await find(home, id);
  if (isArchived(home, path)) throw new AgentError('archived', `thread ${threadId} is archived already`);
  return { threadId, path: await archiveRollout({ home, path }) };
}

export async function unarchiveStoredThread(home: string, id: string): Promise<MovedThread> {
  const { threadId, path } = await find(home, id);
  if (!isArchived(home, path)) throw new AgentError('invalid-argument', `thread ${threadId} is not archived`);
  return { threadId, path: await unarchiveRollout({ home, path }) };
}

async function find(home: string, id: string): Promise<MovedThread> {
  const path = findRollout({ home, idOrPath: id, cwd: currentDirectory() });
  const threadId = parseThreadId((await readHeader(path, { home, signal: new AbortController().signal })).id);
  if (threadId === undefined) throw new AgentError('rollout', `${path} names no valid thread id in its header`);
  return { threadId, path };
}

async function readHeader(
  path: string,
  place: { readonly home: string; readonly signal: AbortSignal },
): Promise<SessionMeta> {
  const { meta } = await readRolloutBackwards(path, { ...place, onLine: () => 'enough' });
  return meta;
}
