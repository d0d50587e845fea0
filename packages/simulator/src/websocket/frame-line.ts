import type { Duplex } from 'node:stream';
import { isJsonObject, type JsonObject } from '@quire/protocol';
import { eventPart } from '../script/output.ts';
import type { CloseFrame, EventPart, StatusAnswer, StreamAnswer, StreamPart } from '../script/step.ts';
import type { AnswerLine } from '../server/answer-line.ts';
import { announceHeaders } from './announce-headers.ts';
import { encodeFrames } from './encode-frames.ts';

/** What a line needs of the connection it is a stretch of. */
export interface FrameChannel {
  readonly socket: Duplex;
  /** True: text frames are deflated. */
  readonly compress: boolean;
  /** An answer whose bytes are cut at will begins; control frames wait from here on. */
  beginPieces(): void;
  endPieces(): void;
  /** The event that ends the response is on its way. */
  endResponse(): void;
  close(close: CloseFrame): void;
  reset(): void;
  mute(): void;
}

/** One response over a WebSocket: a text frame for each event. The connection lives on when it is whole. */
export function createFrameLine(
  channel: FrameChannel,
  options: { readonly readAlong: (parts: Iterable<StreamPart>) => Iterable<StreamPart> },
): AnswerLine {
  const { socket, compress } = channel;
  let hasStarted = false;
  const begin = (answer: StreamAnswer | StatusAnswer): void => {
    hasStarted = true;
    const { chunkBytes, stop } = answer.delivery;
    if (chunkBytes !== undefined || (stop !== undefined && 'afterBytes' in stop.position)) channel.beginPieces();
  };
  return {
    sink: socket,
    isolatesPieces: true,
    get hasStarted() {
      return hasStarted;
    },
    get isClosed() {
      return socket.destroyed || !socket.writable;
    },
    onClosed: (listener) => {
      socket.once('close', listener);
      return () => socket.off('close', listener);
    },
    startStream: (answer) => {
      const announcements = encodeFrames(announceHeaders(answer.headers), { compress });
      begin(answer);
      return announcements;
    },
    translate: (_answer, parts) => options.readAlong(parts),
    encode: (_answer, parts) => encodeFrames(parts, { compress }),
    startStatus: (answer) => {
      begin(answer);
      channel.endResponse();
      return encodeFrames([errorEventOf(answer)], { compress });
    },
    end: async ({ isWhole, close }) => {
      channel.endPieces();
      if (socket.destroyed) return false;
      if (!isWhole) channel.close(close ?? { code: 1000, reason: '' });
      return true;
    },
    destroy: () => socket.destroy(),
    reset: () => channel.reset(),
    mute: () => channel.mute(),
  };
}

/** An HTTP error as the event that stands for it. Source: transport sheet section 11.4. */
function errorEventOf(answer: StatusAnswer): EventPart {
  const { 'content-type': _contentType, ...headers } = answer.headers;
  return eventPart({
    type: 'error',
    status: answer.status,
    error: errorOf(answer.body),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  });
}

function errorOf(body: string | Uint8Array): JsonObject {
  const words = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  try {
    const parsed: unknown = JSON.parse(words);
    if (isJsonObject(parsed) && isJsonObject(parsed['error'])) return parsed['error'];
  } catch {
    return { message: words }; // a page of a gateway, for instance
  }
  return { message: words };
}
