import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject } from '@quire/protocol';
import { AuthError } from '../auth-error.ts';
import { systemCode, systemWord } from '../system-error.ts';
import { sleep } from '../waiting.ts';

/** Held by one place in one process. Node has no `flock`: a file says who has it. */
export interface FileLock {
  /** Rejects never; twice is fine. */
  release(): Promise<void>;
}

export interface LockOptions {
  readonly signal: AbortSignal;
  /** AuthError 'in-use' after this long. */
  readonly waitMs: number;
}

/** Which process, told apart from a later one with the same number and from one of another machine. */
interface Owner {
  readonly pid: number;
  /** When it began; `undefined` where the system does not tell. */
  readonly startedAt: string | undefined;
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
const UNFINISHED_AGE_MS = 5000;
/** Longest time between two system calls of a process that takes a lock over. */
const TAKEOVER_AGE_MS = 5000;

/**
 * Waits for a lock and takes it. One that was left by a process that is gone is taken over, by one of those who wait.
 * Rejects with AuthError 'in-use' or 'not-writable', or the reason of the signal.
 */
export async function takeLock(path: string, { signal, waitMs }: LockOptions): Promise<FileLock> {
  const own: Owner = { ...self(), hold: randomBytes(9).toString('base64url') };
  const giveUpAtMs = performance.now() + waitMs;
  for (let pauseMs = FIRST_RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_RETRY_MS)) {
    signal.throwIfAborted();
    if (await makeLock(path, own)) return { release: () => giveBack(path, own) };
    if (await takeAway(path)) continue;
    if (performance.now() >= giveUpAtMs) throw await inUse(path);
    // Those who wait do not ask in step.
    await sleep(pauseMs * (0.5 + Math.random() / 2), signal);
  }
}

/** The lock appears with its content, where the file system can do that. */
async function makeLock(path: string, own: Owner): Promise<boolean> {
  const draft = `${path}.${own.hold}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(draft, JSON.stringify(own), { mode: 0o600, flag: 'wx' });
    try {
      await link(draft, path);
      return true;
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
    }
    await writeFile(path, JSON.stringify(own), { mode: 0o600, flag: 'wx' });
    return true;
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return false;
    throw new AuthError('not-writable', `${path} can not be made: ${systemWord(cause)}; check its folder`, { cause });
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

/**
 * Removes a lock whose holder is gone. Only one process at a time does so, and looks again before: else the second
 * one would remove the lock that the first has made in the meantime.
 */
async function takeAway(path: string): Promise<boolean> {
  if (!(await isLeft(path))) return false;
  const takeover = `${path}.takeover`;
  try {
    await writeFile(takeover, '', { mode: 0o600, flag: 'wx' });
  } catch {
    if ((await ageMs(takeover)) > TAKEOVER_AGE_MS) await rm(takeover, { force: true });
    return false;
  }
  try {
    if (!(await isLeft(path))) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rm(takeover, { force: true });
  }
}

async function isLeft(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return false; // given back
  const owner = parseOwner(text);
  if (owner === undefined) return (await ageMs(path)) > UNFINISHED_AGE_MS;
  if (owner.realm !== self().realm) return (await ageMs(path)) > FOREIGN_AGE_MS;
  return !isRunning(owner);
}

async function giveBack(path: string, own: Owner): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined || parseOwner(text)?.hold !== own.hold) return;
  await rm(path, { force: true }).catch(() => undefined); // what stays names a process that ends: the next takes it over
}

function isRunning({ pid, startedAt }: Owner): boolean {
  try {
    process.kill(pid, /* signal */ 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return false;
  }
  const stat = readStat(pid);
  if (stat === undefined) return true;
  return stat.state !== 'Z' && stat.state !== 'X' && (startedAt === undefined || stat.startedAt === startedAt);
}

function self(): Omit<Owner, 'hold'> {
  return { pid: process.pid, startedAt: readStat(process.pid)?.startedAt, realm: readRealm() };
}

function readRealm(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return undefined; // not Linux: one machine, one run
  }
}

/** Linux only. Source: proc(5), fields 3 and 22; the name before them may hold spaces and brackets. */
function readStat(pid: number): { readonly state: string; readonly startedAt: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
  } catch {
    return undefined; // another system, or it has just ended: then the next look says so
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) return undefined;
    const { pid, startedAt, realm, hold } = value;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0 || typeof hold !== 'string') return undefined;
    return {
      pid,
      startedAt: typeof startedAt === 'string' ? startedAt : undefined,
      realm: typeof realm === 'string' ? realm : undefined,
      hold,
    };
  } catch {
    return undefined; // not finished, or not one of ours
  }
}

async function ageMs(path: string): Promise<number> {
  return await stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
}

async function inUse(path: string): Promise<AuthError> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const owner = parseOwner(text);
  const who = owner === undefined ? 'another process' : `process ${owner.pid}`;
  return new AuthError(
    'in-use',
    `the login is being changed by ${who}; wait until it ends or end it, or remove ${path} if it is no quire`,
  );
}
