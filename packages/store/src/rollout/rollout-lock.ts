import fs from 'node:fs';
import { isRunning, ownIdentity, type ProcessIdentity, parseIdentity, systemErrorCode } from '@quire/files';
import { RolloutError } from './rollout-error.ts';

/**
 * Says that a process writes a rollout: a file beside it with the number and the start of that process. Node has no
 * `flock`. Programs that do not know the file are not held back by it. Other than a `FileLock` it is held as long as a
 * thread is open, by all writers of this process together, and whoever does not get it is refused at once.
 */
export interface RolloutLock {
  /** Calling it twice is fine. */
  release(): void;
}

/** Tries to take a lock over; more than a few lost races in a row do not happen. */
const MAX_ATTEMPTS = 5;

/** Locks of this process, and how many writers share each. They are one process to all others. */
const held = new Map<string, number>();

/**
 * The lock of one rollout. A lock left by a process that is gone is taken over. Where no file can be made beside the
 * rollout there is no lock, and no error: the record itself may still be writable.
 * @throws RolloutError 'in-use' when another process has it
 */
export function lockRollout(file: string): RolloutLock {
  const path = `${realPathOf(file)}.lock`;
  const own = ownIdentity();
  const isShared = held.has(path) || acquire({ path, own, rollout: file });
  if (!isShared) return { release: () => undefined };
  if (held.size === 0) process.on('exit', releaseAll);
  held.set(path, (held.get(path) ?? 0) + 1);
  let isReleased = false;
  return {
    release: () => {
      if (isReleased) return;
      isReleased = true;
      giveBack(path);
    },
  };
}

/** Whether the lock file is ours now; `false` when none can be made. */
function acquire(options: { readonly path: string; readonly own: ProcessIdentity; readonly rollout: string }): boolean {
  const { path, own, rollout } = options;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const made = makeLock(path, own);
    if (made !== 'exists') return made === 'made';
    const text = readText(path);
    if (text === undefined) continue; // given back between the two looks
    const owner = parseIdentity(text);
    if (owner?.pid === own.pid && owner.startedAt === own.startedAt) return true; // another thread of this process
    if (owner !== undefined && isRunning(owner)) throw inUse(rollout, { path, pid: owner.pid });
    removeStale(path, text);
  }
  throw inUse(rollout, { path, pid: undefined });
}

/** The lock appears under its name with its content, never empty: another process would take that for a stale one. */
function makeLock(path: string, own: ProcessIdentity): 'made' | 'exists' | 'impossible' {
  const draft = `${path}.${own.pid}`;
  try {
    fs.writeFileSync(draft, `${JSON.stringify(own)}\n`, { mode: 0o600 });
    fs.linkSync(draft, path);
    return 'made';
  } catch (error) {
    return systemErrorCode(error) === 'EEXIST' ? 'exists' : 'impossible';
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/**
 * Removes the lock that holds `text`. When it turns out that another process has taken it over in the meantime, its
 * lock is put back.
 */
function removeStale(path: string, text: string): void {
  const aside = `${path}.${process.pid}`;
  try {
    fs.renameSync(path, aside);
    if (readText(aside) !== text) fs.linkSync(aside, path);
  } catch {
    // Somebody else was faster, either in removing or in making one; the next look tells.
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function giveBack(path: string): void {
  const writers = (held.get(path) ?? 1) - 1;
  if (writers > 0) {
    held.set(path, writers);
    return;
  }
  held.delete(path);
  if (held.size === 0) process.off('exit', releaseAll);
  removeLock(path);
}

function releaseAll(): void {
  for (const path of held.keys()) removeLock(path);
}

function removeLock(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // What stays names a process that is about to end: the next one takes it over.
  }
}

function inUse(rollout: string, lock: { readonly path: string; readonly pid: number | undefined }): RolloutError {
  const who = lock.pid === undefined ? 'another process' : `process ${lock.pid}`;
  return new RolloutError(
    'in-use',
    `${rollout} is being written by ${who}; wait until it ends or end it, or remove ${lock.path} if it is no quire`,
    { path: rollout },
  );
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Two spellings of one file share one lock. */
function realPathOf(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}
