import type { RolloutWriter } from '@quire/core';
import type { RolloutLine } from '@quire/protocol';

export interface MemoryRollout extends RolloutWriter {
  /** Oldest first. */
  readonly lines: readonly RolloutLine[];
}

/**
 * The record of a thread that leaves none on disk. Of what a compaction replaced nothing is kept, so that a long
 * thread does not grow for ever; a rollback can not go behind it.
 */
export function createMemoryRollout(): MemoryRollout {
  let lines: RolloutLine[] = [];
  return {
    get lines() {
      return lines;
    },
    append: (added) => {
      for (const line of added) {
        if (line.type === 'compacted' && line.payload.replacement_history !== undefined) lines = newestContext(lines);
        lines.push(line);
      }
    },
    close: () => undefined,
  };
}

/** The settings of the last turn, which the next one is compared with. */
function newestContext(lines: readonly RolloutLine[]): RolloutLine[] {
  const start = lines.findLastIndex((line) => line.type === 'turn_context');
  return start === -1 ? [] : lines.slice(start).filter((line) => line.type !== 'compacted' && !isLarge(line));
}

function isLarge(line: RolloutLine): boolean {
  return line.type === 'response_item' && !(line.payload.type === 'message' && line.payload.role === 'user');
}
