import type { JsonObject, ModelError, ResponseItem } from '@quire/protocol';
import { turnContextLine } from '../context/initial-context.ts';
import type { History } from '../history/history.ts';
import { describeQuarantine, imageSuspects, quarantineImages, quarantineItem } from '../history/quarantine.ts';
import type { ModelRequest } from '../ports/model-port.ts';
import { compactedLine } from './compact-history.ts';
import type { Task } from './task.ts';

/** Items that the API may refuse in one turn before it is given up. Each costs one request. */
const MAX_QUARANTINES = 20;
/** Attempts after a refusal came again word for word, although something else stood in the place that it names. */
const MAX_AFTER_REPEAT = 2;
/** Of these the second refusal takes out all: what one account or provider wrote, another can read none of. */
const SEALED_KINDS: ReadonlySet<ResponseItem['type']> = new Set(['reasoning', 'unknown', 'web_search_call']);

interface RefusedItem {
  readonly item: ResponseItem;
  readonly warning: string;
  /** All of it was refused, not only its images. */
  readonly isWhole: boolean;
}

/** A refusal, and whether what stood in the place that it names was changed. */
interface Refusal {
  readonly message: string;
  readonly namedIndex: number | undefined;
  readonly isChanged: boolean;
}

/** What was taken out since the last request that went through. */
interface OpenQuarantine {
  /** The history as it would be with nothing taken out, without what was added after `length`. */
  readonly original: readonly ResponseItem[];
  /** Of the history after the last item was taken out. */
  readonly length: number;
  readonly refused: readonly RefusedItem[];
  readonly lastRefusal: Refusal;
  /** How often in a row the same refusal came again. */
  readonly repeats: number;
}

/**
 * Takes items that the API refuses out of the history, with a placeholder in their place, so that they can not
 * poison every later request. That is for good as soon as a request goes through, and undone when none does: then
 * something else was wrong, or nobody knows.
 */
export class Quarantine {
  readonly #task: Task;
  #count = 0;
  readonly #refusedKinds = new Set<ResponseItem['type']>();
  #open: OpenQuarantine | undefined;

  constructor(task: Task) {
    this.#task = task;
  }

  /**
   * `false`: it is not known which item was refused, it is what the person has just said, or enough was tried. What
   * was taken out before is for `settle` then.
   */
  async takeOut(error: ModelError, request: ModelRequest): Promise<boolean> {
    const { history } = this.#task.state;
    const items = history.items;
    const index = refusedIndex(history, error, request);
    const item = index === undefined ? undefined : items[index];
    if (index === undefined || item === undefined || this.#count >= MAX_QUARANTINES) return false;
    const repeats = this.#repeatsOf(error);
    if (repeats > MAX_AFTER_REPEAT) return false;
    const isImage = error.code === 'invalid-image';
    if (!isImage && (await this.#isNewestWords(item))) return false;
    this.#count += 1;
    const warning = `${describeQuarantine(item, { history: items, whole: !isImage })} (${error.message})`;
    const isSecondOfKind = SEALED_KINDS.has(item.type) && this.#refusedKinds.has(item.type);
    this.#refusedKinds.add(item.type);
    const open = this.#open;
    const original = open === undefined ? items : [...open.original, ...items.slice(open.length)];
    const named = namedIndex(history, error, request);
    if (isSecondOfKind) history.replace(items.filter(({ type }) => type !== item.type));
    else history.rewrite(index, isImage ? quarantineImages(item) : quarantineItem(item));
    this.#open = {
      original,
      length: history.items.length,
      refused: [...(open?.refused ?? []), { item, warning, isWhole: !isImage }],
      lastRefusal: {
        message: error.message,
        namedIndex: error.rejectedInputIndex,
        isChanged: named !== undefined && history.items[named] !== items[named],
      },
      repeats,
    };
    return true;
  }

  /** After a request that went through: writes down what is out for good, and tells about it. */
  async keep(outputSchema: JsonObject | undefined): Promise<void> {
    if (this.#open === undefined) return;
    const { original, length, refused } = this.#open;
    this.#open = undefined;
    const { state, settings, record, turnId, events, signal } = this.#task;
    const { cwd } = settings;
    const items = state.history.items;
    for (const { item, isWhole } of refused) if (isWhole) await state.ledger.itemRefused(item, { cwd });
    // The line below stands for all of the history, so the ledger in it must know all of it.
    state.ledger.noteShift(original.length, length);
    await state.ledger.catchUp(items, { cwd, digests: undefined, signal });
    const context = turnContextLine(settings, { turnId, outputSchema });
    record.write([
      compactedLine(state.knownSummaries.at(-1) ?? '', items, state.ledger.state),
      { type: 'turn_context', payload: context },
    ]);
    for (const { warning } of refused) events.warn(warning);
  }

  /**
   * After the last request failed or was stopped. When nothing of an answer came since the last item was taken out,
   * nobody knows whether that item was the cause, and the history is put back as it was.
   */
  async settle(outputSchema: JsonObject | undefined): Promise<void> {
    if (this.#open === undefined) return;
    const { original, length } = this.#open;
    const { history } = this.#task.state;
    if (history.items.length > length) {
      await this.keep(outputSchema);
      return;
    }
    this.#open = undefined;
    history.replace(original);
  }

  /** How often in a row, this one counted, what the API says has not changed with what stands in the place it names. */
  #repeatsOf({ message, rejectedInputIndex }: ModelError): number {
    if (this.#open === undefined || rejectedInputIndex === undefined) return 0;
    const { lastRefusal, repeats } = this.#open;
    const isSame = lastRefusal.message === message && lastRefusal.namedIndex === rejectedInputIndex;
    return isSame && lastRefusal.isChanged ? repeats + 1 : 0;
  }

  /** Without them the model would answer a question that nobody asked. */
  async #isNewestWords(item: ResponseItem): Promise<boolean> {
    const { history, knownSummaries } = this.#task.state;
    const { personalText, recogniseSummaries } = await import('../compaction/history-shape.ts');
    const isSummary = recogniseSummaries(knownSummaries);
    return history.items.findLast((other) => personalText(other, isSummary) !== undefined) === item;
  }
}

/** The place in the history of what the API names. */
function namedIndex(history: History, { rejectedInputIndex }: ModelError, request: ModelRequest): number | undefined {
  const sent = rejectedInputIndex === undefined ? undefined : request.input[rejectedInputIndex];
  return sent === undefined ? undefined : history.indexOf(sent);
}

/** The place in the history of what was refused. An image that is not where the error says is looked for. */
function refusedIndex(history: History, error: ModelError, request: ModelRequest): number | undefined {
  const index = namedIndex(history, error, request);
  if (error.code !== 'invalid-image') return index;
  const suspects = imageSuspects(history.items);
  return index !== undefined && suspects.includes(index) ? index : suspects[0];
}
