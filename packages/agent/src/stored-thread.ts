import { ThreadReconstruction, type ThreadSeed } from '@quire/core';
import { systemClock } from '@quire/host';
import { parseThreadId, type RolloutLine, type SessionMeta, type ThreadId } from '@quire/protocol';
import {
  type DamageListener,
  findLastRollout,
  findRollout,
  isArchived,
  type KnownValues,
  openRollout,
  type RolloutFile,
  readRolloutBackwards,
} from '@quire/store';
import { AgentError } from './agent-error.ts';
import type { ResumeTarget } from './api.ts';

/** A thread found on disk, read and ready to go on. Its file is open. */
export interface StoredThread {
  readonly threadId: ThreadId;
  readonly rollout: RolloutFile;
  readonly seed: ThreadSeed;
  readonly warnings: readonly string[];
}

/** Where threads are looked for. */
export interface LocatingPlace {
  readonly home: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly onDamaged?: DamageListener | undefined;
}

export interface StoragePlace extends LocatingPlace {
  /** Values that must not be written down. */
  readonly secrets: KnownValues;
}

/** The file of a thread that can be written to. @throws AgentError, RolloutError */
export async function locateWritable(target: ResumeTarget, place: LocatingPlace): Promise<string> {
  const path = await locateThread(target, place);
  if (!isArchived(place.home, path)) return path;
  const id = threadIdOfPath(path) ?? JSON.stringify(path);
  throw new AgentError('archived', `${path} is archived; bring it back with: quire unarchive ${id}`);
}

/** @throws AgentError, RolloutError */
export async function openStoredThread(target: ResumeTarget, place: StoragePlace): Promise<StoredThread> {
  const path = await locateWritable(target, place);
  return takeUp(await openRollout(path, { now: systemClock.now, secrets: place.secrets }), place);
}

/** Reads the thread of a file that is open for writing. The file is closed when that fails. */
export async function takeUp(
  rollout: RolloutFile,
  place: Pick<StoragePlace, 'home' | 'signal'>,
): Promise<StoredThread> {
  const { path, tornBytes } = rollout;
  try {
    const { seed, meta, skippedLines } = await readSeed(path, place);
    const threadId = parseThreadId(meta.id);
    if (threadId === undefined) throw new AgentError('rollout', `${path} names no valid thread id in its header`);
    return { threadId, rollout, seed, warnings: readingWarnings({ path, tornBytes, skippedLines }) };
  } catch (error) {
    rollout.close();
    throw error;
  }
}

/** What a thread is, by its file. @throws RolloutError, or the reason of the signal */
export async function readStoredSeed(
  path: string,
  place: { readonly home: string; readonly signal: AbortSignal },
): Promise<ThreadSeed> {
  return (await readSeed(path, place)).seed;
}

/** The same for a thread whose lines are in memory, oldest first. */
export function seedOfLines(lines: readonly RolloutLine[]): ThreadSeed {
  const reconstruction = new ThreadReconstruction();
  for (const line of lines.toReversed()) if (reconstruction.addOlder(line) === 'enough') break;
  return reconstruction.finish();
}

async function readSeed(
  path: string,
  { home, signal }: { readonly home: string; readonly signal: AbortSignal },
): Promise<{ readonly seed: ThreadSeed; readonly meta: SessionMeta; readonly skippedLines: number }> {
  const reconstruction = new ThreadReconstruction();
  const { meta, skippedLines } = await readRolloutBackwards(path, {
    home,
    onLine: (line) => reconstruction.addOlder(line),
    needs: (lineType, payloadType) => reconstruction.needs(lineType, payloadType),
    signal,
  });
  return { seed: reconstruction.finish(meta), meta, skippedLines };
}

/** @throws AgentError, RolloutError */
export async function locateThread(
  target: ResumeTarget,
  { home, cwd, signal, onDamaged }: LocatingPlace,
): Promise<string> {
  if (target.kind === 'id') return findRollout({ home, idOrPath: target.id, cwd });
  const anywhere = target.anyDirectory === true;
  const last = await findLastRollout({ home, signal, ...(anywhere ? {} : { cwd }), ...(onDamaged && { onDamaged }) });
  if (last !== undefined) return last.path;
  const where = anywhere ? home : cwd;
  throw new AgentError('thread-not-found', `no thread to resume was found for ${where}; start one, or name an id`);
}

function readingWarnings(reading: {
  readonly path: string;
  readonly tornBytes: number;
  readonly skippedLines: number;
}): readonly string[] {
  const { path, tornBytes, skippedLines } = reading;
  const warnings: string[] = [];
  if (tornBytes > 0) {
    warnings.push(
      `The last line of ${path} was half-written; its ${tornBytes} bytes were cut off, all before them is there.`,
    );
  }
  if (skippedLines > 0) {
    const what = skippedLines === 1 ? '1 line' : `${skippedLines} lines`;
    const end = skippedLines === 1 ? 'was' : 'were';
    warnings.push(`${what} of ${path} could not be understood and ${end} passed over.`);
  }
  return warnings;
}

function threadIdOfPath(path: string): string | undefined {
  return /-([0-9a-f-]{36})(?:_[0-9a-f-]{36})?\.jsonl$/.exec(path)?.[1];
}
