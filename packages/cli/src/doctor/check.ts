/** `skipped`: there was no reason to look, or something else has to be put right first. */
export type CheckVerdict = 'ok' | 'warning' | 'failed' | 'skipped';

/** What one look at the machine or the configuration came to. */
export interface CheckResult {
  /** Stable, for programs: `sandbox`, `dns`, … */
  readonly id: string;
  readonly verdict: CheckVerdict;
  /** One line. */
  readonly summary: string;
  /** One line each. */
  readonly details: readonly string[];
  /** What a person can do; absent when nothing has to be done. */
  readonly remedy?: string;
}

export function skipped(id: string, summary: string): CheckResult {
  return { id, verdict: 'skipped', summary, details: [] };
}

/** The worst of several verdicts about one thing. */
export function worst(verdicts: readonly CheckVerdict[]): CheckVerdict {
  return (['failed', 'warning', 'ok'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'skipped';
}

/** Something that deserves attention, with what can be done about it. */
export interface Finding {
  readonly verdict: 'warning' | 'failed';
  readonly text: string;
  readonly remedy: string;
}

/** A result from what was found wrong; the first of the worst findings is the summary. */
export function resultOf(
  id: string,
  options: { readonly summary: string; readonly details: readonly string[]; readonly findings: readonly Finding[] },
): CheckResult {
  const { summary, details, findings } = options;
  const verdict = worst(['ok', ...findings.map((finding) => finding.verdict)]);
  const first = findings.find((finding) => finding.verdict === verdict);
  if (first === undefined) return { id, verdict, summary, details };
  const others = findings.filter((finding) => finding !== first);
  return {
    id,
    verdict,
    summary: first.text,
    details: [summary, ...details, ...others.map(({ text, remedy }) => `${text}; ${remedy}`)],
    remedy: first.remedy,
  };
}

/** `1 file`, `2 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
