import type { ServerResponse } from 'node:http';
import { toChatParts } from '../chat/chat-parts.ts';
import { encodeSse } from '../sse/encode.ts';
import type { AnswerLine } from './answer-line.ts';
import { whenAborted } from './deliver.ts';

export interface HttpLineOptions {
  readonly dialect: 'responses' | 'chat';
  /** Sends a TCP reset on the response's connection. */
  readonly resetConnection: () => void;
}

/** One HTTP response: server-sent events, or a status with a body. */
export function createHttpLine(response: ServerResponse, options: HttpLineOptions): AnswerLine {
  const isChat = options.dialect === 'chat';
  return {
    sink: response,
    isolatesPieces: false,
    get hasStarted() {
      return response.headersSent;
    },
    get isClosed() {
      return response.destroyed;
    },
    onClosed: (listener) => {
      response.once('close', listener);
      return () => response.off('close', listener);
    },
    startStream: (answer) => {
      const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...answer.headers };
      response.writeHead(200, headers);
      response.flushHeaders();
      return [];
    },
    translate: (answer, parts) => (isChat ? toChatParts(parts, { done: answer.chatDone }) : parts),
    encode: (answer, parts) => encodeSse(parts, { lineEnding: answer.lineEnding, namesEvents: !isChat }),
    startStatus: (answer) => {
      const body = typeof answer.body === 'string' ? Buffer.from(answer.body, 'utf8') : answer.body;
      response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
      return [body];
    },
    end: async ({ signal }) => {
      // Listened for before `end`: a client may close at once.
      const finished = new Promise<void>((resolve) => response.once('finish', resolve));
      response.end();
      await Promise.race([finished, whenAborted(signal)]);
      return response.writableFinished;
    },
    destroy: () => response.destroy(),
    reset: () => options.resetConnection(),
    mute: () => undefined,
  };
}
