import fs from 'node:fs';
import path from 'node:path';
import { describeSystemError, systemErrorCode } from '@quire/files';
import type { ThreadId } from '@quire/protocol';
import { RolloutError } from './rollout-error.ts';
import { threadIdOfName } from './rollout-name.ts';

export interface RolloutPath {
  /** Absolute. */
  readonly path: string;
  readonly threadId: ThreadId;
}

const DATE_PART = /^\d{2}(?:\d{2})?$/;
/** Year, month, day. */
const MAX_DEPTH = 3;

/**
 * The rollouts below `folder`, newest first by name. Reads a day's folder only when it gets there.
 * @param after where an earlier look stopped: path of a rollout, relative to `folder`
 */
export function rolloutsBelow(folder: string, after?: string): Generator<RolloutPath, void, undefined> {
  return walk(folder, { depth: 0, after: after?.split('/') ?? [] });
}

function* walk(
  folder: string,
  position: { readonly depth: number; readonly after: readonly string[] },
): Generator<RolloutPath, void, undefined> {
  const [first, ...rest] = position.after;
  for (const name of namesIn(folder).sort().reverse()) {
    if (first !== undefined && (name > first || (name === first && rest.length === 0))) continue;
    const entry = path.join(folder, name);
    const threadId = threadIdOfName(name);
    if (threadId !== undefined) yield { path: entry, threadId };
    else if (position.depth < MAX_DEPTH && DATE_PART.test(name)) {
      yield* walk(entry, { depth: position.depth + 1, after: name === first ? rest : [] });
    }
  }
}

/** None when `folder` does not exist. */
export function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw new RolloutError('not-readable', `${folder} can not be read: ${describeSystemError(cause)}`, {
      path: folder,
      cause,
    });
  }
}

/** `undefined` when there is no file that can be looked at. */
export function statFile(file: string): fs.Stats | undefined {
  try {
    const stats = fs.statSync(file);
    return stats.isFile() ? stats : undefined;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
