import { stringAt } from '@quire/protocol';
import { undoCompleted } from './rollout-events.ts';
import type { Task } from './task.ts';
import { TaskError } from './task-error.ts';

/** Characters of a snapshot's id that people are shown. */
const SHORT_ID = 7;
const NOTHING_LEFT = 'there is nothing to undo in this thread';
const NO_SNAPSHOTS =
  'there is nothing to undo: no snapshots are taken, because features.undo is off; switch it on for the turns to come with features.undo = true in config.toml, or with --enable undo';

/** Puts the files of the newest snapshot back and forgets the snapshot, so that the next undo goes further back. */
export async function undoLastTurn(task: Task): Promise<string> {
  const { state, ports, settings, signal, record } = task;
  signal.throwIfAborted();
  const index = state.history.items.findLastIndex((item) => item.type === 'ghost_snapshot');
  const snapshot = state.history.items[index];
  if (snapshot?.type !== 'ghost_snapshot') {
    throw new TaskError('undo', ports.snapshots === undefined ? NO_SNAPSHOTS : NOTHING_LEFT);
  }
  if (ports.snapshots === undefined) {
    throw new TaskError('undo', 'undo is switched off; switch it on with features.undo = true');
  }
  const id = stringAt(snapshot.ghost_commit, 'id') ?? '';
  const { changed } = await restore(task, id);
  state.history.rewrite(index, /* replacement */ undefined);
  state.ledger.itemRemoved(index);
  const count = changed.length === 1 ? '1 file' : `${changed.length} files`;
  const message = `Undid the changes since snapshot ${shortId(id)}: ${count} restored in ${settings.cwd}.`;
  record.write([undoCompleted({ message, snapshotId: id })]);
  return message;
}

/** Its own part, behind what it has in common with others. */
function shortId(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1).slice(0, SHORT_ID);
}

async function restore(task: Task, id: string): Promise<{ readonly changed: readonly string[] }> {
  const { ports, settings, signal } = task;
  try {
    return (await ports.snapshots?.restore({ id }, { cwd: settings.cwd, signal })) ?? { changed: [] };
  } catch (error) {
    signal.throwIfAborted();
    throw new TaskError('undo', error instanceof Error ? error.message : String(error), { cause: error });
  }
}
