import type { ApprovalDecision } from '../ports/approvals.ts';

/** What the model is told when a person said no: their own words with it, if there are any. */
export function rejectedByUser(
  what: string,
  decision: Extract<ApprovalDecision, { kind: 'denied' | 'aborted' }>,
): string {
  const why = decision.kind === 'denied' && decision.reason !== undefined ? `: ${decision.reason}` : '';
  return `${what} rejected by user${why}`;
}
