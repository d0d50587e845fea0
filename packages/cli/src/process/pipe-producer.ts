import { fstatSync } from 'node:fs';
import { ancestors, OtherEnd, otherProcesses, type PipeHolder, processName } from './pipe-ends.ts';

/** A process that is about to write to a pipe. */
export interface PipeProducer {
  /** Its name as the system has it, not safe to show. */
  readonly name: string;
  readonly pid: number;
}

/**
 * Tells, as often as it is asked, whether somebody who may still write holds the other end of the pipe `descriptor`.
 *
 * A process that stands beside us, as in `npm test | quire exec "explain"`, writes and then ends. An ancestor that
 * holds that end has most likely just forgotten to close it, and waits for us to end. Processes of other users do not
 * show what they hold, so they count as nobody.
 */
export function createProducerLookup(descriptor: number): () => PipeProducer | undefined {
  const writeEnd = isPipe(descriptor) ? OtherEnd.of(descriptor, 'write') : undefined;
  let known: PipeHolder | undefined;
  return () => {
    if (writeEnd === undefined) return undefined;
    if (known === undefined || !writeEnd.isHeldBy(known)) {
      const above = ancestors();
      known = writeEnd.findAmong(otherProcesses().filter((pid) => !above.has(pid))).holder;
    }
    return known && { name: processName(known.pid), pid: known.pid };
  };
}

/** A socket is one object at each end: whoever shares ours would look like a writer. */
function isPipe(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFIFO();
  } catch {
    return false; // closed
  }
}
