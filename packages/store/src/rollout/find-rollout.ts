import path from 'node:path';
import { parseThreadId, type ThreadId } from '@quire/protocol';
import { RolloutError } from './rollout-error.ts';
import { namesIn, rolloutsBelow, statFile } from './rollout-folders.ts';
import { archivedFolder, dayFolder, sessionsFolder, threadIdOfName } from './rollout-name.ts';

const DAY_MS = 86_400_000;

export interface FindRolloutOptions {
  readonly home: string;
  /** A thread id, or the path of a rollout file. */
  readonly idOrPath: string;
  /** Absolute. Relative paths start here. */
  readonly cwd: string;
}

/**
 * The file of a thread. Ids hold the time at which the thread began, so its day's folder is looked at first,
 * then the days around it, then all others and the archive.
 * @throws RolloutError 'not-found'
 */
export function findRollout(options: FindRolloutOptions): string {
  const threadId = parseThreadId(options.idOrPath);
  if (threadId === undefined) return requireFile(path.resolve(options.cwd, options.idOrPath), options);
  const found =
    findNearItsDay(options.home, threadId) ??
    findBelow(sessionsFolder(options.home), threadId) ??
    findBelow(archivedFolder(options.home), threadId);
  if (found !== undefined) return found;
  const folder = sessionsFolder(options.home);
  throw new RolloutError('not-found', `no thread ${threadId} is recorded in ${folder}; ${howToList(folder)}`, {
    path: folder,
  });
}

function requireFile(file: string, options: FindRolloutOptions): string {
  if (statFile(file) !== undefined) return file;
  const given = JSON.stringify(options.idOrPath);
  throw new RolloutError(
    'not-found',
    `${given} is neither a thread id nor a rollout file; ${howToList(sessionsFolder(options.home))}`,
    { path: file },
  );
}

function howToList(folder: string): string {
  return `list the recorded ones with: find ${JSON.stringify(folder)} -name 'rollout-*.jsonl'`;
}

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

function findBelow(folder: string, threadId: ThreadId): string | undefined {
  for (const rollout of rolloutsBelow(folder)) if (rollout.threadId === threadId) return rollout.path;
  return undefined;
}

/** Unix milliseconds out of a version 7 UUID: its first 48 bits. */
function timeOfId(threadId: ThreadId): number | undefined {
  if (threadId[14] !== '7') return undefined;
  return Number.parseInt(threadId.slice(0, 8) + threadId.slice(9, 13), 16);
}
