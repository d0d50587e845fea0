import type { JsonObject, ModelError } from '@quire/protocol';
import { turnContextLine } from '../context/initial-context.ts';
import type { History } from '../history/history.ts';
import { describeQuarantine, imageSuspects, quarantineImages, quarantineItem } from '../history/quarantine.ts';
import type { ModelRequest } from '../ports/model-port.ts';
import { compactedLine } from './compact-history.ts';
import type { Task } from './task.ts';

/**
 * Takes the item that the API refused out of the history for good, with a placeholder in its place, so that it
 * can not poison every later request. `false`: it is not known which item that is.
 */
export function quarantineRefused(
  task: Task,
  error: ModelError,
  turn: { readonly request: ModelRequest; readonly outputSchema: JsonObject | undefined },
): boolean {
  const { state, settings, record, turnId, events } = task;
  const history = state.history.items;
  const index = refusedIndex(state.history, error, turn.request);
  const item = index === undefined ? undefined : history[index];
  if (index === undefined || item === undefined) return false;
  const replacement = error.code === 'invalid-image' ? quarantineImages(item) : quarantineItem(item);
  const line = describeQuarantine(item, { history, whole: error.code !== 'invalid-image' });
  state.history.rewrite(index, replacement);
  const context = turnContextLine(settings, { turnId, outputSchema: turn.outputSchema });
  const summary = state.knownSummaries.at(-1) ?? '';
  record.write([
    compactedLine(summary, state.history.items, state.ledger.state),
    { type: 'turn_context', payload: context },
  ]);
  state.baseline = context;
  events.warn(`${line} (${error.message})`);
  return true;
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
