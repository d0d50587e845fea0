import type { JsonObject } from '@quire/protocol';
import type { AnswerContext, EventPart, StreamPart } from './step.ts';

/** A piece of a response: the events that announce, fill and finish one item, or one event, or bytes. */
export interface Output {
  readonly kind: 'output';
  /** True for the event that ends a response; a response without one gets a `response.completed`. */
  readonly isTerminal: boolean;
  /** @param outputIndex place of the item in the response */
  parts(context: AnswerContext, outputIndex: number): Iterable<StreamPart>;
}

/** One event with any fields; `type` is required by the wire, which is not checked here. */
export function event(fields: JsonObject): Output {
  return output(() => [eventPart(fields)]);
}

/** Bytes between the events, exactly as given; over WebSocket the payload of one text frame. */
export function rawBytes(bytes: string | Uint8Array): Output {
  const encoded = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
  return output(() => [{ kind: 'raw', bytes: encoded }]);
}

/** An SSE comment, as servers send them to keep a connection alive; over WebSocket a ping. */
export function comment(words: string): Output {
  return output(() => [{ kind: 'comment', words }]);
}

/** A frame that is no text: a protocol error to clients of this API. WebSocket only. */
export function binaryFrame(bytes: string | Uint8Array): Output {
  const payload = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
  return output(() => [{ kind: 'frame', opcode: 'binary', payload }]);
}

/** A ping from the server between two events. WebSocket only. At most 125 bytes. */
export function ping(words = ''): Output {
  return output(() => [{ kind: 'frame', opcode: 'ping', payload: Buffer.from(words, 'utf8') }]);
}

/** Silence inside the answer. Over WebSocket pings are answered meanwhile. */
export function pause(delayMs: number): Output {
  return output(() => [{ kind: 'pause', delayMs }]);
}

/** An event whose data is not JSON. */
export function malformedEvent(data = '{"type":"response.output_text.delta","delta":"brok'): Output {
  return output(() => [{ kind: 'event', type: 'response.output_text.delta', json: data }]);
}

export function output(
  parts: (context: AnswerContext, outputIndex: number) => Iterable<StreamPart>,
  options: { readonly isTerminal?: boolean } = {},
): Output {
  return { kind: 'output', isTerminal: options.isTerminal ?? false, parts };
}

export function eventPart(fields: JsonObject): EventPart {
  return { kind: 'event', type: String(fields['type']), json: JSON.stringify(fields) };
}
