import type { RolloutLine } from '@quire/protocol';
import { effectiveTruncation } from '../tools/effective-truncation.ts';
import type { Task } from './task.ts';

/** The files as they were when the first tool of a turn was about to run. Taken once a turn, if at all. */
export class TurnSnapshot {
  readonly #task: Task;
  #taking: Promise<void> | undefined;

  constructor(task: Task) {
    this.#task = task;
  }

  /** Tools wait for it, so that it holds what was there before them. Never rejects. */
  taken(): Promise<void> {
    if (this.#task.ports.snapshots === undefined) return Promise.resolve();
    this.#taking ??= this.#take();
    return this.#taking;
  }

  async #take(): Promise<void> {
    const { ports, settings, signal, record, events } = this.#task;
    try {
      const snapshot = await ports.snapshots?.take({ cwd: settings.cwd, signal });
      if (snapshot?.note !== undefined) events.warn(snapshot.note);
      if (snapshot?.ref === undefined) return;
      const item = { type: 'ghost_snapshot', ghost_commit: ghostCommit(snapshot.ref.id) } as const;
      record.add([item], effectiveTruncation(settings), [] satisfies RolloutLine[]);
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      events.warn(`The files could not be remembered, so this turn can not be undone: ${reason}`);
    }
  }
}

/** In the shape of the peer's files; only the id says something here. */
function ghostCommit(id: string): {
  readonly id: string;
  readonly preexisting_untracked_files: readonly string[];
  readonly preexisting_untracked_dirs: readonly string[];
} {
  return { id, preexisting_untracked_files: [], preexisting_untracked_dirs: [] };
}
