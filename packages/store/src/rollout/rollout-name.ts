import path from 'node:path';
import { parseThreadId, type ThreadId } from '@quire/protocol';

/** The peer goes on in a second file of the same thread after a revert; its name ends with an id of its own. */
const NAME = /^rollout-(\d{4})-(\d{2})-(\d{2})T\d{2}-\d{2}-\d{2}-([0-9a-fA-F-]{36})(?:_([0-9a-fA-F-]{36}))?\.jsonl$/;

export function sessionsFolder(home: string): string {
  return path.join(home, 'sessions');
}

/** Threads that a person put away. They are found by id, but not listed. */
export function archivedFolder(home: string): string {
  return path.join(home, 'archived_sessions');
}

/** The folder of the threads that began on the local day of `timeMs`. */
export function dayFolder(home: string, timeMs: number): string {
  const time = new Date(timeMs);
  return path.join(
    sessionsFolder(home),
    pad(time.getFullYear(), { digits: 4 }),
    pad(time.getMonth() + 1, { digits: 2 }),
    pad(time.getDate(), { digits: 2 }),
  );
}

/** The folder of the day in a rollout's name. */
export function dayFolderOfName(home: string, name: string): string | undefined {
  const [, year, month, day] = NAME.exec(name) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  return path.join(sessionsFolder(home), year, month, day);
}

export function isBelow(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative);
}

/** Local time, so that the name says what the user's clock said. Names sort by age. */
export function rolloutName(timeMs: number, threadId: ThreadId): string {
  const time = new Date(timeMs);
  const date = [time.getMonth() + 1, time.getDate()].map((part) => pad(part, { digits: 2 })).join('-');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => pad(part, { digits: 2 }))
    .join('-');
  return `rollout-${pad(time.getFullYear(), { digits: 4 })}-${date}T${clock}-${threadId}.jsonl`;
}

/** The thread that a file of this name holds; `undefined` when it is not a rollout's name. */
export function threadIdOfName(name: string): ThreadId | undefined {
  return parseThreadId(NAME.exec(name)?.[4]);
}

/** What tells a file apart from others of the same thread; of most files that is the thread's id. */
export function fileIdOfName(name: string): string | undefined {
  const [, , , , threadId, ownId] = NAME.exec(name) ?? [];
  return (ownId ?? threadId)?.toLowerCase();
}

function pad(value: number, options: { readonly digits: number }): string {
  return String(value).padStart(options.digits, '0');
}
