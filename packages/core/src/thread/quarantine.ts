import type { JsonObject, ModelError, ResponseItem } from '@quire/protocol';
import { turnContextLine } from '../context/initial-context.ts';
import type { History } from '../history/history.ts';
import { describeQuarantine, imageSuspects, quarantineImages, quarantineItem } from '../history/quarantine.ts';
import type { ModelRequest } from '../ports/model-port.ts';
import { compactedLine } from './compact-history.ts';
import type { Task } from './task.ts';

/** Items that the API may refuse in one turn before it is given up. Each costs one request. */
const MAX_QUARANTINES = 20;

/**
 * Takes items that the API refuses out of the history, with a placeholder in their place, so that they can not
 * poison every later request. That is for good as soon as a request goes through, and undone when none does: then
 * something else was wrong.
 */
export class Quarantine {
  readonly #task: Task;
  #count = 0;
  #lines: string[] = [];
  /** The history before the first item was taken out, and its length after the last one was. */
  #open: { readonly original: readonly ResponseItem[]; length: number } | undefined;

  constructor(task: Task) {
    this.#task = task;
  }

  /** `false`: it is not known which item was refused, or enough was tried. */
  takeOut(error: ModelError, request: ModelRequest): boolean {
    const { history, ledger } = this.#task.state;
    const items = history.items;
    const index = refusedIndex(history, error, request);
    const item = index === undefined ? undefined : items[index];
    if (index === undefined || item === undefined || this.#count >= MAX_QUARANTINES) return false;
    this.#count += 1;
    const isImage = error.code === 'invalid-image';
    const replacement = isImage ? quarantineImages(item) : quarantineItem(item);
    this.#lines.push(`${describeQuarantine(item, { history: items, whole: !isImage })} (${error.message})`);
    const original = this.#open?.original ?? items;
    history.rewrite(index, replacement);
    if (replacement === undefined) ledger.itemRemoved(index);
    this.#open = { original, length: history.items.length };
    return true;
  }

  /** After a request that went through: writes down what is out for good, and tells about it. */
  keep(outputSchema: JsonObject | undefined): void {
    if (this.#open === undefined) return;
    this.#open = undefined;
    const { state, settings, record, turnId, events } = this.#task;
    const context = turnContextLine(settings, { turnId, outputSchema });
    record.write([
      compactedLine(state.knownSummaries.at(-1) ?? '', state.history.items, state.ledger.state),
      { type: 'turn_context', payload: context },
    ]);
    for (const line of this.#lines.splice(0)) events.warn(line);
  }

  /**
   * After the last request failed: if it got no answer at all, nothing that was taken out was the cause. One that was
   * stopped says nothing, and the refusals before it stand.
   */
  settle(outputSchema: JsonObject | undefined): void {
    if (this.#open === undefined) return;
    const { original, length } = this.#open;
    if (this.#task.signal.aborted || this.#task.state.history.items.length > length) {
      this.keep(outputSchema);
      return;
    }
    this.#open = undefined;
    this.#lines = [];
    this.#task.state.history.replace(original);
  }
}

/** The place in the history of what was refused. An image that is not where the error says is looked for. */
function refusedIndex(history: History, error: ModelError, request: ModelRequest): number | undefined {
  const { rejectedInputIndex } = error;
  const sent = rejectedInputIndex === undefined ? undefined : request.input[rejectedInputIndex];
  const index = sent === undefined ? undefined : history.indexOf(sent);
  if (error.code !== 'invalid-image') return index;
  const suspects = imageSuspects(history.items);
  return index !== undefined && suspects.includes(index) ? index : suspects[0];
}
