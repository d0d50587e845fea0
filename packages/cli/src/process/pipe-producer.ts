import { fstatSync } from 'node:fs';
import { ancestors, downstream, OtherEnd, otherProcesses, type PipeHolder, processName } from './pipe-ends.ts';

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
 * holds that end has most likely just forgotten to close it, and waits for us to end. So does a process that reads what
 * we print, as in `(exec 7<>fifo; quire exec "explain" <&7 | tee log)`. Processes of other users do not show what they
 * hold, so they count as nobody.
 */
export function createProducerLookup(descriptor: number): () => PipeProducer | undefined {
  const writeEnd = isPipe(descriptor) ? OtherEnd.of(descriptor, 'write') : undefined;
  let known: PipeHolder | undefined;
  return () => {
    if (writeEnd === undefined) return undefined;
    if (known === undefined || !writeEnd.isHeldBy(known)) {
      known = findProducer(writeEnd);
    }
    return known && { name: processName(known.pid), pid: known.pid };
  };
}

function findProducer(writeEnd: OtherEnd): PipeHolder | undefined {
  const above = ancestors();
  const beside = otherProcesses().filter((pid) => !above.has(pid));
  const first = writeEnd.findAmong(beside).holder;
  if (first === undefined) return undefined;
  const below = downstream(beside);
  return below.has(first.pid) ? writeEnd.findAmong(beside.filter((pid) => !below.has(pid))).holder : first;
}

/** A socket is one object at each end: whoever shares ours would look like a writer. */
function isPipe(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFIFO();
  } catch {
    return false; // closed
  }
}
