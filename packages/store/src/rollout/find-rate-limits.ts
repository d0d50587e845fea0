import {
  isJsonObject,
  type JsonObject,
  numberAt,
  objectAt,
  type RateLimitCredits,
  type RateLimitSnapshot,
  type RateLimitWindow,
  type RolloutLine,
  stringAt,
} from '@quire/protocol';
import { listRollouts } from './list-rollouts.ts';
import { readRolloutBackwards } from './read-backwards.ts';

/** Threads go on in older files; of the last begun ones, those that were written to last are looked into. */
const MAX_LISTED = 64;
const MAX_READ = 8;
/** A line holds one limit; what a few dozen of them did not tell is not told further back either. */
const MAX_LINES = 50;

/** What a recorded turn heard of a limit. */
export interface RecordedRateLimit {
  readonly snapshot: RateLimitSnapshot;
  /** Unix milliseconds. */
  readonly atMs: number;
}

export interface LastRateLimitsOptions {
  readonly home: string;
  /** Only of threads with this provider. */
  readonly providerId: string;
  readonly signal: AbortSignal;
  /** For all of the looking; what was found by then is the result. */
  readonly timeoutMs: number;
}

/** What `readLastRateLimits` promises. */
export async function findRateLimits(options: LastRateLimitsOptions): Promise<readonly RecordedRateLimit[]> {
  options.signal.throwIfAborted();
  const budget = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, budget]);
  const found: RecordedRateLimit[] = [];
  for (const rollout of await lastWritten({ ...options, signal })) {
    const { path, updatedAtMs } = rollout;
    let lines = 0;
    await readRolloutBackwards(path, {
      home: options.home,
      signal,
      needs: (type, payloadType) => type === 'event_msg' && payloadType === 'token_count',
      onLine: (line, { timestamp }) => {
        const snapshot = limitIn(line);
        const atMs = Date.parse(timestamp ?? '');
        if (snapshot !== undefined) found.push({ snapshot, atMs: Number.isNaN(atMs) ? updatedAtMs : atMs });
        lines += 1;
        return lines < MAX_LINES ? 'continue' : 'enough';
      },
    }).catch(() => options.signal.throwIfAborted());
    if (budget.aborted) break;
  }
  options.signal.throwIfAborted();
  return found;
}

async function lastWritten(
  options: LastRateLimitsOptions,
): Promise<readonly { readonly path: string; readonly updatedAtMs: number }[]> {
  const { home, providerId, signal } = options;
  const page = await listRollouts({ home, limit: MAX_LISTED, withSubagents: true, signal }).catch(() => undefined);
  return (page?.threads ?? [])
    .filter(({ meta }) => (meta.model_provider ?? providerId) === providerId)
    .sort((left, right) => right.updatedAtMs - left.updatedAtMs)
    .slice(0, MAX_READ);
}

function limitIn({ type, payload }: RolloutLine): RateLimitSnapshot | undefined {
  if (type !== 'event_msg' || payload.type !== 'token_count') return undefined;
  const raw = payload['rate_limits'];
  if (!isJsonObject(raw)) return undefined;
  return {
    limitId: stringAt(raw, 'limit_id') ?? 'codex',
    limitName: stringAt(raw, 'limit_name'),
    primary: windowIn(objectAt(raw, 'primary')),
    secondary: windowIn(objectAt(raw, 'secondary')),
    credits: creditsIn(objectAt(raw, 'credits')),
    planType: stringAt(raw, 'plan_type'),
  };
}

function windowIn(raw: JsonObject | undefined): RateLimitWindow | undefined {
  const usedPercent = raw === undefined ? undefined : numberAt(raw, 'used_percent');
  if (raw === undefined || usedPercent === undefined) return undefined;
  return {
    usedPercent,
    windowMinutes: numberAt(raw, 'window_minutes'),
    resetsAtSeconds: numberAt(raw, 'resets_at'),
  };
}

function creditsIn(raw: JsonObject | undefined): RateLimitCredits | undefined {
  const hasCredits = raw?.['has_credits'];
  const unlimited = raw?.['unlimited'];
  if (raw === undefined || typeof hasCredits !== 'boolean' || typeof unlimited !== 'boolean') return undefined;
  return { hasCredits, unlimited, balance: stringAt(raw, 'balance') };
}
