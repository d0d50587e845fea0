import type { ThreadSummary } from '@quire/agent';
import { safeLine } from '../exec/safe-text.ts';

/** Longest name or preview in a list, in characters. */
const MAX_TITLE_CHARACTERS = 72;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** From then on a date says more. */
const MAX_AGE_DAYS = 14;

/**
 * The name, or how it began; one line, cut.
 *
 * @param columns that it may take on a terminal
 */
export function titleOf({ name, preview }: Pick<ThreadSummary, 'name' | 'preview'>, columns?: number): string {
  const title = safeLine(name ?? preview).trim();
  if (title === '') return '(empty)';
  const characters = [...title];
  const fitting = characters.length <= MAX_TITLE_CHARACTERS ? title : cut(characters, MAX_TITLE_CHARACTERS, () => 1);
  return columns === undefined || widthOf(fitting) <= columns ? fitting : cut([...fitting], columns, widthOf);
}

function cut(characters: readonly string[], limit: number, sizeOf: (character: string) => number): string {
  let [text, size] = ['', 1]; // of the mark at the end
  for (const character of characters) {
    size += sizeOf(character);
    if (size > limit) break;
    text += character;
  }
  return `${text}…`;
}

const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;

/** Columns of a terminal, as most of them count. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : /\p{M}|\u200d/u.test(character) ? 0 : 1;
  return width;
}

/** `now`, `5 min`, `3 h`, `2 d`, and the date in UTC for what is older. */
export function ageOf(timeMs: number, nowMs: number): string {
  const ageMs = nowMs - timeMs;
  if (ageMs < MINUTE_MS) return 'now';
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min`;
  if (ageMs < DAY_MS) return `${Math.floor(ageMs / HOUR_MS)} h`;
  if (ageMs < MAX_AGE_DAYS * DAY_MS) return `${Math.floor(ageMs / DAY_MS)} d`;
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** For programs: one object, without a line end. */
export function summaryJson(summary: ThreadSummary): string {
  return JSON.stringify({
    thread_id: summary.threadId,
    name: summary.name ?? null,
    preview: summary.preview,
    cwd: summary.workingDirectory,
    created_at: new Date(summary.createdAtMs).toISOString(),
    updated_at: new Date(summary.updatedAtMs).toISOString(),
    forked_from: summary.forkedFrom ?? null,
    archived: summary.archived,
    path: summary.rolloutPath,
  });
}
