import { type JsonObject, stringAt } from '@quire/protocol';
import type { RecordedRequest, Transport } from '../recorded-request.ts';
import { checkBody, checkTools } from './check-body.ts';
import { checkHeaders } from './check-headers.ts';
import { checkHistory } from './check-history.ts';
import { checkInput } from './check-input.ts';
import { nameOf, type ThreadHistory } from './thread-history.ts';

export interface CheckOptions {
  readonly expectAuthorization: string | undefined;
  readonly history: ThreadHistory;
  /** The body as an object; `undefined`: it is none. */
  readonly body: JsonObject | undefined;
  /** The request whose response this one continues. */
  readonly continued?: RecordedRequest | undefined;
  /** Only what every client of the API keeps: JSON, items, and calls with their outputs. */
  readonly acceptsAnyClient: boolean;
  /** Slugs of models that take no images. */
  readonly textOnlyModels: ReadonlySet<string>;
}

const BODY_OF_TRANSPORT: Readonly<Record<Transport, 'responses' | 'frame' | 'chat'>> = {
  http: 'responses',
  websocket: 'frame',
  chat: 'chat',
};

/** What a request may change although it continues a response. Source: transport sheet section 6.5. */
const CHANGEABLE: ReadonlySet<string> = new Set(['input', 'previous_response_id', 'generate', 'client_metadata']);

/** Every broken invariant of one request, as sentences. Empty when all hold. */
export function checkRequest(request: RecordedRequest, options: CheckOptions): readonly string[] {
  const { body, history, acceptsAnyClient } = options;
  // Over WebSocket the handshake's headers were checked with the handshake.
  const problems = request.transport === 'websocket' || acceptsAnyClient ? [] : [...checkHeaders(request, options)];
  if (body === undefined) return [...problems, 'the body is not a JSON object'];
  if (!acceptsAnyClient) problems.push(...checkBody(body, BODY_OF_TRANSPORT[request.transport]));
  problems.push(...checkTools(body), ...checkInput(request.input));
  if (options.continued !== undefined) problems.push(...checkContinuation(request, options.continued));
  if (acceptsAnyClient) return problems;
  // Chat has other roles and its items are only a reading of its messages.
  if (request.transport !== 'chat') {
    const hasInstructions = body['instructions'] !== undefined;
    const isTextOnly = isTextOnlyModel(body, options);
    problems.push(...checkHistory(request.input, { isTextOnly, hasInstructions, allowsTrigger: true }));
  }
  problems.push(...history.check(request));
  return problems;
}

export function isTextOnlyModel(body: JsonObject, options: Pick<CheckOptions, 'textOnlyModels'>): boolean {
  return options.textOnlyModels.has(stringAt(body, 'model') ?? '');
}

/** A request that continues a response repeats everything but the input. */
function checkContinuation(request: RecordedRequest, continued: RecordedRequest): readonly string[] {
  const names = new Set([...Object.keys(request.body), ...Object.keys(continued.body)]);
  return [...names]
    .filter((name) => !CHANGEABLE.has(name))
    .filter((name) => JSON.stringify(request.body[name]) !== JSON.stringify(continued.body[name]))
    .map((name) => `it continues the response of ${nameOf(continued)} with another ${name}`);
}
