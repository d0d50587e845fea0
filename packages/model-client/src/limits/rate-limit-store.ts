import type { RateLimitSnapshot } from '@quire/protocol';

/** An allowance that was found used up. */
export interface ExhaustedLimit {
  readonly limitId: string;
  /** Unix seconds. Absent: the server did not say. */
  readonly resetsAtSeconds: number | undefined;
}

/**
 * The latest that is known of each limit, whichever way it came: headers, events, error bodies, the usage
 * endpoint. Newest wins; what nobody told stays unknown.
 */
export class RateLimitStore {
  readonly #snapshots = new Map<string, RateLimitSnapshot>();
  readonly #exhausted = new Map<string, ExhaustedLimit>();

  /** A snapshot without windows says nothing of them. Name, credits and plan that are missing live on. */
  update(snapshot: RateLimitSnapshot): void {
    const { limitId } = snapshot;
    const known = this.#snapshots.get(limitId);
    const tellsWindows = snapshot.primary !== undefined || snapshot.secondary !== undefined;
    if (!tellsWindows && known === undefined && isEmpty(snapshot)) return;
    if (tellsWindows) this.#exhausted.delete(limitId);
    this.#snapshots.set(limitId, {
      limitId,
      limitName: snapshot.limitName ?? known?.limitName,
      primary: tellsWindows ? snapshot.primary : known?.primary,
      secondary: tellsWindows ? snapshot.secondary : known?.secondary,
      credits: snapshot.credits ?? known?.credits,
      planType: snapshot.planType ?? known?.planType,
    });
  }

  noteExhausted(limit: ExhaustedLimit): void {
    this.#exhausted.set(limit.limitId, limit);
  }

  get(limitId: string): RateLimitSnapshot | undefined {
    return this.#snapshots.get(limitId);
  }

  /** Every limit that something is known of, by id. */
  get all(): ReadonlyMap<string, RateLimitSnapshot> {
    return this.#snapshots;
  }

  /** Limits that were used up when last heard of. */
  get exhausted(): ReadonlyMap<string, ExhaustedLimit> {
    return this.#exhausted;
  }
}

function isEmpty(snapshot: RateLimitSnapshot): boolean {
  return snapshot.limitName === undefined && snapshot.credits === undefined && snapshot.planType === undefined;
}
