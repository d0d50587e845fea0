import type { MessageItem, ReviewFinding, ReviewResult } from '@quire/protocol';

/** Source: the peer's fixed ids. */
const USER_ID = 'review:rollout:user';
const ASSISTANT_ID = 'review:rollout:assistant';

export interface ReviewMessages {
  /** For the history of the thread that asked for the review. */
  readonly items: readonly MessageItem[];
  /** The findings as people read them. */
  readonly text: string;
}

export function reviewMessages(review: ReviewResult): ReviewMessages {
  const text = renderReview(review);
  return {
    text,
    items: messages('The user asked for a review and it is done; the results say what was found.', text),
  };
}

export function interruptedReviewMessages(): ReviewMessages {
  const text = 'The review was stopped before it was done.';
  return { text, items: messages('The user asked for a review, and it was stopped before there was a result.', text) };
}

/** Not a contextual message: it stays when the history is compacted. Source: the tag and its parts are the peer's. */
function messages(context: string, results: string): readonly MessageItem[] {
  const text = [
    '<user_action>',
    `  <context>${context}</context>`,
    '  <action>review</action>',
    '  <results>',
    results,
    '  </results>',
    '</user_action>',
  ].join('\n');
  return [
    { type: 'message', id: USER_ID, role: 'user', content: [{ type: 'input_text', text }] },
    { type: 'message', id: ASSISTANT_ID, role: 'assistant', content: [{ type: 'output_text', text: results }] },
  ];
}

/** The explanation, then each finding with its place. */
function renderReview(review: ReviewResult): string {
  const { findings, overallExplanation, overallCorrectness } = review;
  const parts = [overallExplanation.trim() === '' ? overallCorrectness : overallExplanation.trim()];
  if (findings.length > 0) {
    parts.push(findings.length === 1 ? 'One finding:' : `${findings.length} findings:`);
    parts.push(...findings.map(renderFinding));
  }
  const text = parts.filter((part) => part !== '').join('\n\n');
  return text === '' ? 'The reviewer gave no answer.' : text;
}

function renderFinding({ title, body, location }: ReviewFinding): string {
  const place = location === undefined ? '' : ` (${location.path}:${location.startLine}-${location.endLine})`;
  const indented = body
    .trim()
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`));
  return [`- ${title}${place}`, ...(body.trim() === '' ? [] : indented)].join('\n');
}
