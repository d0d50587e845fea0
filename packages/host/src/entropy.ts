import { randomFillSync } from 'node:crypto';
import type { Entropy } from '@quire/core';
import { formatUuidV7 } from '@quire/protocol';

/** Half of the twelve bits are left free for counting up within the first millisecond. */
const FIRST_COUNT_MASK = 0x7ff;
const LAST_COUNT = 0xfff;

/**
 * Ids sort in the order they were made: within one millisecond, and when the clock is set back, the
 * twelve bits after the time count up from a random start, and the time moves on when they run over
 * (RFC 9562, section 6.2, method 1).
 */
export function createEntropy(now: () => number): Entropy {
  const bytes = new Uint8Array(10);
  let lastMs = -1;
  let count = 0;
  return {
    random: () => Math.random(),
    uuid: () => {
      randomFillSync(bytes);
      const ms = Math.floor(now());
      if (ms > lastMs || count === LAST_COUNT) {
        lastMs = Math.max(ms, lastMs + 1);
        count = (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) & FIRST_COUNT_MASK;
      } else {
        count += 1;
      }
      bytes[0] = count >> 8;
      bytes[1] = count & 0xff;
      return formatUuidV7(lastMs, bytes);
    },
  };
}

export const systemEntropy: Entropy = createEntropy(Date.now);
