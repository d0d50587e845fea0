import type { DamagedThread } from '@quire/agent';
import type { TextSink } from '../process/text-sink.ts';
import { safeLine } from './safe-text.ts';

/** As many files as the line names. */
const MAX_NAMED = 3;

/** Tells of threads that a listing or `--last` passed over, in one line. */
export function tellDamagedThreads(threads: readonly DamagedThread[], stderr: TextSink): void {
  const [first, ...others] = threads;
  if (first === undefined) return;
  const paths = threads.slice(0, MAX_NAMED).map(({ rolloutPath }) => rolloutPath);
  const more = threads.length > MAX_NAMED ? ` and ${threads.length - MAX_NAMED} more` : '';
  const line =
    others.length === 0
      ? `1 thread can not be listed: its first line is damaged: ${first.rolloutPath}; open it with quire exec resume ${first.threadId}`
      : `${threads.length} threads can not be listed: their first lines are damaged: ${paths.join(', ')}${more}; open one with quire exec resume ID, which is the end of its file's name`;
  stderr.write(`quire: ${safeLine(line)}\n`);
}
