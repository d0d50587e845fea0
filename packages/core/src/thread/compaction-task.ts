import { createToolSet } from '../tools/tool-set.ts';
import { compactHistory } from './compact-history.ts';
import { LineNotices } from './line-notices.ts';
import type { Task } from './task.ts';
import { TaskError } from './task-error.ts';
import { TurnDiff } from './turn-diff.ts';
import { turnMetadata } from './turn-metadata.ts';
import { NO_HANDLES } from './turn-tools.ts';

/** A compaction that somebody asked for. */
export async function runCompactionTask(task: Task): Promise<undefined> {
  const { settings, ports, state, turnId, signal } = task;
  signal.throwIfAborted();
  if (state.history.items.length === 0) throw new TaskError('compaction', 'there is nothing to compact yet');
  const { specs } = createToolSet(settings, ports, { diff: new TurnDiff(), ...NO_HANDLES });
  const notices = new LineNotices(task.events, settings.model.slug);
  await compactHistory(task, {
    form: 'standalone',
    settings,
    tools: specs,
    modelTurn: ports.model.beginTurn({ turnId, metadata: turnMetadata(turnId, settings) }),
    isAutomatic: false,
    outputSchema: undefined,
    notices,
  }).finally(() => notices.showReceipts());
  return undefined;
}
