import type { Writable } from 'node:stream';
import type { CloseFrame, StatusAnswer, StreamAnswer, StreamPart } from '../script/step.ts';
import type { Block } from './write-body.ts';

/** The way out for one answer: a transport's spelling of what a script says. */
export interface AnswerLine {
  /** Takes the bytes that the line's encoders make. */
  readonly sink: Writable;
  /** True when nothing marks the pieces of a body on this transport. */
  readonly isolatesPieces: boolean;
  /** True once something was sent that can not be taken back. */
  readonly hasStarted: boolean;
  /** True once the client is gone. */
  readonly isClosed: boolean;
  /** Calls back once when the client is gone, or never. Returns the removal. */
  onClosed(listener: () => void): () => void;
  /** Starts a stream: what is sent before the first event is sent here or returned in front of it. */
  startStream(answer: StreamAnswer): Iterable<Block>;
  /** The dialect of the stream's events: may add, change and drop some. What it returns is counted and then encoded. */
  translate(answer: StreamAnswer, parts: Iterable<StreamPart>): Iterable<StreamPart>;
  encode(answer: StreamAnswer, parts: Iterable<StreamPart>): Iterable<Block>;
  /** Sends an answer that is no stream. */
  startStatus(answer: StatusAnswer): Iterable<Block>;
  /** Ends the answer. Resolves with false when the client was gone before it was handed over. */
  end(options: {
    readonly isWhole: boolean;
    readonly close: CloseFrame | undefined;
    readonly signal: AbortSignal;
  }): Promise<boolean>;
  /** Closes the connection without another word. */
  destroy(): void;
  /** Sends a TCP reset. */
  reset(): void;
  /** From here on nothing is answered on this connection, pings included. */
  mute(): void;
}
