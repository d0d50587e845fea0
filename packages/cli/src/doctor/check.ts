export type CheckVerdict = 'ok' | 'warning' | 'failed';

/** What one look at the machine or the configuration came to. */
export interface CheckResult {
  /** Stable, for programs: `sandbox`, `network`, … */
  readonly id: string;
  readonly verdict: CheckVerdict;
  /** One line. */
  readonly summary: string;
  /** One line each. */
  readonly details: readonly string[];
  /** What a person can do; absent when nothing has to be done. */
  readonly remedy?: string;
}

/** Must not reject: what goes wrong is a verdict. */
export type Check = () => Promise<CheckResult>;
