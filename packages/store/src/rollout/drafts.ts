import fs from 'node:fs';
import path from 'node:path';
import { systemErrorCode } from '@quire/files';

const SUFFIX = '.jsonl.draft';
/** Nothing is drafted for that long; one this old was left by a process that is gone. */
const OLD_MS = 3_600_000;

/** Where a rollout is written before it appears under its name. */
export function draftOf(file: string): string {
  return `${file}.draft`;
}

/** Removes what processes that were killed left in a folder. What can not be looked at or removed stays. */
export function removeOldDrafts(folder: string): void {
  try {
    for (const name of fs.readdirSync(folder)) {
      if (!name.startsWith('rollout-') || !name.endsWith(SUFFIX)) continue;
      const draft = path.join(folder, name);
      if (Date.now() - fs.statSync(draft).mtimeMs > OLD_MS) fs.rmSync(draft, { force: true });
    }
  } catch (error) {
    // The work at hand does not need it; the next one tries again.
    if (systemErrorCode(error) === undefined) throw error;
  }
}
