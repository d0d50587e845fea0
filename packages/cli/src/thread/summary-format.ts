import type { ThreadSummary } from '@quire/agent';
import { safeLine } from '../exec/safe-text.ts';

/** Longest name or preview in a list, in characters. */
const MAX_TITLE_CHARACTERS = 72;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** From then on a date says more. */
const MAX_AGE_DAYS = 14;

/** The name, or how it began; one line, cut. */
export function titleOf({ name, preview }: Pick<ThreadSummary, 'name' | 'preview'>): string {
  const title = safeLine(name ?? preview).trim();
  if (title === '') return '(empty)';
  const characters = [...title];
  return characters.length <= MAX_TITLE_CHARACTERS
    ? title
    : `${characters.slice(0, MAX_TITLE_CHARACTERS - 1).join('')}…`;
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
