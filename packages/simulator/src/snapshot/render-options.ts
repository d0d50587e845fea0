import { createRedaction } from './redact.ts';
import type { Telling } from './render-item.ts';

export interface RenderOptions {
  /**
   * `redacted` (when absent) is the same in every run and on every machine: ids, times, durations, hashes, versions
   * and temporary folders are replaced, calls are numbered, long texts cut. `full` tells everything as it came.
   */
  readonly mode?: 'redacted' | 'full';
  /** `tag` (when absent, in redacted mode) tells contextual fragments by their tag alone. */
  readonly fragments?: 'tag' | 'text';
  /** Redacted mode: longest text shown whole, in characters. 240 when absent. */
  readonly maxTextLength?: number;
  /** Redacted mode: what stands for these strings, such as a project's folder: `{ '/data/x1': '<project>' }`. */
  readonly replace?: Readonly<Record<string, string>>;
}

const DEFAULT_MAX_TEXT_LENGTH = 240;

export function tellingOf(options: RenderOptions): Telling {
  const isFull = options.mode === 'full';
  const { maxTextLength = DEFAULT_MAX_TEXT_LENGTH, replace = {} } = options;
  return {
    redaction: isFull ? undefined : createRedaction({ maxTextLength, replace }),
    tellsFragments: (options.fragments ?? (isFull ? 'text' : 'tag')) === 'text',
  };
}
