import fs from 'node:fs';
import path from 'node:path';
import { turnAbortedMessage } from '@quire/core';
import { describeSystemError, makeFolder } from '@quire/files';
import type { RolloutLine, SessionMeta, ThreadId } from '@quire/protocol';
import { AppendFile } from './append-file.ts';
import { draftOf, removeOldDrafts } from './drafts.ts';
import { encodeLines } from './encode-lines.ts';
import { type ForkPoint, findForkPoint } from './fork-point.ts';
import { type LineageLine, readLineage } from './read-lineage.ts';
import { createRedactor, type Redactor } from './redact.ts';
import { RolloutError } from './rollout-error.ts';
import { flushFolders, openRollout, type RolloutFile, type WriteOptions } from './rollout-file.ts';
import { dayFolder, rolloutName } from './rollout-name.ts';

export interface ForkRolloutOptions extends WriteOptions {
  readonly home: string;
  /** Absolute path of the parent's rollout. It is only read, and may be one that is being written. */
  readonly source: string;
  /** Of the new thread. */
  readonly threadId: ThreadId;
  /** `id` and `timestamp` come from `threadId` and `now`, `forked_from_id` from the parent. */
  readonly meta: Omit<SessionMeta, 'id' | 'timestamp' | 'forked_from_id' | 'history_base'>;
  /** Cuts right before this one of what a person said, rolled back words not counted, from 0. Beyond the end: no cut. */
  readonly beforeUserMessage?: number;
  /** Beyond the end is an error instead. Default false. */
  readonly requiresMessage?: boolean;
  readonly onLine?: (line: RolloutLine) => void;
  readonly signal: AbortSignal;
}

/** Lines are collected up to this size before they are written. Unit: bytes. */
const WRITE_BYTES = 256 * 1024;

/**
 * A new thread that begins with the lines of another one. It appears under its name when all of it is durable; a
 * failure leaves nothing behind.
 * @throws RolloutError 'not-found', 'not-readable', 'not-writable', 'no-header', 'no-parent', 'in-use', 'no-such-message'
 */
export async function forkRollout(options: ForkRolloutOptions): Promise<RolloutFile> {
  const startMs = options.now();
  const folder = dayFolder(options.home, startMs);
  const file = path.join(folder, rolloutName(startMs, options.threadId));
  const draft = draftOf(file);
  const point = await findForkPoint(options);
  const firstCreated = makeDraftFolder(folder, file);
  try {
    removeOldDrafts(folder);
    await writeFork(draft, { ...options, startMs, point });
    fs.linkSync(draft, file); // unlike a renaming it does not replace a thread
  } catch (cause) {
    if (cause instanceof RolloutError || options.signal.aborted) throw cause;
    throw notWritable(file, cause);
  } finally {
    fs.rmSync(draft, { force: true });
  }
  await flushFolders(folder, firstCreated);
  return await openRollout(file, options);
}

function makeDraftFolder(folder: string, file: string): string | undefined {
  try {
    return makeFolder(folder);
  } catch (cause) {
    throw notWritable(file, cause);
  }
}

async function writeFork(
  draft: string,
  fork: ForkRolloutOptions & { readonly startMs: number; readonly point: ForkPoint },
): Promise<void> {
  const { point, startMs } = fork;
  const redactor = createRedactor(fork.secrets);
  const file = new AppendFile({ path: draft, fd: fs.openSync(draft, 'ax+', 0o600) });
  try {
    const meta: SessionMeta = {
      ...fork.meta,
      id: fork.threadId,
      forked_from_id: point.parentId,
      timestamp: new Date(startMs).toISOString(),
    };
    const encode = (lines: readonly RolloutLine[]) => encodeLines(lines, { timeMs: startMs, redactor });
    file.append(encode([{ type: 'session_meta', payload: meta }]));
    const copy = new LineCopy(file, redactor);
    await readLineage(fork.source, {
      home: fork.home,
      signal: fork.signal,
      onLine: (line) => {
        if (line.index >= point.lineCount) return 'enough';
        copy.add(line);
        return 'continue';
      },
    });
    copy.end();
    if (point.endsInsideTurn) file.append(encode(abortLines(point.openTurnId)));
    await file.flush();
  } finally {
    file.close();
  }
}

/** Copies lines as they are, but for the secrets in them. */
class LineCopy {
  readonly #file: AppendFile;
  readonly #redactor: Redactor;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(file: AppendFile, redactor: Redactor) {
    this.#file = file;
    this.#redactor = redactor;
  }

  add({ text }: LineageLine): void {
    const bytes = Buffer.from(`${this.#redactor.redactJsonText(text)}\n`, 'utf8');
    this.#parts.push(bytes);
    this.#length += bytes.length;
    if (this.#length >= WRITE_BYTES) this.end();
  }

  end(): void {
    if (this.#length > 0) this.#file.append(Buffer.concat(this.#parts));
    this.#parts = [];
    this.#length = 0;
  }
}

/** Tells the model that its last turn was cut. */
function abortLines(turnId: string | undefined): readonly RolloutLine[] {
  return [
    { type: 'response_item', payload: turnAbortedMessage() },
    {
      type: 'event_msg',
      payload: { type: 'turn_aborted', ...(turnId === undefined ? {} : { turn_id: turnId }), reason: 'interrupted' },
    },
  ];
}

function notWritable(file: string, cause: unknown): RolloutError {
  return new RolloutError('not-writable', `${file} can not be written: ${describeSystemError(cause)}`, {
    path: file,
    cause,
  });
}
