import { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { createAnswerContext } from '../item-ids.ts';
import type { AcceptUpgrade, HandshakeStep } from '../script/step.ts';
import { deliver, type Outcome } from '../server/deliver.ts';
import { createHttpLine } from '../server/http-line.ts';
import { MAX_BODY_BYTES, type ReceivedUpgrade } from '../server/loopback-server.ts';
import { delayFor } from '../server/write-body.ts';

/** Answers with the 101 response, unless the client left or what it sent is no handshake of a WebSocket. */
export async function acceptHandshake(
  upgrade: ReceivedUpgrade,
  step: AcceptUpgrade,
  options: { readonly signal: AbortSignal },
): Promise<WebSocket | 'client-left' | 'no-handshake'> {
  const { request, socket, head } = upgrade;
  const ignoreError = (): void => undefined; // its client left; `destroyed` tells
  socket.on('error', ignoreError);
  const { WebSocketServer } = await import('ws');
  if (step.delivery.delayMs !== undefined) await delayFor(step.delivery.delayMs, options);
  socket.off('error', ignoreError);
  if (options.signal.aborted || socket.destroyed || !socket.readable) {
    socket.destroy();
    return 'client-left';
  }
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    autoPong: false,
    maxPayload: MAX_BODY_BYTES,
    perMessageDeflate: step.deflate !== 'decline',
  });
  server.on('headers', (lines) => {
    for (const [name, value] of Object.entries(step.headers)) lines.push(`${name}: ${value}`);
  });
  let accepted: WebSocket | 'no-handshake' = 'no-handshake';
  // Synchronous: without a callback it is answered with a status already.
  server.handleUpgrade(request, socket, head, (opened) => {
    accepted = opened;
  });
  return accepted;
}

/** Answers with something else than the 101 response, or not at all. */
export async function refuseHandshake(
  upgrade: ReceivedUpgrade,
  step: Exclude<HandshakeStep, AcceptUpgrade>,
  options: { readonly signal: AbortSignal; readonly stopListening: () => void },
): Promise<Outcome> {
  const { request, socket } = upgrade;
  if (!(socket instanceof Socket)) throw new TypeError('an upgrade came on something that is no socket');
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on('error', () => response.destroy());
  // Read on, so that a client that leaves is noticed.
  socket.once('end', () => socket.destroy()).resume();
  response.once('finish', () => socket.end());
  const line = createHttpLine(response, { dialect: 'responses', resetConnection: () => upgrade.connection.reset() });
  return deliver(line, step, { ...options, context: createAnswerContext({ label: 'handshake', input: [] }) });
}
