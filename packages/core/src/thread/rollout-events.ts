/** Persisted events in the file's spelling. Source: files written by the peer. */
import {
  type JsonObject,
  type RateLimitSnapshot,
  type RateLimitWindow,
  type ResponseItem,
  type ReviewResult,
  type RolloutLine,
  responseItemToJson,
  type ThreadTokenUsage,
  type TokenUsage,
  type UserInput,
} from '@quire/protocol';

import { effectiveContextWindow } from '../model/effective-window.ts';
import type { ThreadSettings } from './settings.ts';

type ImageInput = Extract<UserInput, { kind: 'image' }>;

function eventLine(payload: JsonObject & { readonly type: string }): RolloutLine {
  return { type: 'event_msg', payload };
}

export function taskStarted(
  turnId: string,
  settings: Pick<ThreadSettings, 'model' | 'collaborationMode'>,
): RolloutLine {
  const contextWindow = effectiveContextWindow(settings.model);
  return eventLine({
    type: 'task_started',
    turn_id: turnId,
    ...(contextWindow === undefined ? {} : { model_context_window: contextWindow }),
    collaboration_mode_kind: settings.collaborationMode?.mode ?? 'default',
  });
}

export function taskComplete(turnId: string, lastAgentMessage: string | undefined): RolloutLine {
  return eventLine({ type: 'task_complete', turn_id: turnId, last_agent_message: lastAgentMessage ?? null });
}

export function turnAborted(turnId: string): RolloutLine {
  return eventLine({ type: 'turn_aborted', turn_id: turnId, reason: 'interrupted' });
}

export function threadRolledBack(turns: number): RolloutLine {
  return eventLine({ type: 'thread_rolled_back', num_turns: turns });
}

/** Type of the event of `outputAhead`. */
export const OUTPUT_AHEAD = 'tool_output_ahead';

/**
 * Ours; other programs skip it. A tool that is done before others that were called before it: what it gave is not
 * lost if the process dies before its item can be written in its place.
 */
export function outputAhead(item: ResponseItem): RolloutLine {
  return { type: 'event_msg', payload: { type: OUTPUT_AHEAD, item: responseItemToJson(item) } };
}

export function contextCompacted(): RolloutLine {
  return eventLine({ type: 'context_compacted' });
}

/** `snapshot_id` is ours: it says which snapshot is used up. */
export function undoCompleted(done: { readonly message: string; readonly snapshotId: string }): RolloutLine {
  return eventLine({ type: 'undo_completed', success: true, message: done.message, snapshot_id: done.snapshotId });
}

export function enteredReviewMode(review: { readonly target: string; readonly prompt: string }): RolloutLine {
  return eventLine({
    type: 'entered_review_mode',
    target: { type: 'custom', instructions: review.prompt },
    user_facing_hint: review.target,
  });
}

export function exitedReviewMode(review: ReviewResult | undefined): RolloutLine {
  return eventLine({ type: 'exited_review_mode', review_output: review === undefined ? null : reviewJson(review) });
}

function reviewJson(review: ReviewResult): JsonObject {
  return {
    findings: review.findings.map((finding) => ({
      title: finding.title,
      body: finding.body,
      confidence_score: finding.confidence ?? 0,
      priority: finding.priority ?? null,
      code_location: {
        absolute_file_path: finding.location?.path ?? '',
        line_range: { start: finding.location?.startLine ?? 0, end: finding.location?.endLine ?? 0 },
      },
    })),
    overall_correctness: review.overallCorrectness,
    overall_explanation: review.overallExplanation,
    overall_confidence_score: review.overallConfidence ?? 0,
  };
}

/** Data URLs stay out of it: the image itself is in the history item beside this line. */
export function userMessageEvent(message: string, images: readonly ImageInput[]): RolloutLine {
  return eventLine({
    type: 'user_message',
    message,
    images: images
      .filter((image) => image.path === undefined && !image.url.startsWith('data:'))
      .map((image) => image.url),
    local_images: images.flatMap((image) => (image.path === undefined ? [] : [image.path])),
    text_elements: [],
  });
}

export function agentMessageEvent(message: string): RolloutLine {
  return eventLine({ type: 'agent_message', message });
}

export function agentReasoningEvent(text: string): RolloutLine {
  return eventLine({ type: 'agent_reasoning', text });
}

/** Also marks the end of a sampling attempt: outputs before it belong to the calls before it. */
export function tokenCount(usage: ThreadTokenUsage | undefined, limits: RateLimitSnapshot | undefined): RolloutLine {
  return eventLine({
    type: 'token_count',
    info:
      usage === undefined
        ? null
        : {
            total_token_usage: usageJson(usage.total),
            last_token_usage: usageJson(usage.last),
            model_context_window: usage.contextWindow ?? null,
          },
    rate_limits: limits === undefined ? null : limitsJson(limits),
  });
}

function usageJson(usage: TokenUsage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    cached_input_tokens: usage.cachedInputTokens,
    ...(usage.cacheWriteInputTokens === undefined ? {} : { cache_write_input_tokens: usage.cacheWriteInputTokens }),
    output_tokens: usage.outputTokens,
    reasoning_output_tokens: usage.reasoningOutputTokens,
    total_tokens: usage.totalTokens,
  };
}

function limitsJson(limits: RateLimitSnapshot): JsonObject {
  return {
    limit_id: limits.limitId,
    limit_name: limits.limitName ?? null,
    primary: windowJson(limits.primary),
    secondary: windowJson(limits.secondary),
    credits:
      limits.credits === undefined
        ? null
        : {
            has_credits: limits.credits.hasCredits,
            unlimited: limits.credits.unlimited,
            balance: limits.credits.balance ?? null,
          },
    plan_type: limits.planType ?? null,
  };
}

function windowJson(window: RateLimitWindow | undefined): JsonObject | null {
  if (window === undefined) return null;
  return {
    used_percent: window.usedPercent,
    window_minutes: window.windowMinutes ?? null,
    resets_at: window.resetsAtSeconds ?? null,
  };
}
