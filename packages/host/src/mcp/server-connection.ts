import {
  Client,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  type StandardSchemaV1,
  type Transport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import type { ElicitationAnswer, ElicitationRequest, McpResourceKind, McpResourcePage } from '@quire/core';
import { isJsonObject, type JsonObject, type JsonValue, objectAt, stringAt } from '@quire/protocol';
import { timerDelay } from '../process/abort.ts';
import { PAGES_MAX } from './limits.ts';
import { McpError } from './mcp-error.ts';

export interface ConnectionOrder {
  readonly name: string;
  readonly transport: Transport;
  readonly clientInfo: { readonly name: string; readonly version: string };
  readonly onToolsChanged: () => void;
  readonly onElicit: (request: ElicitationRequest, signal: AbortSignal) => Promise<ElicitationAnswer>;
  readonly onClose: () => void;
  readonly signal: AbortSignal;
}

export interface ToolAnswer {
  readonly content: readonly JsonObject[];
  readonly structuredContent: JsonValue | undefined;
  readonly isError: boolean;
}

/** Longest time that timers take. */
const NO_TIMEOUT_MS = timerDelay(Number.POSITIVE_INFINITY);

/** A server that said who it is. Every method rejects with McpError, or the reason of its signal. */
export class ServerConnection {
  readonly #client: Client;
  readonly #name: string;

  /** Rejects with McpError, or the reason of the signal. */
  static async open(order: ConnectionOrder): Promise<ServerConnection> {
    const client = new Client(
      { ...order.clientInfo },
      { capabilities: { elicitation: { form: {}, url: {} } }, enforceStrictCapabilities: false },
    );
    // Its own timers would keep a process alive that has nothing else to do. Every request has a signal instead.
    Object.defineProperty(client, '_setupTimeout', { value: () => undefined });
    client.setNotificationHandler('notifications/tools/list_changed', () => order.onToolsChanged());
    client.setRequestHandler('elicitation/create', async ({ params }, context) => {
      const answer = await order.onElicit(elicitationOf(order.name, params as JsonObject), context.mcpReq.signal);
      if (answer.kind === 'accepted') return { action: 'accept', content: answer.content as Record<string, string> };
      return { action: answer.kind === 'declined' ? 'decline' : 'cancel' };
    });
    const connection = new ServerConnection(order.name, client);
    await connection.#answerTo(order.signal, (options) => client.connect(order.transport, options));
    client.onclose = order.onClose;
    return connection;
  }

  private constructor(name: string, client: Client) {
    this.#name = name;
    this.#client = client;
  }

  /** Descriptions as the server gave them; empty when it has no tools. */
  async listTools(signal: AbortSignal): Promise<readonly JsonObject[]> {
    if (this.#client.getServerCapabilities()?.tools === undefined) return [];
    const tools: JsonObject[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer = await this.#ask('tools/list', cursor === undefined ? {} : { cursor }, signal);
      tools.push(...objectsAt(answer, 'tools'));
      cursor = stringAt(answer, 'nextCursor');
      if (cursor === undefined) break;
    }
    return tools;
  }

  async callTool(name: string, args: JsonObject, signal: AbortSignal): Promise<ToolAnswer> {
    const answer = await this.#ask('tools/call', { name, arguments: args }, signal);
    return {
      content: objectsAt(answer, 'content'),
      structuredContent: answer['structuredContent'],
      isError: answer['isError'] === true,
    };
  }

  async listResources(
    kind: McpResourceKind,
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<McpResourcePage> {
    if (this.#client.getServerCapabilities()?.resources === undefined) return { entries: [], nextCursor: undefined };
    const [method, key] =
      kind === 'resources' ? ['resources/list', 'resources'] : ['resources/templates/list', 'resourceTemplates'];
    const answer = await this.#ask(method, cursor === undefined ? {} : { cursor }, signal);
    return { entries: objectsAt(answer, key), nextCursor: stringAt(answer, 'nextCursor') };
  }

  readResource(uri: string, signal: AbortSignal): Promise<JsonObject> {
    return this.#ask('resources/read', { uri }, signal);
  }

  /** No `onClose` any more. Never rejects. */
  async close(): Promise<void> {
    this.#client.onclose = () => undefined;
    await this.#client.close().catch(() => undefined);
  }

  #ask(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonObject> {
    return this.#answerTo(signal, (options) => this.#client.request({ method, params }, ANY_OBJECT, options));
  }

  /** With every error as one of ours. */
  async #answerTo<Answer>(
    signal: AbortSignal,
    ask: (options: { readonly signal: AbortSignal; readonly timeout: number }) => Promise<Answer>,
  ): Promise<Answer> {
    signal.throwIfAborted();
    try {
      return await ask({ signal, timeout: NO_TIMEOUT_MS });
    } catch (error) {
      signal.throwIfAborted();
      throw toMcpError(this.#name, error);
    }
  }
}

/** One tool that is described badly must not hide the others: answers are looked at field by field instead. */
const ANY_OBJECT: StandardSchemaV1<unknown, JsonObject> = {
  '~standard': {
    version: 1,
    vendor: 'quire',
    validate: (value) => (isJsonObject(value) ? { value } : { issues: [{ message: 'not an object' }] }),
  },
};

/** Bodies and headers stay out of messages. */
function toMcpError(name: string, cause: unknown): McpError {
  const server = `MCP server ${name}`;
  if (cause instanceof McpError) return cause;
  const inner = cause instanceof Error ? cause.cause : undefined;
  if (inner instanceof McpError) return inner;
  if (isUnauthorized(cause)) {
    return new McpError('login-needed', `${server} wants a login; run quire mcp login ${name}`, { cause });
  }
  if (cause instanceof SdkHttpError) {
    const { status } = cause.data;
    // Servers forget sessions when they start anew.
    const code = status === 404 ? 'session-lost' : 'bad-answer';
    return new McpError(code, `${server} answered with HTTP status ${status}; see mcp_servers.${name}.url`, { cause });
  }
  if (cause instanceof SdkError && CONNECTION_LOST.has(cause.code)) {
    return new McpError('ended', `${server} closed the connection`, { cause });
  }
  if (cause instanceof ProtocolError) {
    return new McpError('bad-answer', `${server} answered with error ${cause.code}: ${cut(cause.message)}`, { cause });
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new McpError('bad-answer', `${server} did not answer as it should: ${cut(reason)}`, { cause });
}

const CONNECTION_LOST: ReadonlySet<string> = new Set([
  SdkErrorCode.ConnectionClosed,
  SdkErrorCode.NotConnected,
  SdkErrorCode.SendFailed,
]);

function isUnauthorized(error: unknown): boolean {
  if (error instanceof SdkHttpError) return error.data.status === 401;
  return error instanceof UnauthorizedError;
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}

function objectsAt(answer: JsonObject, key: string): readonly JsonObject[] {
  const values: unknown = answer[key];
  return Array.isArray(values) ? values.filter(isJsonObject) : [];
}

function elicitationOf(server: string, params: JsonObject): ElicitationRequest {
  const message = stringAt(params, 'message') ?? '';
  const url = params['mode'] === 'url' ? stringAt(params, 'url') : undefined;
  return { server, message, schema: objectAt(params, 'requestedSchema'), url };
}
