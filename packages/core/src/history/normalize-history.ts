import type { Brand, ResponseItem } from '@quire/protocol';
import { isAnswer, isOpenCall, isPaired, isUnreadablePart, repairPairs } from './call-pairs.ts';
import { rememberChanges } from './derived-item.ts';
import { holdsImage, replaceImages } from './item-images.ts';
import { mayAnswerInJson, shellOutputAsText } from './legacy-shell-output.ts';

export { isToolCall, isToolOutput, UNKNOWN_OUTCOME } from './call-pairs.ts';

const IMAGE_OMITTED = 'image content omitted because you do not support image input';

/**
 * Items as they may be sent: every call has exactly one fitting output after it, nothing answers a call that is
 * not there, and what is local is left out. Only this file makes them.
 */
export type PromptItems = Brand<readonly ResponseItem[], 'PromptItems'>;

export interface PromptOptions {
  readonly acceptsImages: boolean;
  /** Shell outputs that older files hold as JSON are told as text; wanted when the free-text patch tool is offered. */
  readonly jsonOutputsAsText?: boolean;
}

/**
 * The view of a history that a request holds. The history is not touched; where nothing needs repair the same
 * array comes back. An item that had to be changed or made is the same object every time, so that what is
 * cached for it survives and the beginning of two requests is the same byte for byte.
 */
export function normalizeHistory(items: readonly ResponseItem[], options: PromptOptions): PromptItems {
  const sendable = items.every(isSendable) ? items : items.filter(isSendable);
  const paired = isPaired(sendable) ? sendable : repairPairs(sendable);
  const readable = options.jsonOutputsAsText === true ? withTextOutputs(paired) : paired;
  const seen = options.acceptsImages ? readable : mapChanged(readable, withoutImages);
  return seen as PromptItems; // the one place where the brand is given: the steps above are what it means
}

/** Items for a request that are not from a thread's history. */
export function promptItems(items: readonly ResponseItem[]): PromptItems {
  return normalizeHistory(items, { acceptsImages: true });
}

/** A request that ends with `items`, normalised once more, and then asks the provider for a compaction. */
export function withCompactionTrigger(items: readonly ResponseItem[]): PromptItems {
  return [...promptItems(items), { type: 'compaction_trigger' }] as unknown as PromptItems; // the trigger opens no call
}

function isSendable(item: ResponseItem): boolean {
  switch (item.type) {
    case 'ghost_snapshot':
    case 'compaction_trigger':
      return false;
    case 'message':
      return item.role !== 'system';
    case 'unknown':
      return !isUnreadablePart(item.raw);
    default:
      return true;
  }
}

const asText = rememberChanges(shellOutputAsText);
const withoutImageBytes = rememberChanges(omitImages);

function withTextOutputs(items: readonly ResponseItem[]): readonly ResponseItem[] {
  const callIds = new Set<string>();
  return mapChanged(items, (item) => {
    if (isOpenCall(item)) {
      if (mayAnswerInJson(item)) callIds.add(item.call_id);
      else callIds.delete(item.call_id);
      return item;
    }
    return isAnswer(item) && callIds.has(item.call_id) ? asText(item) : item;
  });
}

function withoutImages(item: ResponseItem): ResponseItem {
  return hasImageBytes(item) ? withoutImageBytes(item) : item;
}

function hasImageBytes(item: ResponseItem): boolean {
  return holdsImage(item) || (item.type === 'unknown' && item.raw['type'] === 'image_generation_call');
}

function omitImages(item: ResponseItem): ResponseItem {
  if (item.type !== 'unknown') return replaceImages(item, IMAGE_OMITTED);
  return item.raw['result'] === '' ? item : { type: 'unknown', raw: { ...item.raw, result: '' } };
}

/** Like `map`, but the same array when no element changed. */
function mapChanged(
  items: readonly ResponseItem[],
  change: (item: ResponseItem) => ResponseItem,
): readonly ResponseItem[] {
  let changed = false;
  const mapped = items.map((item) => {
    const next = change(item);
    changed ||= next !== item;
    return next;
  });
  return changed ? mapped : items;
}
