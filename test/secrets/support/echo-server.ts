import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that repeats whatever it was sent, in one way or another. */
export interface EchoServer extends AsyncDisposable {
  readonly origin: string;
  /** Everything that came, as one text each: method, address, headers, body. */
  readonly received: readonly string[];
}

export type EchoManner = (heard: string, response: ServerResponse) => void;

/** An error that quotes the request. */
export const quotes =
  (status: number): EchoManner =>
  (heard, response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'request-1' });
    response.end(JSON.stringify({ error: { code: 'invalid_api_key', message: `not good: ${heard}` } }));
  };

/** The same, as a page of a portal in between. */
export const quotesOnPage =
  (status: number): EchoManner =>
  (heard, response) => {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end(`<html><body>${heard}</body></html>`);
  };

/** A stream whose failure quotes the request. */
export const quotesInStream: EchoManner = (heard, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const error = { code: 'server_error', message: `failed over ${heard}` };
  const failed = { type: 'response.failed', response: { id: 'r1', status: 'failed', error } };
  response.end(`event: response.failed\ndata: ${JSON.stringify(failed)}\n\n`);
};

/** A stream that is no stream and ends in the middle of the quote. */
export const cutsQuote: EchoManner = (heard, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`event: response.created\ndata: {"type":"response.created","oops":${JSON.stringify(heard)}\n\n`);
  response.write(`data: ${heard}`, () => response.destroy());
};

export async function startEchoServer(manner: EchoManner): Promise<EchoServer> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((body) => {
      const heard = `${request.method} ${request.url} ${JSON.stringify(request.headers)} ${body}`;
      received.push(heard);
      // Of a long prompt the headers are enough.
      manner(heard.slice(0, 4000), response);
    });
  });
  server.listen(/* port */ 0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
