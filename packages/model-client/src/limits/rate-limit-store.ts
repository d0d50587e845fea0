import type { Clock } from '@quire/core';
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
  readonly #heardAtMs = new Map<string, number>();
  readonly #clock: Pick<Clock, 'now'> | undefined;

  /** Without a clock nobody knows how old the data is. */
  constructor({ clock }: { readonly clock?: Pick<Clock, 'now'> } = {}) {
    this.#clock = clock;
  }

  /**
   * A snapshot without windows says nothing of them. Name, credits and plan that are missing live on.
   *
   * @param options `asOfMs`: when it was true, unix milliseconds; absent: now. An older one only fills what is unknown.
   */
  update(snapshot: RateLimitSnapshot, { asOfMs = this.#clock?.now() }: { readonly asOfMs?: number } = {}): void {
    const { limitId } = snapshot;
    const known = this.#snapshots.get(limitId);
    if (known === undefined && isSilent(snapshot)) return;
    const heardAtMs = this.#heardAtMs.get(limitId);
    if (known !== undefined && asOfMs !== undefined && heardAtMs !== undefined && asOfMs < heardAtMs) {
      this.#snapshots.set(limitId, merged({ newer: known, older: snapshot }));
      return;
    }
    if (tellsWindows(snapshot)) this.#exhausted.delete(limitId);
    if (asOfMs !== undefined && !isSilent(snapshot)) this.#heardAtMs.set(limitId, asOfMs);
    this.#snapshots.set(limitId, merged({ newer: snapshot, older: known }));
  }

  noteExhausted(limit: ExhaustedLimit): void {
    this.#exhausted.set(limit.limitId, limit);
  }

  /** When something was last told of a limit; unix milliseconds. */
  heardAtMs(limitId: string): number | undefined {
    return this.#heardAtMs.get(limitId);
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

function merged({
  newer,
  older,
}: {
  readonly newer: RateLimitSnapshot;
  readonly older: RateLimitSnapshot | undefined;
}): RateLimitSnapshot {
  const windows = tellsWindows(newer) ? newer : older;
  return {
    limitId: newer.limitId,
    limitName: newer.limitName ?? older?.limitName,
    primary: windows?.primary,
    secondary: windows?.secondary,
    credits: newer.credits ?? older?.credits,
    planType: newer.planType ?? older?.planType,
  };
}

function tellsWindows({ primary, secondary }: RateLimitSnapshot): boolean {
  return primary !== undefined || secondary !== undefined;
}

function isSilent(snapshot: RateLimitSnapshot): boolean {
  const { limitName, credits, planType } = snapshot;
  return !tellsWindows(snapshot) && limitName === undefined && credits === undefined && planType === undefined;
}
