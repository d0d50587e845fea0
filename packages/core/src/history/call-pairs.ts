import type {
  JsonObject,
  ResponseItem,
  ToolCallItem,
  ToolOutputItem,
  ToolSearchCallItem,
  ToolSearchOutputItem,
} from '@quire/protocol';
import { rememberChanges } from './derived-item.ts';

/** Output given to a call whose real outcome is not known any more. Source: the peer's repair text. */
export const UNKNOWN_OUTCOME = 'aborted';

export function isToolCall(item: ResponseItem): item is ToolCallItem {
  return item.type === 'function_call' || item.type === 'custom_tool_call' || item.type === 'local_shell_call';
}

export function isToolOutput(item: ResponseItem): item is ToolOutputItem {
  return item.type === 'function_call_output' || item.type === 'custom_tool_call_output';
}

/** An item that wants an answer, with the id that both carry. */
export type OpenCall = (ToolCallItem | ToolSearchCallItem) & { readonly call_id: string };
/** An item that answers one. */
export type Answer = (ToolOutputItem | ToolSearchOutputItem) & { readonly call_id: string };

/** Whether `item` has to be answered. Searches that the server ran, and calls without an id, can not be. */
export function isOpenCall(item: ResponseItem): item is OpenCall {
  if (item.type === 'tool_search_call') return item.execution === 'client' && item.call_id !== undefined;
  return isToolCall(item) && item.call_id !== undefined;
}

/** Whether `item` answers a call and so needs one. What the server found, and outputs without an id, stand alone. */
export function isAnswer(item: ResponseItem): item is Answer {
  if (item.type === 'tool_search_output') return item.execution !== 'server' && item.call_id !== undefined;
  return isToolOutput(item);
}

/** A local shell call is answered by a function output; the others by an output of their own kind. */
const ANSWER_TYPES = {
  function_call: 'function_call_output',
  local_shell_call: 'function_call_output',
  custom_tool_call: 'custom_tool_call_output',
  tool_search_call: 'tool_search_output',
} as const satisfies Record<OpenCall['type'], Answer['type']>;

function fits(call: OpenCall, answer: Answer): boolean {
  return call.call_id === answer.call_id && ANSWER_TYPES[call.type] === answer.type;
}

/** The answer to a call whose own is lost. Asked twice, it gives the same object. */
const unknownOutcomeOf = rememberChanges(emptyAnswer);

function emptyAnswer(call: OpenCall): Answer {
  const type = ANSWER_TYPES[call.type];
  if (type !== 'tool_search_output') return { type, call_id: call.call_id, output: UNKNOWN_OUTCOME };
  return { type, call_id: call.call_id, execution: 'client', status: 'completed', tools: [] };
}

/** The index of the item that `items[index]` is paired with: its answer, or the call that it answers. */
export function partnerIndex(items: readonly ResponseItem[], index: number): number | undefined {
  const item = items[index];
  if (item === undefined) return undefined;
  const partner = isOpenCall(item)
    ? items.findIndex((other, at) => at > index && isAnswer(other) && fits(item, other))
    : isAnswer(item)
      ? items.findLastIndex((other, at) => at < index && isOpenCall(other) && fits(other, item))
      : -1;
  return partner === -1 ? undefined : partner;
}

const PAIRED_TYPES: ReadonlySet<unknown> = new Set<ResponseItem['type']>([
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'local_shell_call',
  'tool_search_call',
  'tool_search_output',
]);

/** A call or an output in a shape that can not be read, so that nothing can be paired with it. */
export function isUnreadablePart(raw: JsonObject): boolean {
  return PAIRED_TYPES.has(raw['type']);
}

/** Whether every call has exactly one fitting answer after it, and every answer its call. */
export function isPaired(items: readonly ResponseItem[]): boolean {
  const open = new Map<string, OpenCall>();
  for (const item of items) {
    if (isOpenCall(item)) {
      if (open.has(item.call_id)) return false;
      open.set(item.call_id, item);
    } else if (isAnswer(item)) {
      const call = open.get(item.call_id);
      if (call === undefined || !fits(call, item)) return false;
      open.delete(item.call_id);
    }
  }
  return open.size === 0;
}

/**
 * Keeps for each call the first fitting answer before the id is used anew, puts the unknown outcome directly
 * after each call that has none, and leaves out the other answers.
 */
export function repairPairs(items: readonly ResponseItem[]): readonly ResponseItem[] {
  const { answered, kept } = matchAnswers(items);
  const repaired: ResponseItem[] = [];
  items.forEach((item, index) => {
    if (isAnswer(item) && !kept.has(index)) return;
    repaired.push(item);
    if (isOpenCall(item) && !answered.has(index)) repaired.push(unknownOutcomeOf(item));
  });
  return repaired;
}

/** Indexes of the calls that have an answer, and of those answers. */
function matchAnswers(items: readonly ResponseItem[]): {
  readonly answered: ReadonlySet<number>;
  readonly kept: ReadonlySet<number>;
} {
  const open = new Map<string, { readonly call: OpenCall; readonly index: number }>();
  const answered = new Set<number>();
  const kept = new Set<number>();
  items.forEach((item, index) => {
    if (isOpenCall(item)) open.set(item.call_id, { call: item, index });
    if (!isAnswer(item)) return;
    const match = open.get(item.call_id);
    if (match === undefined || !fits(match.call, item)) return;
    answered.add(match.index);
    kept.add(index);
    open.delete(item.call_id);
  });
  return { answered, kept };
}
