import { type ContentPart, type ResponseItem, responseItemToJson } from '@quire/protocol';
import { utf8Length } from '../utf8.ts';
import { imageSize } from './image-size.ts';

/** Source: the peer's conversion, one token for four bytes. */
export const BYTES_PER_TOKEN = 4;
/** What an inline image counts instead of its base64 text. Source: the peer; about 1,844 tokens. */
const IMAGE_BYTES = 7_373;
/** An image sent in full counts one token for each patch of this edge, in pixels, up to a limit. Source: the peer. */
const PATCH_EDGE = 32;
const MAX_PATCHES = 10_000;
/** Encrypted reasoning is base64 with a fixed overhead. Source: the peer. */
const ENCRYPTED_OVERHEAD_BYTES = 650;

const INLINE_IMAGE = /^data:image\/[^;,]+(?:;[^;,]+)*;base64,/i;

export function approximateTokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

export function estimateTextTokens(text: string): number {
  return approximateTokens(utf8Length(text));
}

/** Items are immutable, so each is measured once. */
const measured = new WeakMap<ResponseItem, number>();

/** What an item takes of the context window, by its JSON; images and what is encrypted go by their own rules. */
export function estimateItemTokens(item: ResponseItem): number {
  let tokens = measured.get(item);
  if (tokens === undefined) {
    tokens = approximateTokens(itemBytes(item));
    measured.set(item, tokens);
  }
  return tokens;
}

export function estimateTokens(items: readonly ResponseItem[]): number {
  let sum = 0;
  for (const item of items) sum += estimateItemTokens(item);
  return sum;
}

/** Whether the item holds reasoning that only the provider can read. */
export function isEncryptedReasoning(item: ResponseItem): boolean {
  return item.type === 'reasoning' && typeof item.encrypted_content === 'string';
}

function itemBytes(item: ResponseItem): number {
  switch (item.type) {
    case 'ghost_snapshot':
      return 0;
    case 'reasoning':
    case 'compaction':
    case 'compaction_summary':
    case 'context_compaction': {
      const encrypted = item.encrypted_content;
      if (typeof encrypted !== 'string') break;
      return Math.max(0, Math.floor((encrypted.length * 3) / 4) - ENCRYPTED_OVERHEAD_BYTES);
    }
    case 'message':
      return bytesWithImages({ ...item, content: [] }, item.content);
    case 'function_call_output':
    case 'custom_tool_call_output':
      if (typeof item.output !== 'string') return bytesWithImages({ ...item, output: [] }, item.output);
  }
  return jsonBytes(responseItemToJson(item));
}

function jsonBytes(value: unknown): number {
  return utf8Length(JSON.stringify(value));
}

/** `parts` stand in the list that `frame` has empty, with commas between. */
function bytesWithImages(frame: ResponseItem, parts: readonly ContentPart[]): number {
  let bytes = jsonBytes(frame) + Math.max(0, parts.length - 1);
  for (const part of parts) bytes += partBytes(part);
  return bytes;
}

function partBytes(part: ContentPart): number {
  if (part.type === 'unknown') return jsonBytes(part.raw);
  const prefix = part.type === 'input_image' ? INLINE_IMAGE.exec(part.image_url)?.[0] : undefined;
  if (part.type !== 'input_image' || prefix === undefined) return jsonBytes(part);
  const imageBytes = part.detail === 'original' ? originalImageBytes(part.image_url, prefix.length) : IMAGE_BYTES;
  return jsonBytes({ ...part, image_url: prefix }) + imageBytes;
}

function originalImageBytes(url: string, base64Start: number): number {
  const size = imageSize(url, base64Start);
  if (size === undefined) return IMAGE_BYTES;
  const patches = Math.ceil(size.width / PATCH_EDGE) * Math.ceil(size.height / PATCH_EDGE);
  return BYTES_PER_TOKEN * Math.min(MAX_PATCHES, patches);
}
