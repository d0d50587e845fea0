import { isJsonObject, type JsonObject, ModelError, objectAt, stringAt } from '@quire/protocol';
import { type HttpErrorContext, httpError } from '../errors/http-error.ts';
import { statusOfErrorEvent } from '../errors/refusal-event.ts';
import type { ResponseHeaders } from '../http/headers-in.ts';

/** Codes that mean: this connection can not serve the request, a new one can. */
const RECONNECT_CODES: Readonly<Record<string, string>> = {
  websocket_connection_limit_reached: 'the server ended the WebSocket because it was open for too long',
  previous_response_not_found: 'the server does not know the previous response any more',
};

export interface ErrorEvent {
  readonly error: ModelError;
  readonly headers: ResponseHeaders;
}

/**
 * An `error` event as the error of the HTTP status that it names, with its `headers` as response headers.
 * One without a status is a failure of the stream: waiting for more would end in the idle timeout.
 */
export function errorFromEvent(event: JsonObject, context: HttpErrorContext & { readonly url: string }): ErrorEvent {
  const headers = headersOf(event);
  const detail = objectAt(event, 'error');
  const code = detail === undefined ? undefined : stringAt(detail, 'code');
  const message = detail === undefined ? stringAt(event, 'message') : stringAt(detail, 'message');
  const status = statusOfErrorEvent(event);
  const transportFailure = { kind: 'in-band', status, code } as const;
  const reconnect = code === undefined ? undefined : RECONNECT_CODES[code];
  if (reconnect !== undefined) {
    return {
      headers,
      error: new ModelError('stream-truncated', message ?? reconnect, { retryable: true, transportFailure }),
    };
  }
  if (status === undefined || !Number.isInteger(status) || status < 300 || status > 599) {
    const text = `the provider sent an error event: ${(message ?? 'no message').slice(0, 1000)}`;
    return { headers, error: new ModelError('response-failed', text, { retryable: true, transportFailure }) };
  }
  const { url, ...rest } = context;
  const failed = { status, headers, bodyText: JSON.stringify(event), url };
  return { headers, error: httpError(failed, { ...rest, transportFailure }) };
}

/** True for the in-band errors that a new connection with a full request cures. */
export function asksForNewConnection(error: ModelError): boolean {
  const failure = error.transportFailure;
  return failure?.kind === 'in-band' && failure.code !== undefined && failure.code in RECONNECT_CODES;
}

function headersOf(event: JsonObject): ResponseHeaders {
  const raw = event['headers'];
  const headers: Record<string, string> = {};
  if (!isJsonObject(raw)) return headers;
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      headers[name.toLowerCase()] = String(value);
    }
  }
  return headers;
}
