import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { FetchLike } from '@modelcontextprotocol/client';
import type { Dialer, Route } from '@quire/network';
import { BodyLimit } from './body-limit.ts';
import { McpError } from './mcp-error.ts';

/** Longest wait for a tunnel through a proxy. */
const TUNNEL_TIMEOUT_MS = 30_000;
const BODILESS_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

export interface DialerFetchOptions {
  /** Of the server, for messages. */
  readonly name: string;
  readonly dialer: Dialer;
  /** Longest wait for the headers of an answer, connecting included. */
  readonly headersTimeoutMs: number;
  /** An answer broke off, or went beyond the limits. Absent: only its reader gets to know. */
  readonly onBroken?: (error: McpError) => void;
}

/**
 * What the client library takes for `fetch`, over the sockets of the dialer. Follows no redirect. Rejects with
 * McpError, or the reason of the signal.
 */
export function createDialerFetch(options: DialerFetchOptions): FetchLike {
  return async (target, init = {}) => {
    const url = new URL(target);
    const route = await options.dialer.route(url);
    const request = {
      url,
      method: init.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init.headers).entries()),
      body: bodyText(init.body),
      signal: init.signal ?? undefined,
    };
    try {
      return toResponse(await send(route, request, options), options, request.method);
    } catch (error) {
      if (!(error instanceof StaleSocketError)) throw error;
      // The server closed the idle socket and saw nothing of the request; the other idle ones are as old.
      for (const sockets of Object.values(route.agent.freeSockets))
        for (const socket of sockets ?? []) socket.destroy();
      return toResponse(await send(route, request, options), options, request.method);
    }
  };
}

interface OutgoingRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A socket from the pool was reset before any byte of the answer. */
class StaleSocketError extends Error {}

function bodyText(body: unknown): string | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof URLSearchParams) return String(body);
  throw new TypeError('only text is sent to MCP servers');
}

function send(
  route: Route,
  { url, method, headers, body, signal }: OutgoingRequest,
  { name, headersTimeoutMs }: DialerFetchOptions,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const local = new AbortController();
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = route.open(url, {
      method,
      headers: { ...headers, ...length },
      signal: local.signal,
      timeoutMs: TUNNEL_TIMEOUT_MS,
    });
    const timer = setTimeout(
      () => fail(new McpError('tool-timeout', `MCP server ${name} sent no answer within ${headersTimeoutMs / 1000} s`)),
      headersTimeoutMs,
    );
    const fail = (error: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      local.abort(error);
      outgoing.destroy();
      reject(error);
    };
    function onAbort(): void {
      fail(signal?.reason);
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    // Stays attached: the socket may report an error after the answer or the abort was dealt with.
    outgoing.on('error', (cause) => {
      if (signal?.aborted) fail(signal.reason);
      else if (outgoing.reusedSocket && isReset(cause)) fail(new StaleSocketError('stale socket', { cause }));
      else fail(unreachable(name, route.toNetworkError(cause)));
    });
    outgoing.on('response', (response) => {
      const refusal = route.refusal(response.statusCode ?? 0);
      if (refusal !== undefined) {
        fail(unreachable(name, refusal));
        return;
      }
      clearTimeout(timer);
      response.once('close', () => signal?.removeEventListener('abort', onAbort));
      if (method === 'GET' && isEventStream(response)) response.socket.unref(); // open as long as the server is used
      resolve(response);
    });
    outgoing.end(body);
  });
}

function isReset(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function unreachable(name: string, cause: Error): McpError {
  return new McpError('start-failed', `MCP server ${name} can not be reached: ${cause.message}`, { cause });
}

function isEventStream({ headers }: IncomingMessage): boolean {
  return /^text\/event-stream\b/i.test(headers['content-type'] ?? '');
}

function toResponse(
  incoming: IncomingMessage,
  { name, onBroken = () => undefined }: DialerFetchOptions,
  method: string,
): Response {
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '');
  }
  const init = { status, headers, statusText: incoming.statusMessage ?? '' };
  if (BODILESS_STATUSES.has(status)) {
    incoming.resume();
    return new Response(null, init);
  }
  const limited = new BodyLimit(name, { isEventStream: isEventStream(incoming), onFlood: onBroken });
  incoming.on('error', (cause) => {
    const error = new McpError('ended', `MCP server ${name} broke off its answer`, { cause });
    const isOurs = limited.destroyed;
    limited.destroy(error);
    // The stream of announcements is opened again; an answer does not come again.
    if (!isOurs && method === 'POST') onBroken(error);
  });
  limited.once('close', () => incoming.destroy());
  incoming.pipe(limited);
  return new Response(Readable.toWeb(limited) as ReadableStream<Uint8Array>, init);
}
