import type { ToolOutputBody, ToolOutputPart, TruncationPolicy } from '@quire/protocol';
import { utf8Length, utf8Prefix, utf8Suffix } from '../utf8.ts';
import { approximateTokens, BYTES_PER_TOKEN } from './estimate-tokens.ts';

function budgetBytes(policy: TruncationPolicy): number {
  return policy.mode === 'tokens' ? policy.limit * BYTES_PER_TOKEN : policy.limit;
}

/** The same policy with `factor` times the budget, rounded up. */
export function scalePolicy(policy: TruncationPolicy, factor: number): TruncationPolicy {
  return { mode: policy.mode, limit: Math.ceil(policy.limit * factor) };
}

/**
 * Cuts the middle out of `text` when it is over the policy's budget: half the budget from the start, the
 * rest from the end, never inside a character, and between them one marker that tells how much is gone.
 * Source: the peer; the token form was observed.
 */
export function truncateMiddle(text: string, policy: TruncationPolicy): string {
  if (fitsBudget(text, policy)) return text;
  const budget = budgetBytes(policy);
  const headBudget = Math.floor(budget / 2);
  const head = utf8Prefix(text, headBudget);
  const tail = utf8Suffix(text.slice(head.length), budget - headBudget);
  const removed = text.slice(head.length, text.length - tail.length);
  return `${head}${truncationMarker(removed, policy)}${tail}`;
}

function truncationMarker(removed: string, policy: TruncationPolicy): string {
  if (policy.mode === 'tokens') return `…${approximateTokens(utf8Length(removed))} tokens truncated…`;
  let characters = 0;
  for (const _ of removed) characters += 1;
  return `…${characters} chars truncated…`;
}

export function fitsBudget(text: string, policy: TruncationPolicy): boolean {
  const budget = budgetBytes(policy);
  return text.length <= budget && utf8Length(text) <= budget;
}

/** Truncates a whole tool output; text parts share one budget in order, images stay and cost nothing. */
export function truncateToolOutput(body: ToolOutputBody, policy: TruncationPolicy): ToolOutputBody {
  if (typeof body === 'string') return truncateMiddle(body, policy);
  let restBytes = budgetBytes(policy);
  let omitted = 0;
  const kept: ToolOutputPart[] = [];
  for (const part of body) {
    if (part.type !== 'input_text') {
      kept.push(part);
      continue;
    }
    if (restBytes <= 0) {
      omitted += 1;
      continue;
    }
    const bytes = utf8Length(part.text);
    if (bytes <= restBytes) kept.push(part);
    else kept.push({ type: 'input_text', text: truncateMiddle(part.text, { mode: 'bytes', limit: restBytes }) });
    restBytes -= bytes;
  }
  if (omitted > 0) kept.push({ type: 'input_text', text: `[omitted ${omitted} text items ...]` });
  return kept;
}
