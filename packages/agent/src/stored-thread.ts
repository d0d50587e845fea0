import { ThreadReconstruction, type ThreadSeed } from '@quire/core';
import { systemClock } from '@quire/host';
import { parseThreadId, type ThreadId } from '@quire/protocol';
import { findLastRollout, findRollout, openRollout, type RolloutFile, readRollout } from '@quire/store';
import { AgentError } from './agent-error.ts';
import type { ResumeTarget } from './api.ts';

/** A thread found on disk, read and ready to go on. Its file is open. */
export interface StoredThread {
  readonly threadId: ThreadId;
  readonly rollout: RolloutFile;
  readonly seed: ThreadSeed;
  readonly warnings: readonly string[];
}

interface Place {
  readonly home: string;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** @throws AgentError, RolloutError */
export async function openStoredThread(target: ResumeTarget, place: Place): Promise<StoredThread> {
  const path = await locate(target, place);
  const rollout = await openRollout(path, { now: systemClock.now });
  try {
    const reconstruction = new ThreadReconstruction();
    const onLine = reconstruction.add.bind(reconstruction);
    const reading = await readRollout(path, { onLine, signal: place.signal });
    const threadId = parseThreadId(reading.meta.id);
    if (threadId === undefined) throw new AgentError('rollout', `${path} names no valid thread id in its header`);
    const warnings = readingWarnings({ path, tornBytes: rollout.tornBytes, skippedLines: reading.skippedLines });
    return { threadId, rollout, seed: reconstruction.finish(), warnings };
  } catch (error) {
    rollout.close();
    throw error;
  }
}

async function locate(target: ResumeTarget, { home, cwd, signal }: Place): Promise<string> {
  if (target.kind === 'id') return findRollout({ home, idOrPath: target.id, cwd });
  const anywhere = target.anyDirectory === true;
  const last = await findLastRollout({ home, signal, ...(anywhere ? {} : { cwd }) });
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
  if (skippedLines > 0) warnings.push(`${skippedLines} lines of ${path} could not be understood and were passed over.`);
  return warnings;
}
