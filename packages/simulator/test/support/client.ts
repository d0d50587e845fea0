import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';
import type { Simulator } from '../../src/index.ts';

export interface ClientAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Sizes of the pieces as HTTP chunks. */
  readonly pieceSizes: readonly number[];
  /** The system's code when the connection broke inside the body. */
  readonly brokenBy: string | undefined;
}

export interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called with each piece of the body. */
  readonly onData?: (piece: Buffer) => void;
}

/** A request body with everything that is required. */
export function bodyWith(fields: JsonObject = {}): JsonObject {
  return {
    model: 'test-model',
    instructions: 'Be brief.',
    input: [userMessage('hello')],
    tools: [],
    tool_choice: 'auto',
    parallel_tool_calls: false,
    reasoning: null,
    store: false,
    stream: true,
    include: [],
    prompt_cache_key: 'thread-1',
    ...fields,
  };
}

export function userMessage(words: string): JsonObject {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text: words }] };
}

/** Posts to `/responses` with a fresh connection. Rejects when no response head came. */
export function post(sim: Simulator, body: JsonValue | Buffer, options: PostOptions = {}): Promise<ClientAnswer> {
  return send(`${sim.url}/responses`, body, options);
}

export function send(
  url: string,
  body: JsonValue | Buffer | undefined,
  options: PostOptions & { readonly method?: string } = {},
): Promise<ClientAnswer> {
  const payload = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, {
      agent: false,
      method: options.method ?? 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json', ...options.headers },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    let hasResponse = false;
    outgoing.on('error', (error) => {
      if (!hasResponse) reject(error); // afterwards the response reports it
    });
    outgoing.on('response', (incoming) => {
      hasResponse = true;
      const pieces: Buffer[] = [];
      const settle = (brokenBy: string | undefined): void =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(pieces),
          pieceSizes: pieces.map((piece) => piece.length),
          brokenBy,
        });
      incoming.on('data', (piece: Buffer) => {
        pieces.push(piece);
        options.onData?.(piece);
      });
      incoming.on('end', () => settle(/* brokenBy */ undefined));
      incoming.on('error', (error: NodeJS.ErrnoException) => settle(error.code));
    });
    outgoing.end(payload);
  });
}

/** The events of an SSE body, by a deliberately simple reading. Data that is not JSON comes back as text. */
export function eventsOf(answer: ClientAnswer): readonly (JsonObject | string)[] {
  return answer.body
    .toString('utf8')
    .split(/\r\n\r\n|\n\n|\r\r/)
    .flatMap((block) => block.split(/\r\n|\n|\r/).filter((line) => line.startsWith('data: ')))
    .map((line) => {
      try {
        const parsed: unknown = JSON.parse(line.slice(6));
        return isJsonObject(parsed) ? parsed : line.slice(6);
      } catch {
        return line.slice(6); // not JSON: what the test wants to see
      }
    });
}

export function typesOf(answer: ClientAnswer): readonly string[] {
  return eventsOf(answer).map((entry) => (typeof entry === 'string' ? 'not JSON' : (stringAt(entry, 'type') ?? '?')));
}

/** The finished items of a response. */
export function itemsOf(answer: ClientAnswer): readonly JsonObject[] {
  return eventsOf(answer).flatMap((entry) =>
    typeof entry !== 'string' && entry['type'] === 'response.output_item.done' && isJsonObject(entry['item'])
      ? [entry['item']]
      : [],
  );
}
