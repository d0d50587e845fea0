import fs from 'node:fs';
import path from 'node:path';
import { isJsonObject, parseThreadId, type SessionMeta, type ThreadId } from '@quire/protocol';
import { readFoundHeader, readHeader, readOpened } from './read-header.ts';
import { readPreview } from './read-preview.ts';
import { type RolloutPath, rolloutsBelow, statFile } from './rollout-folders.ts';
import { archivedFolder, sessionsFolder, threadIdOfName } from './rollout-name.ts';
import { readThreadNames } from './thread-names.ts';

export interface RolloutSummary {
  /** Absolute. */
  readonly path: string;
  readonly threadId: ThreadId;
  readonly meta: SessionMeta;
  /** Unix milliseconds of the last write. */
  readonly updatedAtMs: number;
  readonly sizeBytes: number;
  /** As a person named it. */
  readonly name?: string;
  /** The beginning of the first thing that a person said; only when asked for. */
  readonly preview?: string;
}

export interface ListRolloutsOptions {
  readonly home: string;
  /** Only threads that began in exactly this directory. */
  readonly cwd?: string;
  /** The threads that were put away instead of the others. */
  readonly archived?: boolean;
  readonly withPreview?: boolean;
  /** Also the threads that work for another one, such as reviewers. Default false. */
  readonly withSubagents?: boolean;
  readonly limit: number;
  /** Of an earlier page. */
  readonly cursor?: string;
  readonly onDamaged?: DamageListener;
  readonly signal: AbortSignal;
}

/** Hears of each thread that was passed over because its first line is damaged, so that nobody knows where it began. */
export type DamageListener = (rollout: RolloutPath) => void;

export interface RolloutPage {
  readonly threads: readonly RolloutSummary[];
  /** For the next page; `undefined` after the last one. */
  readonly nextCursor: string | undefined;
}

interface ListScope {
  readonly home: string;
  /** Only threads that began in exactly this directory. */
  readonly cwd?: string;
  /** Hears only of threads that were written to after the one that is found. */
  readonly onDamaged?: DamageListener;
  readonly signal: AbortSignal;
}

/** Bounds the work of `findLastRollout` in a folder that was never tidied. */
const MAX_CANDIDATES = 10_000;
/** Files handled between two looks at the signal. */
const FILES_PER_BATCH = 64;

/**
 * The threads on disk, the last begun first. Reads the beginning of each file until `limit` threads are found; files
 * without a whole first line are passed over.
 */
export async function listRollouts(options: ListRolloutsOptions): Promise<RolloutPage> {
  const { home, limit, cursor, signal } = options;
  const folder = options.archived === true ? archivedFolder(home) : sessionsFolder(home);
  const threads: RolloutSummary[] = [];
  if (limit <= 0) return { threads, nextCursor: cursor };
  const names = readThreadNames(home);
  // A thread that goes on in a second file is shown once, by the newest.
  const seen = new Set<ThreadId>();
  for await (const rollout of paced(rolloutsBelow(folder, cursor), signal)) {
    if (seen.has(rollout.threadId)) continue;
    seen.add(rollout.threadId);
    const summary = summarise(rollout, options);
    if (summary === undefined || (options.withSubagents !== true && isSubagent(summary.meta))) continue;
    const name = names.get(summary.threadId);
    threads.push(name === undefined ? summary : { ...summary, name });
    if (threads.length === limit) return { threads, nextCursor: cursorOf(folder, rollout.path) };
  }
  return { threads, nextCursor: undefined };
}

/** What a listing would say of one file; `undefined` when it holds no thread. */
export function readRolloutSummary(file: string, options: { readonly home: string }): RolloutSummary | undefined {
  const threadId =
    threadIdOfName(path.basename(file)) ?? parseThreadId(readOpened(file, (fd) => readHeader(fd, file))?.id);
  if (threadId === undefined) return undefined;
  const summary = summarise({ path: file, threadId }, { withPreview: true });
  const name = readThreadNames(options.home).get(threadId);
  return summary === undefined || name === undefined ? summary : { ...summary, name };
}

function cursorOf(folder: string, file: string): string {
  return path.relative(folder, file).split(path.sep).join('/');
}

/**
 * The thread that `resume --last` means: of the last begun 10,000, the one that was written to most recently,
 * began in `cwd` (when given) and holds a user message. A thread without one has nothing to go on with.
 */
export async function findLastRollout(options: ListScope): Promise<RolloutSummary | undefined> {
  const candidates: { readonly rollout: RolloutPath; readonly updatedAtMs: number }[] = [];
  for await (const rollout of paced(rolloutsBelow(sessionsFolder(options.home)), options.signal)) {
    const stats = statFile(rollout.path);
    if (stats !== undefined) candidates.push({ rollout, updatedAtMs: stats.mtimeMs });
    if (candidates.length === MAX_CANDIDATES) break;
  }
  // The sort is stable: of two files with the same time, the last begun stays first.
  candidates.sort((left, right) => right.updatedAtMs - left.updatedAtMs);
  for await (const { rollout } of paced(candidates, options.signal)) {
    const summary = summarise(rollout, { ...options, withPreview: true });
    if (summary?.preview !== undefined && !isSubagent(summary.meta)) return summary;
  }
  return undefined;
}

/** Its `source` is an object that tells for what. */
function isSubagent({ source }: SessionMeta): boolean {
  return isJsonObject(source) && 'subagent' in source;
}

/** The same entries, with a pause after every batch in which an abort can arrive. */
async function* paced<Entry>(entries: Iterable<Entry>, signal: AbortSignal): AsyncGenerator<Entry, void, undefined> {
  let count = 0;
  signal.throwIfAborted();
  for (const entry of entries) {
    yield entry;
    count += 1;
    if (count % FILES_PER_BATCH !== 0) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
}

function summarise(
  rollout: RolloutPath,
  options: { readonly cwd?: string; readonly withPreview?: boolean; readonly onDamaged?: DamageListener },
): RolloutSummary | undefined {
  return readOpened(rollout.path, (fd) => {
    const header = readFoundHeader(fd, rollout.path);
    if (header === undefined) return undefined;
    const { meta, isDamaged } = header;
    if (options.cwd !== undefined && meta.cwd !== options.cwd) {
      if (isDamaged && options.onDamaged !== undefined && readPreview(fd, meta) !== undefined)
        options.onDamaged(rollout);
      return undefined;
    }
    const { mtimeMs, size } = fs.fstatSync(fd);
    const preview = options.withPreview === true ? readPreview(fd, meta) : undefined;
    return {
      ...rollout,
      meta,
      updatedAtMs: mtimeMs,
      sizeBytes: size,
      ...(preview === undefined ? {} : { preview }),
    };
  });
}
