import path from 'node:path';
import { parseThreadId, type ThreadId } from '@quire/protocol';
import { readHeader, readOpened } from './read-header.ts';
import { RolloutError } from './rollout-error.ts';
import { namesIn, type RolloutPath, rolloutsBelow, statFile } from './rollout-folders.ts';
import { archivedFolder, dayFolder, fileIdOfName, sessionsFolder, threadIdOfName } from './rollout-name.ts';
import { readThreadNames } from './thread-names.ts';

const DAY_MS = 86_400_000;
/** The beginning of an id; fewer characters say too little. */
const ID_BEGINNING = /^[0-9a-f]{4,8}(?:-[0-9a-f-]{0,27})?$/i;
const LIKE_A_PATH = /[\\/]|\.jsonl$/;
/** As many threads as an error names. */
const MAX_NAMED = 5;

export interface FindRolloutOptions {
  readonly home: string;
  /** A thread id, the path of a rollout file, a thread's name, or the beginning of an id that only one thread has. */
  readonly idOrPath: string;
  /** Absolute. Relative paths start here. */
  readonly cwd: string;
}

/**
 * The file of a thread. What does not look like a path is one only when no thread fits it. Ids hold the time at which the thread began, so its day's folder is looked at first,
 * then the days around it, then all others and the archive.
 * @throws RolloutError 'not-found', 'ambiguous'
 */
export function findRollout(options: FindRolloutOptions): string {
  const threadId = parseThreadId(options.idOrPath);
  if (threadId !== undefined) return findById(options.home, threadId);
  const file = path.resolve(options.cwd, options.idOrPath);
  const isFile = (): boolean => statFile(file) !== undefined;
  if (LIKE_A_PATH.test(options.idOrPath) && isFile()) return file;
  const found = findByName(options) ?? findByBeginning(options);
  if (found !== undefined) return found;
  if (isFile()) return file;
  const given = JSON.stringify(options.idOrPath);
  throw new RolloutError(
    'not-found',
    `${given} is neither a thread id nor a rollout file, and no thread has that name; ${HOW_TO_LIST}`,
    { path: file },
  );
}

function findById(home: string, threadId: ThreadId): string {
  const found = lookForId(home, threadId);
  if (found !== undefined) return found;
  const folder = sessionsFolder(home);
  throw new RolloutError('not-found', `no thread ${threadId} is recorded in ${folder}; ${HOW_TO_LIST}`, {
    path: folder,
  });
}

function lookForId(home: string, threadId: ThreadId): string | undefined {
  const near = findNearItsDay(home, threadId);
  // A thread that the peer took turns back from goes on in another file, perhaps of another day.
  if (near !== undefined && !mayHaveSuccessor(near)) return near;
  const isOfThread = (name: string): boolean => threadIdOfName(name) === threadId;
  return findBelow(sessionsFolder(home), isOfThread) ?? near ?? findBelow(archivedFolder(home), isOfThread);
}

function mayHaveSuccessor(file: string): boolean {
  return readOpened(file, (fd) => readHeader(fd, file))?.history_mode === 'paginated';
}

/** The file that another one goes on from. */
export function findRolloutFile(home: string, fileId: string): string | undefined {
  const isFile = (name: string): boolean => fileIdOfName(name) === fileId.toLowerCase();
  return findBelow(sessionsFolder(home), isFile) ?? findBelow(archivedFolder(home), isFile);
}

/** Names of threads whose files are gone do not count. */
function findByName(options: FindRolloutOptions): string | undefined {
  const wanted = options.idOrPath.trim();
  const threadIds = new Set<ThreadId>();
  for (const [threadId, name] of readThreadNames(options.home)) if (name === wanted) threadIds.add(threadId);
  if (threadIds.size === 0) return undefined;
  const found = newestOfEach(options.home, {
    isWanted: ({ threadId }) => threadIds.has(threadId),
    atMost: threadIds.size,
  });
  return theOnly(found, options);
}

/** The newest file by name of each thread, of those put away when there is no other. One walk for all. */
function newestOfEach(
  home: string,
  threads: { readonly isWanted: (rollout: RolloutPath) => boolean; readonly atMost?: number },
): readonly RolloutPath[] {
  const found = new Map<ThreadId, RolloutPath>();
  for (const folder of [sessionsFolder(home), archivedFolder(home)]) {
    for (const rollout of rolloutsBelow(folder)) {
      if (found.has(rollout.threadId) || !threads.isWanted(rollout)) continue;
      found.set(rollout.threadId, rollout);
      if (found.size === threads.atMost) return [...found.values()];
    }
  }
  return [...found.values()];
}

/**
 * Every file of a thread below `folder`, the newest first by name: one that the peer took turns back from has several.
 */
export function filesOfThread(folder: string, threadId: ThreadId): readonly string[] {
  return [...rolloutsBelow(folder)].filter((rollout) => rollout.threadId === threadId).map((rollout) => rollout.path);
}

function findByBeginning(options: FindRolloutOptions): string | undefined {
  if (!ID_BEGINNING.test(options.idOrPath)) return undefined;
  const beginning = options.idOrPath.toLowerCase();
  return theOnly(newestOfEach(options.home, { isWanted: ({ threadId }) => threadId.startsWith(beginning) }), options);
}

function theOnly(found: readonly RolloutPath[], options: FindRolloutOptions): string | undefined {
  if (found.length <= 1) return found[0]?.path;
  const ids = found.slice(0, MAX_NAMED).map(({ threadId }) => threadId);
  const more = found.length > MAX_NAMED ? ` and ${found.length - MAX_NAMED} more` : '';
  throw new RolloutError(
    'ambiguous',
    `${JSON.stringify(options.idOrPath)} fits ${found.length} threads: ${ids.join(', ')}${more}; name one by its id`,
    { path: sessionsFolder(options.home) },
  );
}

const HOW_TO_LIST = 'list the recorded ones with: quire thread list --all';

function findNearItsDay(home: string, threadId: ThreadId): string | undefined {
  const beganMs = timeOfId(threadId);
  if (beganMs === undefined) return undefined;
  // A day has 23 to 25 hours where clocks change, so the same folder may come twice.
  const folders = new Set([0, 1, -1].map((days) => dayFolder(home, beganMs + days * DAY_MS)));
  for (const folder of folders) {
    const name = namesIn(folder)
      .sort()
      .findLast((candidate) => threadIdOfName(candidate) === threadId);
    if (name !== undefined) return path.join(folder, name);
  }
  return undefined;
}

/** The newest file by name. */
function findBelow(folder: string, isWanted: (name: string) => boolean): string | undefined {
  for (const rollout of rolloutsBelow(folder)) if (isWanted(path.basename(rollout.path))) return rollout.path;
  return undefined;
}

/** Unix milliseconds out of a version 7 UUID: its first 48 bits. */
function timeOfId(threadId: ThreadId): number | undefined {
  if (threadId[14] !== '7') return undefined;
  return Number.parseInt(threadId.slice(0, 8) + threadId.slice(9, 13), 16);
}
