import type { StreamPart } from './step.ts';

/** The parts up to and with the `maxEvents`-th that counts; what comes behind it is not asked for. */
export function* takeParts(parts: Iterable<StreamPart>, maxEvents: number): Generator<StreamPart> {
  let remaining = maxEvents;
  if (remaining <= 0) return;
  for (const part of parts) {
    yield part;
    if (part.kind !== 'pause') remaining -= 1;
    if (remaining <= 0) return;
  }
}
