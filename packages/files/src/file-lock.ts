import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, rmSync, unlinkSync } from 'node:fs';
import { link, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJsonObject } from '@quire/protocol';
import { FileError } from './file-error.ts';
import { makeFolder } from './make-folder.ts';
import { isRunning, ownIdentity, type ProcessIdentity, parseIdentity } from './process-identity.ts';
import { describeSystemError, systemErrorCode } from './system-error.ts';

/** Held by one place in one process until it is disposed, which never rejects. Node has no `flock`: a file says who has it. */
export type FileLock = AsyncDisposable;

export interface LockOptions {
  /** What the lock is for, as a message names it. */
  readonly what: string;
  /** FileError 'in-use' after this long. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

interface Owner extends ProcessIdentity {
  /** In which its number means something: the machine's run and the process namespace. */
  readonly realm: string | undefined;
  /** Tells two holds of one process apart. */
  readonly hold: string;
}

const FIRST_RETRY_MS = 10;
const MAX_RETRY_MS = 100;

/** A holder that can not be looked at has given up by then: nothing that is done under a lock takes so long. */
const FOREIGN_AGE_MS = 180_000;
/** What is being written into a lock file takes no longer. */
const UNFINISHED_AGE_MS = 2000;
/** One that takes a lock over and is not done by then was ended, or has to begin anew. */
const TAKEOVER_AGE_MS = 1000;

/**
 * Waits for a lock and takes it. One that was left by a process that is gone is taken over, by one of those who wait.
 * Rejects with FileError 'in-use' or 'not-writable', or the reason of the signal.
 */
export async function takeFileLock(path: string, { what, waitMs, signal }: LockOptions): Promise<FileLock> {
  const own: Owner = { ...ownIdentity(), realm: readRealm(), hold: randomBytes(9).toString('base64url') };
  prepareFolder(dirname(path));
  const giveUpAtMs = performance.now() + waitMs;
  for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS)) {
    signal?.throwIfAborted();
    if (await makeLock(path, own)) return { [Symbol.asyncDispose]: () => giveBack(path, own) };
    if (await takeAway(path, own.hold)) continue;
    if (performance.now() >= giveUpAtMs) throw await inUse(what, path);
    // Those who wait do not ask in step.
    await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
  }
}

function prepareFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new FileError('not-writable', `${folder} can not be made: ${describeSystemError(cause)}`, { cause });
  }
}

/** The lock appears with its content, where the file system can do that. */
async function makeLock(path: string, own: Owner): Promise<boolean> {
  const draft = draftOf(path, own.hold);
  try {
    await writeFile(draft, JSON.stringify(own), { mode: 0o600, flag: 'wx' });
    try {
      await link(draft, path);
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') return false;
    }
    await writeFile(path, JSON.stringify(own), { mode: 0o600, flag: 'wx' });
    return true;
  } catch (cause) {
    if (systemErrorCode(cause) === 'EEXIST') return false;
    throw new FileError('not-writable', `${path} can not be made: ${describeSystemError(cause)}; check its folder`, {
      cause,
    });
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

function draftOf(path: string, hold: string): string {
  return `${path}.${hold}`;
}

/**
 * Removes a lock whose holder is gone. Only one process at a time does so, and looks again before: else the second
 * one would remove the lock that the first has made in the meantime.
 */
async function takeAway(path: string, hold: string): Promise<boolean> {
  if (!(await isLeft(path))) return false;
  const takeover = `${path}.takeover`;
  try {
    await writeFile(takeover, hold, { mode: 0o600, flag: 'wx' });
  } catch {
    if ((await ageMs(takeover)) > TAKEOVER_AGE_MS) await removing(takeover, () => unlink(takeover));
    return false;
  }
  try {
    // No other process comes between the last look and what follows, however long this one was stopped before.
    if (!(await isLeft(path)) || !isHeld(takeover, hold)) return false;
    return await removing(path, () => {
      const left = parseOwner(readFileSync(path, 'utf8'))?.hold ?? '';
      unlinkSync(path);
      if (/^[\w-]+$/.test(left)) rmSync(draftOf(path, left), { force: true });
    });
  } finally {
    if (isHeld(takeover, hold)) rmSync(takeover, { force: true });
  }
}

/** Whether it was still there. Rejects with FileError 'not-writable'. */
async function removing(path: string, work: () => void | Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return false;
    const what = `${path} can not be removed: ${describeSystemError(cause)}; remove it as the user that it belongs to`;
    throw new FileError('not-writable', what, { cause });
  }
}

function isHeld(takeover: string, hold: string): boolean {
  try {
    return readFileSync(takeover, 'utf8') === hold;
  } catch {
    return false; // taken for left by another one
  }
}

/** Rejects with FileError 'not-writable' for what can be no lock of this user. */
async function isLeft(path: string): Promise<boolean> {
  const text = await readLock(path);
  if (text === undefined) return false; // given back
  const owner = parseOwner(text);
  if (owner === undefined) return (await ageMs(path)) > UNFINISHED_AGE_MS;
  if (owner.realm !== readRealm()) return (await ageMs(path)) > FOREIGN_AGE_MS;
  return !isRunning(owner);
}

/** `undefined`: there is none. */
async function readLock(path: string): Promise<string | undefined> {
  try {
    // Nobody may ever write to a pipe, and waiting for that can not be stopped.
    if ((await stat(path)).isFile()) return await readFile(path, 'utf8');
  } catch (cause) {
    const code = systemErrorCode(cause);
    // Windows says so of a file that is just being removed.
    if (code !== 'EACCES' || process.platform === 'win32') return undefined;
    const what = `${path} can not be read: permission denied; it belongs to another user, who has to remove it`;
    throw new FileError('not-writable', what, { cause });
  }
  throw new FileError('not-writable', `${path} is no regular file, and can be no lock; remove it`);
}

async function giveBack(path: string, own: Owner): Promise<void> {
  const text = await readLock(path).catch(() => undefined);
  if (text === undefined || parseOwner(text)?.hold !== own.hold) return;
  await rm(path, { force: true }).catch(() => undefined); // what stays names a process that ends: the next takes it over
}

function readRealm(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined; // not Linux: one machine, one run
  }
}

/** `undefined`: it is not finished, or not one of ours. */
function parseOwner(text: string): Owner | undefined {
  const identity = parseIdentity(text);
  const { realm, hold } = parseJsonObject(text) ?? {};
  if (identity === undefined || typeof hold !== 'string') return undefined;
  return { ...identity, realm: typeof realm === 'string' ? realm : undefined, hold };
}

/** How far from now it was written: a time to come is one of a clock that was set back, and counts like one that is over. */
async function ageMs(path: string): Promise<number> {
  return await stat(path).then(
    ({ mtimeMs }) => Math.abs(Date.now() - mtimeMs),
    () => 0,
  );
}

async function inUse(what: string, path: string): Promise<FileError> {
  const owner = parseOwner((await readLock(path)) ?? '');
  const who = owner === undefined ? 'another process' : `process ${owner.pid}`;
  return new FileError(
    'in-use',
    `${what} is being changed by ${who}; wait until it ends or end it, or remove ${path} if it is no quire`,
  );
}
