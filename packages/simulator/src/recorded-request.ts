import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';

/** A tool's result as the request carries it. */
export interface RecordedToolOutput {
  readonly callId: string;
  /** Text, or an array of content parts. */
  readonly output: JsonValue;
}

/** One `POST …/responses`, whole. */
export interface RecordedRequest {
  /** 0 for the first one this simulator got. */
  readonly index: number;
  readonly method: string;
  /** Path with the query, as sent. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: Buffer;
  /** Empty when the body is not a JSON object; that is then a violation too. */
  readonly body: JsonObject;
  /** The objects of `body.input`. */
  readonly input: readonly JsonObject[];
  /** Every `function_call_output` and `custom_tool_call_output` of `input`, in order. */
  readonly toolOutputs: readonly RecordedToolOutput[];
  /** Unix time in milliseconds with fractions, when the body was complete. It never runs backwards. */
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
  readonly receivedAtMs: number;
}

/** The JSON object that `rawBody` holds, or `undefined`. */
export function parseBody(rawBody: Buffer): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(rawBody.toString('utf8'));
    return isJsonObject(parsed) ? parsed : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function recordRequest(received: ReceivedRequest, position: { readonly index: number }): RecordedRequest {
  const body = parseBody(received.rawBody) ?? {};
  const rawInput = body['input'];
  const input: readonly JsonObject[] = Array.isArray(rawInput) ? rawInput.filter(isJsonObject) : [];
  return { ...received, index: position.index, body, input, toolOutputs: input.flatMap(toolOutputOf) };
}

function toolOutputOf(item: JsonObject): RecordedToolOutput[] {
  const type = item['type'];
  if (type !== 'function_call_output' && type !== 'custom_tool_call_output') return [];
  const callId = stringAt(item, 'call_id');
  const output = item['output'];
  return callId === undefined || output === undefined ? [] : [{ callId, output }];
}
