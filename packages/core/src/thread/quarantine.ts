import type { JsonObject, ModelError, ResponseItem } from '@quire/protocol';
import { turnContextLine } from '../context/initial-context.ts';
import type { History } from '../history/history.ts';
import { describeQuarantine, imageSuspects, quarantineImages, quarantineItem } from '../history/quarantine.ts';
import type { ModelRequest } from '../ports/model-port.ts';
import { compactedLine } from './compact-history.ts';
import type { Task } from './task.ts';

/** Items that the API may refuse in one turn before it is given up. Each costs one request. */
const MAX_QUARANTINES = 20;
/** Of these the second refusal takes out all: what one account or provider wrote, another can read none of. */
const SEALED_KINDS: ReadonlySet<ResponseItem['type']> = new Set(['reasoning', 'unknown', 'web_search_call']);

interface OpenQuarantine {
  readonly original: readonly ResponseItem[];
  readonly length: number;
  /** The API named each item; none was guessed. */
  readonly isCertain: boolean;
}

/**
 * Takes items that the API refuses out of the history, with a placeholder in their place, so that they can not
 * poison every later request. That is for good as soon as a request goes through, and undone when none does: then
 * something else was wrong.
 */
export class Quarantine {
  readonly #task: Task;
  #count = 0;
  #lines: string[] = [];
  readonly #refusedKinds = new Set<ResponseItem['type']>();
  /** The history before the first item was taken out, and its length after the last one was. */
  #open: OpenQuarantine | undefined;

  constructor(task: Task) {
    this.#task = task;
  }

  /** `false`: it is not known which item was refused, or enough was tried. */
  async takeOut(error: ModelError, request: ModelRequest): Promise<boolean> {
    const { settings, state } = this.#task;
    const { history, ledger } = state;
    const items = history.items;
    const index = refusedIndex(history, error, request);
    const item = index === undefined ? undefined : items[index];
    if (index === undefined || item === undefined || this.#count >= MAX_QUARANTINES) return false;
    this.#count += 1;
    const isImage = error.code === 'invalid-image';
    const replacement = isImage ? quarantineImages(item) : quarantineItem(item);
    this.#lines.push(`${describeQuarantine(item, { history: items, whole: !isImage })} (${error.message})`);
    const isSecondOfKind = SEALED_KINDS.has(item.type) && this.#refusedKinds.has(item.type);
    this.#refusedKinds.add(item.type);
    if (isSecondOfKind) history.replace(items.filter(({ type }) => type !== item.type));
    else history.rewrite(index, replacement);
    if (!isImage) await ledger.itemRefused(item, { cwd: settings.cwd });
    const { original = items, isCertain = true } = this.#open ?? {};
    this.#open = {
      original,
      length: history.items.length,
      isCertain: isCertain && error.rejectedInputIndex !== undefined,
    };
    return true;
  }

  /** After a request that went through: writes down what is out for good, and tells about it. */
  async keep(outputSchema: JsonObject | undefined): Promise<void> {
    if (this.#open === undefined) return;
    const { original, length } = this.#open;
    this.#open = undefined;
    const { state, settings, record, turnId, events, signal } = this.#task;
    const items = state.history.items;
    // The line below stands for all of the history, so the ledger in it must know all of it.
    state.ledger.noteShift(original.length, length);
    await state.ledger.catchUp(items, { cwd: settings.cwd, digests: undefined, signal });
    const context = turnContextLine(settings, { turnId, outputSchema });
    record.write([
      compactedLine(state.knownSummaries.at(-1) ?? '', items, state.ledger.state),
      { type: 'turn_context', payload: context },
    ]);
    for (const line of this.#lines.splice(0)) events.warn(line);
  }

  /**
   * After the last request failed: if it got no answer at all, nothing that was taken out was the cause. Where the turn
   * was stopped before an answer, or the API would have gone on naming items, its word stands.
   */
  async settle(outputSchema: JsonObject | undefined): Promise<void> {
    if (this.#open === undefined) return;
    const { original, length, isCertain } = this.#open;
    const { signal, state } = this.#task;
    const isAnswered = state.history.items.length > length;
    const isUnfinished = signal.aborted ? isCertain : this.#count >= MAX_QUARANTINES;
    if (isAnswered || isUnfinished) {
      await this.keep(outputSchema);
      return;
    }
    this.#open = undefined;
    this.#lines = [];
    state.history.replace(original);
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
