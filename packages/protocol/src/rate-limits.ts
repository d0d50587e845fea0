/** One window of a limit. Source: response headers and `codex.rate_limits` events. */
export interface RateLimitWindow {
  readonly usedPercent: number;
  readonly windowMinutes: number | undefined;
  /** Unix seconds. */
  readonly resetsAtSeconds: number | undefined;
}

export interface RateLimitCredits {
  readonly hasCredits: boolean;
  readonly unlimited: boolean;
  readonly balance: string | undefined;
}

export interface RateLimitSnapshot {
  /** Bucket id; the default bucket is `codex`. */
  readonly limitId: string;
  readonly limitName: string | undefined;
  readonly primary: RateLimitWindow | undefined;
  readonly secondary: RateLimitWindow | undefined;
  readonly credits: RateLimitCredits | undefined;
  readonly planType: string | undefined;
}
