import fs from 'node:fs';
import path from 'node:path';
import type { RolloutWriter } from '@quire/core';
import { describeSystemError, flushFolder, makeFolder, systemErrorCode } from '@quire/files';
import type { RolloutLine, SessionMeta, ThreadId } from '@quire/protocol';
import { AppendFile } from './append-file.ts';
import { removeOldDrafts } from './drafts.ts';
import { encodeLines } from './encode-lines.ts';
import { nextOrdinal } from './next-ordinal.ts';
import { createRedactor, type KnownValues, type Redactor } from './redact.ts';
import { repairTail } from './repair-tail.ts';
import { RolloutError } from './rollout-error.ts';
import { lockRollout, type RolloutLock } from './rollout-lock.ts';
import { dayFolder, rolloutName } from './rollout-name.ts';

/** The record of one thread, open for appending. Until it is closed no other process can open it so. */
export interface RolloutFile extends RolloutWriter, Disposable {
  /** Absolute. */
  readonly path: string;
  /** Bytes of a half-written last line that were cut off when the file was opened. */
  readonly tornBytes: number;
}

export interface WriteOptions {
  /** Unix milliseconds; asked once for each append. */
  readonly now: () => number;
  /** Values that must not be written down, keys and passwords; of at least 8 characters each. */
  readonly secrets?: KnownValues;
}

export interface CreateRolloutOptions extends WriteOptions {
  readonly home: string;
  readonly threadId: ThreadId;
  /** `id` and `timestamp` come from `threadId` and `now`. */
  readonly meta: Omit<SessionMeta, 'id' | 'timestamp'>;
  /** Called with each line, the header too, after it was written. Must not throw. */
  readonly onLine?: (line: RolloutLine) => void;
}

export interface OpenRolloutOptions extends WriteOptions {
  /** Called with each line after it was written. Must not throw. */
  readonly onLine?: (line: RolloutLine) => void;
}

/**
 * Starts the record of a new thread. When the promise resolves the header is durable. A failure leaves no
 * file behind. File mode 0600, folders 0700.
 * @throws RolloutError 'not-writable', 'in-use'
 */
export async function createRollout(options: CreateRolloutOptions): Promise<RolloutFile> {
  const startMs = options.now();
  const folder = dayFolder(options.home, startMs);
  const file = path.join(folder, rolloutName(startMs, options.threadId));
  const { fd, firstCreatedFolder } = createFile(folder, file);
  const rollout = new OpenRollout(new AppendFile({ path: file, fd }), {
    ...options,
    tornBytes: 0,
    lock: lockNewFile(file, fd),
  });
  try {
    const meta: SessionMeta = {
      ...options.meta,
      id: options.threadId,
      timestamp: new Date(startMs).toISOString(),
    };
    rollout.append([{ type: 'session_meta', payload: meta }]);
    const durable = Promise.all([rollout.flush(), flushFolders(folder, firstCreatedFolder)]);
    removeOldDrafts(folder);
    await durable;
  } catch (cause) {
    rollout.close();
    fs.rmSync(file, { force: true });
    throw cause instanceof RolloutError ? cause : notWritable(file, cause);
  }
  return rollout;
}

/**
 * Opens the record of a thread to go on with it. A torn last line is cut off, a last line that lacks only its
 * line feed gets one.
 * @throws RolloutError 'not-found', 'not-writable', 'no-header', 'in-use'
 */
export async function openRollout(file: string, options: OpenRolloutOptions): Promise<RolloutFile> {
  const fd = openExisting(file);
  let lock: RolloutLock | undefined;
  try {
    lock = lockRollout(file); // before the file is touched: a half-written line may be one that is being written
    const tornBytes = repairTail(fd, file);
    const ordinal = nextOrdinal(fd);
    return new OpenRollout(new AppendFile({ path: file, fd }), { ...options, tornBytes, lock, ordinal });
  } catch (cause) {
    lock?.release();
    fs.closeSync(fd);
    throw cause instanceof RolloutError ? cause : notWritable(file, cause);
  }
}

class OpenRollout implements RolloutFile {
  readonly path: string;
  readonly tornBytes: number;
  readonly #file: AppendFile;
  readonly #lock: RolloutLock;
  readonly #now: () => number;
  readonly #redactor: Redactor;
  readonly #onLine: ((line: RolloutLine) => void) | undefined;
  /** Number of the next line, in a file that counts them. */
  #ordinal: number | undefined;

  constructor(
    file: AppendFile,
    options: OpenRolloutOptions & {
      readonly tornBytes: number;
      readonly lock: RolloutLock;
      readonly ordinal?: number | undefined;
    },
  ) {
    this.#ordinal = options.ordinal;
    this.path = file.path;
    this.#lock = options.lock;
    this.tornBytes = options.tornBytes;
    this.#file = file;
    this.#now = options.now;
    this.#redactor = createRedactor(options.secrets);
    this.#onLine = options.onLine;
  }

  append(lines: readonly RolloutLine[]): void {
    if (lines.length === 0) return;
    this.#file.append(
      encodeLines(lines, { timeMs: this.#now(), redactor: this.#redactor, firstOrdinal: this.#ordinal }),
    );
    if (this.#ordinal !== undefined) this.#ordinal += lines.length;
    if (this.#onLine !== undefined) for (const line of lines) this.#onLine(line);
  }

  flush(): Promise<void> {
    return this.#file.flush();
  }

  close(): void {
    this.#file.close();
    this.#lock.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function createFile(
  folder: string,
  file: string,
): { readonly fd: number; readonly firstCreatedFolder: string | undefined } {
  try {
    const firstCreatedFolder = makeFolder(folder);
    return { fd: fs.openSync(file, 'ax+', 0o600), firstCreatedFolder };
  } catch (cause) {
    throw notWritable(file, cause);
  }
}

function lockNewFile(file: string, fd: number): RolloutLock {
  try {
    return lockRollout(file);
  } catch (error) {
    fs.closeSync(fd);
    fs.rmSync(file, { force: true });
    throw error;
  }
}

function openExisting(file: string): number {
  const { O_RDWR, O_APPEND } = fs.constants;
  try {
    return fs.openSync(file, O_RDWR | O_APPEND);
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ENOENT') throw notWritable(file, cause);
    throw new RolloutError('not-found', `${file} does not exist`, { path: file, cause });
  }
}

function notWritable(file: string, cause: unknown): RolloutError {
  return new RolloutError('not-writable', `${file} can not be written: ${describeSystemError(cause)}`, {
    path: file,
    cause,
  });
}

/** Makes the names of the file and of the folders made for it durable, where the system can do that. */
export async function flushFolders(folder: string, firstCreated: string | undefined): Promise<void> {
  const last = firstCreated === undefined ? folder : path.dirname(firstCreated);
  const folders = [folder];
  for (let current = folder; current !== last && current !== path.dirname(current); ) {
    current = path.dirname(current);
    folders.push(current);
  }
  await Promise.all(folders.map(flushFolder));
}
