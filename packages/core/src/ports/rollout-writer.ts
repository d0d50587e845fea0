import type { RolloutLine } from '@quire/protocol';

/**
 * Appends to the record of one thread. When `append` returns, the lines have left the process: a
 * kill of the process loses nothing of them.
 */
export interface RolloutWriter {
  /** Throws when the file can not be written. */
  append(lines: readonly RolloutLine[]): void;
  close(): void;
}
