import {
  parseReview,
  REVIEW_INSTRUCTIONS,
  type ReviewOrder,
  type ReviewSubject,
  resolveSettings,
  reviewLabel,
  reviewPrompt,
  TaskError,
  type ThreadSettings,
} from '@quire/core';
import { ReviewTargetError, readReviewTarget } from '@quire/host';
import type { ReviewResult, ThreadEvent, TurnOutcome } from '@quire/protocol';
import { AgentError } from './agent-error.ts';
import type { ReviewTarget } from './api.ts';
import type { ThreadGround, ThreadSource } from './thread-ground.ts';

interface ReviewParts {
  readonly opener: ThreadSource;
  readonly ground: ThreadGround;
  /** Of the thread that asks. */
  readonly settings: ThreadSettings;
  readonly signal: AbortSignal;
}

/**
 * A review, ready to be run. The reviewer is a thread of its own: it gets the question and nothing of what was said
 * before.
 * @throws AgentError 'invalid-argument' when there is nothing to review, or the branch or commit does not exist
 */
export async function reviewOrder(target: ReviewTarget, parts: ReviewParts): Promise<ReviewOrder> {
  const subject = await readReviewSubject(target, { cwd: parts.settings.cwd, signal: parts.signal });
  const prompt = reviewPrompt(subject);
  return {
    target: reviewLabel(subject),
    prompt,
    conduct: (options) => conduct(prompt, parts, options),
  };
}

/** @throws AgentError 'invalid-argument' */
export async function readReviewSubject(
  target: ReviewTarget,
  place: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<ReviewSubject> {
  if (target.kind === 'custom') {
    if (target.instructions.trim() === '') {
      throw new AgentError('invalid-argument', 'the review has no instructions; say what to review');
    }
    return target;
  }
  try {
    return await readReviewTarget(target, place);
  } catch (error) {
    if (error instanceof ReviewTargetError) throw new AgentError('invalid-argument', error.message, { cause: error });
    throw error;
  }
}

async function conduct(
  prompt: string,
  { opener, ground, settings }: ReviewParts,
  options: { readonly signal: AbortSignal; readonly onEvent: (event: ThreadEvent) => void },
): Promise<ReviewResult> {
  const { config } = ground.site;
  const model = config.reviewModel === undefined ? settings.model : ground.models.describe(config.reviewModel);
  const { choices } = settings;
  const reviewer = await opener.openChild(
    ground,
    resolveSettings({
      ...settings,
      model,
      choices: { ...choices, personality: { ...choices.personality, feature: false } },
      baseInstructions: REVIEW_INSTRUCTIONS,
      developerInstructions: undefined,
      projectInstructions: undefined,
      collaborationMode: undefined,
      approvalPolicy: 'never',
      webSearch: { ...settings.webSearch, mode: 'disabled' },
    }),
    { source: { subagent: 'review' }, subagent: 'review' },
  );
  let answer = '';
  let outcome: TurnOutcome | undefined;
  try {
    await reviewer.runPushed(prompt, {
      signal: options.signal,
      onEvent: (event) => {
        if (event.kind === 'item-end' && event.item.kind === 'agent-message') answer = event.item.text;
        if (event.kind === 'turn-end') outcome = event.outcome;
        options.onEvent(event);
      },
    });
  } finally {
    await reviewer.close();
  }
  options.signal.throwIfAborted();
  if (outcome?.kind === 'failed') {
    const { code, message } = outcome.failure;
    throw new TaskError(code === 'budget-exceeded' ? code : 'review', `the review failed: ${message}`);
  }
  return parseReview(answer);
}
