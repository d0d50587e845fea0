/**
 * What takes the place of an item that the API refuses, so that it can not spoil every later request. A placeholder
 * that is refused as well is left out, so each item is refused at most twice.
 */
import { assertNever, type MessageItem, type ResponseItem } from '@quire/protocol';
import { isAnswer, isOpenCall, isToolOutput, partnerIndex } from './call-pairs.ts';
import { holdsImage, replaceImages } from './item-images.ts';

/** Source: the peer's text in place of a refused image of a tool. */
const INVALID_IMAGE = 'Invalid image';
const IMAGE_REMOVED = '[the image that stood here was removed because the API refused it]';
const MESSAGE_REMOVED = '[the message that stood here was removed because the API refused it]';
const OUTPUT_REMOVED = '[the output that stood here was removed because the API refused it]';

/** Indexes of the items that a refused image can be in, the likeliest first: tool outputs and user messages, newest first. */
export function imageSuspects(items: readonly ResponseItem[]): readonly number[] {
  const suspects: number[] = [];
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index];
    if (item === undefined || !holdsImage(item)) continue;
    if (isToolOutput(item) || (item.type === 'message' && item.role === 'user')) suspects.push(index);
  }
  return suspects;
}

/** The item with a text in the place of each image; an item without images comes back as it is. */
export function quarantineImages(item: ResponseItem): ResponseItem {
  return replaceImages(item, isToolOutput(item) ? INVALID_IMAGE : IMAGE_REMOVED);
}

/**
 * An item of the same kind that keeps the pairing and holds nothing else. `undefined`: the history does without it,
 * because nothing is paired with it or because `item` is such a placeholder already.
 */
export function quarantineItem(item: ResponseItem): ResponseItem | undefined {
  const placeholder = placeholderFor(item);
  return JSON.stringify(placeholder) === JSON.stringify(item) ? undefined : placeholder;
}

function placeholderFor(item: ResponseItem): ResponseItem | undefined {
  switch (item.type) {
    case 'message':
      return { ...item, content: [messageText(item)] };
    case 'function_call':
      return { ...item, arguments: '{}' };
    case 'custom_tool_call':
      return { ...item, input: '' };
    case 'local_shell_call':
      return { ...item, action: { type: 'exec', command: [] } };
    case 'tool_search_call':
      return { ...item, arguments: {} };
    case 'function_call_output':
    case 'custom_tool_call_output':
      return { ...item, output: OUTPUT_REMOVED };
    case 'tool_search_output':
      return { ...item, tools: [] };
    case 'reasoning':
    case 'web_search_call':
    case 'compaction':
    case 'compaction_summary':
    case 'context_compaction':
    case 'compaction_trigger':
    case 'ghost_snapshot':
    case 'unknown':
      return undefined;
    default:
      return assertNever(item, 'placeholderFor');
  }
}

function messageText({ role }: MessageItem): MessageItem['content'][number] {
  return { type: role === 'assistant' ? 'output_text' : 'input_text', text: MESSAGE_REMOVED };
}

/**
 * One line for people about a quarantine of `item`, as it was before. `history` is where the names of tools are
 * found. `whole`: all of the item went, not only its images.
 */
export function describeQuarantine(
  item: ResponseItem,
  {
    history = [],
    whole = !holdsImage(item),
  }: { readonly history?: readonly ResponseItem[]; readonly whole?: boolean } = {},
): string {
  const place = nameOf(item, history);
  const what = whole ? place : `an image in ${place}`;
  return `${what} was refused by the API and is left out from now on`;
}

function nameOf(item: ResponseItem, history: readonly ResponseItem[]): string {
  if (item.type === 'message') return MESSAGE_NAMES[item.role];
  if (isOpenCall(item)) return `a call of ${toolName(item)}`;
  if (isAnswer(item)) return `the output of ${toolNameOfAnswer(item, history)}`;
  if (item.type === 'unknown') return `an item of type ${String(item.raw['type'])}`;
  return `an item of type ${item.type}`;
}

const MESSAGE_NAMES: Readonly<Record<MessageItem['role'], string>> = {
  user: 'a message of the user',
  assistant: 'a message of the model',
  developer: 'a message of instructions',
  system: 'a message of instructions',
};

function toolName(call: ResponseItem): string {
  if (call.type === 'function_call' || call.type === 'custom_tool_call') return call.name;
  return call.type === 'local_shell_call' ? 'local_shell' : 'tool_search';
}

function toolNameOfAnswer(item: ResponseItem, history: readonly ResponseItem[]): string {
  if (item.type === 'custom_tool_call_output' && item.name !== undefined) return item.name;
  const partner = partnerIndex(history, history.lastIndexOf(item));
  const call = partner === undefined ? undefined : history[partner];
  return call === undefined ? 'a tool' : toolName(call);
}
