import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';
import { isContextUpdate, isImage, partsField, partsOf } from '../context-tags.ts';

/** Names of the wire for a kind that is not known, and ours: what a reader could not decode must go back raw. */
const UNDECODED: ReadonlySet<string> = new Set(['other', 'unknown']);
const COMPACTIONS: ReadonlySet<string> = new Set(['compaction', 'compaction_summary', 'context_compaction']);

export interface HistoryOptions {
  /** An image anywhere is a violation. */
  readonly isTextOnly: boolean;
  /** The first developer message stands for the instructions, which the body leaves out. */
  readonly hasInstructions: boolean;
  /** A `compaction_trigger` may stand at the end. */
  readonly allowsTrigger: boolean;
}

/**
 * What a history of this client holds, beyond what any client of the API keeps: nothing that is local or was not
 * decoded, no system message, context told once per update, one compaction in front of what follows it.
 * Source: core sheet sections 2, 5.2, 6.2 and 8.
 */
export function checkHistory(input: readonly JsonObject[], options: HistoryOptions): readonly string[] {
  const problems: string[] = [];
  for (const [index, item] of input.entries()) {
    const problem = kindProblem(item, { mayBeTrigger: options.allowsTrigger && index === input.length - 1 });
    if (problem !== undefined) problems.push(`input[${index}]${problem}`);
    else problems.push(...checkParts(item, index, options.isTextOnly));
  }
  return [...problems, ...checkUpdates(input, options), ...checkCompactions(input)];
}

/** What is wrong with the kind of an item, as words behind its place. */
function kindProblem(item: JsonObject, options: { readonly mayBeTrigger: boolean }): string | undefined {
  const type = stringAt(item, 'type') ?? '';
  if (UNDECODED.has(type)) return ` is of the kind ${type}, which is none of the wire`;
  if (type === 'ghost_snapshot') return ' is a ghost_snapshot, which is local and never sent';
  if (type === 'compaction_trigger' && !options.mayBeTrigger) {
    return ' is a compaction_trigger, which only the end of a streamed request may be';
  }
  if (type === 'message' && item['role'] === 'system') return ' is a message of the role system';
  const { action } = item;
  return isJsonObject(action) && action['type'] === 'other'
    ? `.action (${type}) is of the kind other, which is none of the wire`
    : undefined;
}

function checkParts(item: JsonObject, itemIndex: number, isTextOnly: boolean): readonly string[] {
  const problems: string[] = [];
  for (const [index, part] of partsOf(item).entries()) {
    const type = isJsonObject(part) ? stringAt(part, 'type') : undefined;
    const place = `input[${itemIndex}].${partsField(item)}[${index}]`;
    if (type !== undefined && UNDECODED.has(type)) {
      problems.push(`${place} is of the kind ${type}, which is none of the wire`);
    } else if (isTextOnly && isImage(part)) problems.push(`${place} is an image, and the model reads only text`);
  }
  return problems;
}

/** A run of developer messages and contextual user messages is one update: one of each, the developer's first. */
function checkUpdates(input: readonly JsonObject[], options: HistoryOptions): readonly string[] {
  const problems: string[] = [];
  let bundle: number | undefined;
  let context: number | undefined;
  for (const [index, item] of input.entries()) {
    const role = item['type'] === 'message' ? item['role'] : undefined;
    if (role === 'developer') {
      if (index === 0 && !options.hasInstructions) continue;
      const where = `input[${index}] is a developer message`;
      if (bundle !== undefined) problems.push(`${where} of the same update as that in input[${bundle}]`);
      else if (context !== undefined) problems.push(`${where} behind the context of its update in input[${context}]`);
      bundle = index;
    } else if (role === 'user' && isContextMessage(item)) {
      if (context !== undefined) {
        problems.push(`input[${index}] is a contextual message of the same update as that in input[${context}]`);
      }
      context = index;
    } else {
      bundle = undefined;
      context = undefined;
    }
  }
  return problems;
}

function isContextMessage(item: JsonObject): boolean {
  return partsOf(item).some((part) => isJsonObject(part) && isContextUpdate(stringAt(part, 'text') ?? ''));
}

/** What stands for the older history is one item, and of that history only messages are left before it. */
function checkCompactions(input: readonly JsonObject[]): readonly string[] {
  const places = input.flatMap((item, index) => (COMPACTIONS.has(stringAt(item, 'type') ?? '') ? [index] : []));
  const [first, second] = places;
  if (first === undefined) return [];
  const left = input.slice(0, first).findIndex((item) => item['type'] !== 'message');
  return [
    ...(second === undefined ? [] : [`input[${second}] is a compaction beside that in input[${first}]`]),
    ...(left < 0
      ? []
      : [`input[${left}] (${stringAt(input[left] ?? {}, 'type')}) stands before the compaction in input[${first}]`]),
  ];
}
