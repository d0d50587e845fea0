import { type ContentPart, type ResponseItem, responseItemToJson } from '@quire/protocol';
import { isUserTurnBoundary } from '../context/fragments.ts';
import { utf8Length } from '../utf8.ts';

/** Source: the peer's conversion, one token for four bytes. */
const BYTES_PER_TOKEN = 4;
/** What an inline image counts instead of its base64 text. Source: the peer; about 1,844 tokens. */
const IMAGE_BYTES = 7_373;
/** Encrypted reasoning is base64 with a fixed overhead. Source: the peer. */
const ENCRYPTED_OVERHEAD_BYTES = 650;

const INLINE_IMAGE = /^data:image\/[\w.+-]+;base64,/;

export function tokensOfBytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

export function estimateTextTokens(text: string): number {
  return tokensOfBytes(utf8Length(text));
}

/** Items are immutable, so each is measured once. */
const measured = new WeakMap<ResponseItem, number>();

/** What an item takes of the context window, by its JSON; images and encrypted reasoning by their own rules. */
export function estimateItemTokens(item: ResponseItem): number {
  let tokens = measured.get(item);
  if (tokens === undefined) {
    tokens = tokensOfBytes(itemBytes(item));
    measured.set(item, tokens);
  }
  return tokens;
}

export function estimateTokens(items: readonly ResponseItem[]): number {
  let sum = 0;
  for (const item of items) sum += estimateItemTokens(item);
  return sum;
}

function itemBytes(item: ResponseItem): number {
  const encrypted = encryptedContent(item);
  if (encrypted !== undefined) return Math.max(0, Math.floor((encrypted.length * 3) / 4) - ENCRYPTED_OVERHEAD_BYTES);
  const bytes = utf8Length(JSON.stringify(responseItemToJson(item)));
  return bytes + imageCorrection(item);
}

function encryptedContent(item: ResponseItem): string | undefined {
  if (item.type === 'reasoning') return item.encrypted_content ?? undefined;
  if (item.type !== 'unknown') return undefined;
  const encrypted = item.raw['encrypted_content'];
  return typeof encrypted === 'string' ? encrypted : undefined;
}

/** Difference between what inline images count and what their text takes; zero or negative. */
function imageCorrection(item: ResponseItem): number {
  let correction = 0;
  for (const part of contentOf(item)) {
    if (part.type !== 'input_image') continue;
    const prefix = INLINE_IMAGE.exec(part.image_url)?.[0];
    if (prefix !== undefined) correction += IMAGE_BYTES - (part.image_url.length - prefix.length);
  }
  return correction;
}

function contentOf(item: ResponseItem): readonly ContentPart[] {
  if (item.type === 'message') return item.content;
  const isOutput = item.type === 'function_call_output' || item.type === 'custom_tool_call_output';
  return isOutput && typeof item.output !== 'string' ? item.output : [];
}

function isModelGenerated(item: ResponseItem): boolean {
  switch (item.type) {
    case 'message':
      return item.role === 'assistant';
    case 'function_call_output':
    case 'custom_tool_call_output':
      return false;
    default:
      return true;
  }
}

/**
 * Tokens that the next request will take: what the server counted last, what it has not seen yet, and
 * earlier encrypted reasoning, which its total leaves out unless it said otherwise.
 */
export function activeContextTokens(
  items: readonly ResponseItem[],
  counted: { readonly lastTotalTokens: number; readonly serverCountsReasoning: boolean },
): number {
  const lastGenerated = items.findLastIndex(isModelGenerated);
  let tokens = counted.lastTotalTokens + estimateTokens(items.slice(lastGenerated + 1));
  if (counted.serverCountsReasoning) return tokens;
  const lastBoundary = items.findLastIndex(isUserTurnBoundary);
  for (const item of items.slice(0, Math.max(0, lastBoundary))) {
    if (item.type === 'reasoning' && encryptedContent(item) !== undefined) tokens += estimateItemTokens(item);
  }
  return tokens;
}

/** Part of the window that is taken by every request and not counted against it. Source: the peer. */
const BASELINE_TOKENS = 12_000;

/** How much of the window is left, in whole percent, as people are shown. */
export function percentLeft(windowTokens: number, usedTokens: number): number {
  if (windowTokens <= BASELINE_TOKENS) return 0;
  const usable = windowTokens - BASELINE_TOKENS;
  const left = usable - Math.max(0, usedTokens - BASELINE_TOKENS);
  return Math.min(100, Math.max(0, Math.round((100 * left) / usable)));
}
