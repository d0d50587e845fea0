import fs from 'node:fs';
import path from 'node:path';
import { describeSystemError, systemErrorCode } from '@quire/files';
import { parseJsonObject, parseThreadId, stringAt, type ThreadId } from '@quire/protocol';
import { AppendFile } from './append-file.ts';
import { createRedactor, type KnownValues } from './redact.ts';
import { RolloutError } from './rollout-error.ts';

/**
 * The names that people gave to threads: one line each in a file beside the rollouts, of which the last for a thread
 * counts. Names only help to find: a thread is there without one. Source: files of the peer, 0.169.
 */
const FILE_NAME = 'session_index.jsonl';

export interface NameThreadOptions {
  readonly home: string;
  readonly threadId: ThreadId;
  /** White space around it is dropped; an empty one takes the name away. */
  readonly name: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Values that must not be written down. */
  readonly secrets?: KnownValues;
}

/** @throws RolloutError 'not-writable' */
export function setThreadName(options: NameThreadOptions): void {
  const file = path.join(options.home, FILE_NAME);
  const name = createRedactor(options.secrets).redactText(options.name.trim());
  const updatedAt = new Date(options.now()).toISOString();
  const line = JSON.stringify({ id: options.threadId, thread_name: name, updated_at: updatedAt });
  try {
    const fd = fs.openSync(file, 'a+', 0o600);
    const names = new AppendFile({ path: file, fd });
    try {
      names.append(Buffer.from(`${endsInsideLine(fd) ? '\n' : ''}${line}\n`));
    } finally {
      names.close();
    }
  } catch (cause) {
    if (cause instanceof RolloutError) throw cause;
    throw new RolloutError('not-writable', `${file} can not be written: ${describeSystemError(cause)}`, {
      path: file,
      cause,
    });
  }
}

/** By thread. Lines that are damaged are passed over; a file that can not be read holds no names. */
export function readThreadNames(home: string): ReadonlyMap<ThreadId, string> {
  const names = new Map<ThreadId, string>();
  for (const line of readText(path.join(home, FILE_NAME)).split('\n')) {
    const entry = line === '' ? undefined : parseJsonObject(line);
    const threadId = parseThreadId(entry?.['id']);
    const name = entry === undefined ? undefined : stringAt(entry, 'thread_name');
    if (threadId === undefined || name === undefined) continue;
    if (name === '') names.delete(threadId);
    else names.set(threadId, name);
  }
  return names;
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return '';
  }
}

function endsInsideLine(fd: number): boolean {
  const { size } = fs.fstatSync(fd);
  const last = Buffer.alloc(1);
  return size > 0 && fs.readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 10;
}
