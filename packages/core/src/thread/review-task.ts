import type { ReviewResult, ThreadEvent } from '@quire/protocol';
import { interruptedReviewMessages, reviewMessages } from '../review/review-messages.ts';
import { effectiveTruncation } from '../tools/effective-truncation.ts';
import { enteredReviewMode, exitedReviewMode } from './rollout-events.ts';
import type { Task } from './task.ts';

/** A review as the thread sees it; who conducts it stands behind `conduct`. */
export interface ReviewOrder {
  /** What is reviewed, in a few words for people. */
  readonly target: string;
  /** What the reviewer was asked. */
  readonly prompt: string;
  /**
   * Runs the reviewer, a thread of its own with its own history. Its events are forwarded to `onEvent`. Rejects with
   * what made it fail, or the reason of `signal`.
   */
  readonly conduct: (options: {
    readonly signal: AbortSignal;
    readonly onEvent: (event: ThreadEvent) => void;
  }) => Promise<ReviewResult>;
}

/** Announces the review, has it done and keeps its result as two messages. Gives back the rendered findings. */
export async function runReviewTask(task: Task, order: ReviewOrder): Promise<string> {
  const { events, record, ports, settings, signal } = task;
  signal.throwIfAborted();
  const id = ports.entropy.uuid();
  record.write([enteredReviewMode(order)]);
  events.end({ kind: 'review-start', id, target: order.target });
  let review: ReviewResult | undefined;
  try {
    review = await order.conduct({ signal, onEvent: (event) => forward(task, event) });
  } finally {
    const messages = review === undefined ? interruptedReviewMessages() : reviewMessages(review);
    record.add(messages.items, effectiveTruncation(settings), [exitedReviewMode(review)]);
    events.end({ kind: 'review-end', id, review });
  }
  return reviewMessages(review).text;
}

/** The reviewer's own words stay out: people are shown the findings. Its turn is part of this task. */
function forward({ events, turnId }: Task, event: ThreadEvent): void {
  switch (event.kind) {
    case 'item-start':
    case 'item-update':
    case 'item-end':
      if (event.item.kind === 'agent-message' || event.item.kind === 'user-message') return;
      events.emit({ ...event, turnId });
      return;
    case 'command-output-delta':
    case 'reasoning-delta':
    case 'stream-retry':
    case 'model-waiting':
    case 'rate-limits':
    case 'turn-receipt':
      events.emit({ ...event, turnId });
      return;
    case 'warning':
      events.emit({ ...event, turnId });
      return;
    case 'text-delta':
    case 'thread-start':
    case 'turn-start':
    case 'turn-end':
    case 'turn-diff':
    case 'token-usage':
      return;
  }
}
