import { writeSync } from 'node:fs';
import type { CommandResult } from './end-process.ts';
import { EXIT } from './exit-codes.ts';
import { outputWaits } from './waiting-output.ts';

/**
 * Writes a short text at once, without the cost of opening the platform's stream.
 * @returns what a command that has nothing else to do leaves behind: a text that did not arrive is a failure
 */
export function say(name: 'stdout' | 'stderr', text: string): CommandResult {
  const bytes = Buffer.from(text);
  let taken = 0;
  try {
    // A pipe that does not block takes what fits.
    while (taken < bytes.length) taken += writeSync(name === 'stdout' ? 1 : 2, bytes, taken);
    return { exitCode: EXIT.completed, settled: true };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EAGAIN') return sayWhenTaken(name, bytes.subarray(taken));
    if (code === 'EPIPE') return { exitCode: EXIT.outputClosed, settled: true };
    const reason = error instanceof Error ? error.message : String(error);
    if (name === 'stdout') say('stderr', `quire: stdout can not be written: ${reason}\n`);
    return { exitCode: EXIT.failed, settled: true };
  }
}

/** The pipe is full, and its reader slow: the platform's stream waits for it. */
function sayWhenTaken(name: 'stdout' | 'stderr', bytes: Uint8Array): CommandResult {
  const stream = process[name];
  stream.on('error', () => {
    process.exitCode = EXIT.outputClosed;
  });
  stream.write(bytes, outputWaits());
  return { exitCode: EXIT.completed, settled: true };
}
