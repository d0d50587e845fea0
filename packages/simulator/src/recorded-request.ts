import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue, parseJsonObject, stringAt } from '@quire/protocol';
import { itemsOfMessages } from './chat/items-of-messages.ts';
import type { DecodedBody } from './server/decode-body.ts';

/** A tool's result as the request carries it. */
export interface RecordedToolOutput {
  readonly callId: string;
  /** Text, or an array of content parts. */
  readonly output: JsonValue;
}

/** `http` is `POST …/responses`, `websocket` a `response.create` frame, `chat` is `POST …/chat/completions`. */
export type Transport = 'http' | 'websocket' | 'chat';

/** One sampling request, whole. */
export interface RecordedRequest {
  /** 0 for the first one this simulator got; prewarming requests and compactions count for themselves. */
  readonly index: number;
  readonly transport: Transport;
  /** Number of its TCP connection; 0 for the first one the simulator accepted. */
  readonly connection: number;
  readonly method: string;
  /** Path with the query, as sent; over WebSocket that of the handshake. */
  readonly path: string;
  /** Names in lower case; over WebSocket those of the handshake. */
  readonly headers: IncomingHttpHeaders;
  /** As sent, compressed if it was; over WebSocket the frame's text. */
  readonly rawBody: Buffer;
  /** Empty when the body is not a JSON object; that is then a violation too. */
  readonly body: JsonObject;
  /**
   * The whole conversation the request stands for, as items: the objects of `body.input`, behind what the response
   * named by `previous_response_id` already had; for chat, the messages as items.
   */
  readonly input: readonly JsonObject[];
  /** How many items at the start of `input` were not sent, because `previous_response_id` stands for them. */
  readonly inheritedItems: number;
  /** Every `function_call_output` and `custom_tool_call_output` of `input`, in order. */
  readonly toolOutputs: readonly RecordedToolOutput[];
  /** Unix time in milliseconds with fractions, when the body was complete. It never runs backwards. */
  readonly receivedAtMs: number;
  /**
   * Bytes on the connection since the request before (or the handshake): with heads and control frames, compressed
   * as they came, without TLS.
   */
  readonly bytesReceived: number;
}

/** One attempt to open a WebSocket. */
export interface RecordedHandshake {
  /** 0 for the first one. */
  readonly index: number;
  readonly connection: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly receivedAtMs: number;
  readonly bytesReceived: number;
}

/** One `GET` of the usage endpoint. */
export interface RecordedUsageRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly receivedAtMs: number;
}

/** One `GET …/models`. */
export interface RecordedModelsRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The query's `client_version`. */
  readonly clientVersion: string | undefined;
  readonly receivedAtMs: number;
}

/** A request as the server read it, before anything was made of it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: Buffer;
  /** What `rawBody` holds without its content encoding. */
  readonly content: DecodedBody;
  readonly receivedAtMs: number;
  readonly connection: number;
  readonly bytesReceived: number;
}

/** The JSON object that the bytes hold, or `undefined`. */
export function parseBody(bytes: Buffer): JsonObject | undefined {
  return parseJsonObject(bytes.toString('utf8'));
}

export interface RecordingOptions {
  readonly index: number;
  readonly transport: Transport;
  readonly body: JsonObject | undefined;
  /** What `previous_response_id` stands for. */
  readonly inherited?: readonly JsonObject[];
}

export function recordRequest(received: ReceivedRequest, options: RecordingOptions): RecordedRequest {
  const { index, transport, inherited = [] } = options;
  const { content: _content, ...rest } = received;
  const body = options.body ?? {};
  const own = transport === 'chat' ? itemsOfMessages(body['messages']) : itemsOfInput(body['input']);
  const input = inherited.length === 0 ? own : [...inherited, ...own];
  return {
    ...rest,
    index,
    transport,
    body,
    input,
    inheritedItems: inherited.length,
    toolOutputs: input.flatMap(toolOutputOf),
  };
}

/** Text alone is a short form of one user message. */
function itemsOfInput(input: JsonValue | undefined): readonly JsonObject[] {
  if (typeof input === 'string') {
    return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] }];
  }
  return Array.isArray(input) ? input.filter(isJsonObject) : [];
}

function toolOutputOf(item: JsonObject): RecordedToolOutput[] {
  const type = item['type'];
  if (type !== 'function_call_output' && type !== 'custom_tool_call_output') return [];
  const callId = stringAt(item, 'call_id');
  const output = item['output'];
  return callId === undefined || output === undefined ? [] : [{ callId, output }];
}
