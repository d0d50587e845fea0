import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import type { CapturedOutput } from './captured-output.ts';

/** Live deltas per command. Source: the peer. */
const MAX_DELTAS = 10_000;

export interface StreamReading {
  isEnded(): boolean;
  /** Reports what is left of the text and stops keeping anything. Calling it twice is fine. */
  finish(): void;
}

export type Report = (text: string) => void;

/** Calls `onOutput` as often as live output may be told, and not for nothing. */
export function limitedReport(onOutput: Report | undefined): Report | undefined {
  if (onOutput === undefined) return undefined;
  let deltas = 0;
  return (text) => {
    if (text === '' || deltas >= MAX_DELTAS) return;
    deltas += 1;
    onOutput(text);
  };
}

/** Reads a stream until it ends or `finish` is called. */
export function readStream(
  stream: Socket,
  to: {
    readonly captured: Pick<CapturedOutput, 'append'>;
    readonly report: Report | undefined;
    readonly onEnd: () => void;
  },
): StreamReading {
  const { captured, report } = to;
  const decoder = report === undefined ? undefined : new StringDecoder('utf8');
  let isEnded = false;
  let isFinished = false;
  const take = (chunk: Buffer): void => {
    captured.append(chunk);
    if (decoder !== undefined) report?.(decoder.write(chunk));
  };
  const end = (): void => {
    isEnded = true;
    if (!isFinished) to.onEnd();
  };
  stream.on('data', take);
  stream.once('end', end);
  stream.once('close', end);
  stream.on('error', end); // stays: a late error must not become an uncaught one
  return {
    isEnded: () => isEnded,
    finish: () => {
      if (isFinished) return;
      isFinished = true;
      if (decoder !== undefined) report?.(decoder.end());
      stream.removeListener('data', take);
      if (isEnded) return;
      stream.unref();
      stream.resume();
    },
  };
}
