import type { RolloutWriter } from '@quire/core';

/** The writer of a thread that leaves no record. */
export function createMemoryRollout(): RolloutWriter {
  return { append: () => undefined, close: () => undefined };
}
