import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpMcpServerOptions {
  /** Wants an access token, and serves the whole of OAuth for it. */
  readonly oauth?: boolean;
  /** Headers that every request must have. */
  readonly requiredHeaders?: Readonly<Record<string, string>>;
  /** Answers `tools/call` instead of the usual text. */
  readonly onCall?: (message: RpcMessage, response: ServerResponse) => void;
}

export interface RpcMessage {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: { readonly name?: string; readonly arguments?: Readonly<Record<string, unknown>> };
}

/** An MCP server on loopback, with its own authorization server when it is asked for. */
export class HttpMcpServer {
  readonly #server: Server;
  readonly #options: HttpMcpServerOptions;
  readonly #codes = new Map<string, { readonly challenge: string; readonly redirect: string }>();
  /** Access tokens that are good. */
  readonly tokens = new Set<string>();
  readonly refreshTokens = new Set<string>();
  readonly sessions = new Set<string>();
  /** `METHOD path` of every request, and the method of its message. */
  readonly log: string[] = [];
  readonly registrations: unknown[] = [];
  readonly tokenRequests: Record<string, string>[] = [];

  static async start(options: HttpMcpServerOptions = {}): Promise<HttpMcpServer> {
    const server = new HttpMcpServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  private constructor(options: HttpMcpServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      void this.#serve(request, response);
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.origin}/mcp`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.log.push(`${request.method} ${url.pathname}`);
    switch (url.pathname) {
      case '/mcp':
        return this.#serveMcp(request, response, body);
      case '/.well-known/oauth-protected-resource/mcp':
      case '/.well-known/oauth-protected-resource':
        return json(response, { resource: this.url, authorization_servers: [this.origin], scopes_supported: ['read'] });
      case '/.well-known/oauth-authorization-server':
        return json(response, {
          issuer: this.origin,
          authorization_endpoint: `${this.origin}/authorize`,
          token_endpoint: `${this.origin}/token`,
          registration_endpoint: `${this.origin}/register`,
          response_types_supported: ['code'],
          grant_types_supported: ['authorization_code', 'refresh_token'],
          code_challenge_methods_supported: ['S256'],
          token_endpoint_auth_methods_supported: ['none'],
        });
      case '/register': {
        const wanted = JSON.parse(body);
        this.registrations.push(wanted);
        return json(response, { ...wanted, client_id: 'registered-client' }, /* status */ 201);
      }
      case '/authorize':
        return this.#authorize(url, response);
      case '/token':
        return this.#giveToken(new URLSearchParams(body), response);
      default:
        return json(response, { error: 'not_found' }, /* status */ 404);
    }
  }

  /** The person says yes at once. */
  #authorize(url: URL, response: ServerResponse): void {
    const redirect = new URL(url.searchParams.get('redirect_uri') ?? '');
    const code = randomBytes(8).toString('hex');
    this.#codes.set(code, { challenge: url.searchParams.get('code_challenge') ?? '', redirect: redirect.href });
    redirect.searchParams.set('code', code);
    redirect.searchParams.set('state', url.searchParams.get('state') ?? '');
    response.writeHead(302, { location: redirect.href }).end();
  }

  #giveToken(form: URLSearchParams, response: ServerResponse): void {
    this.tokenRequests.push(Object.fromEntries(form));
    const code = this.#codes.get(form.get('code') ?? '');
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isGood =
      form.get('grant_type') === 'authorization_code'
        ? code?.challenge === verifier && code.redirect === form.get('redirect_uri')
        : this.refreshTokens.delete(form.get('refresh_token') ?? '');
    if (!isGood) {
      json(response, { error: 'invalid_grant' }, /* status */ 400);
      return;
    }
    const access = `access-${randomBytes(4).toString('hex')}`;
    const refresh = `refresh-${randomBytes(4).toString('hex')}`;
    this.tokens.add(access);
    this.refreshTokens.add(refresh);
    json(response, {
      access_token: access,
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: refresh,
      scope: 'read',
    });
  }

  #serveMcp(request: IncomingMessage, response: ServerResponse, body: string): void {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (this.#options.oauth === true && !this.tokens.has(token)) {
      const metadata = `${this.origin}/.well-known/oauth-protected-resource/mcp`;
      response.setHeader('www-authenticate', `Bearer resource_metadata="${metadata}", scope="read"`);
      json(response, { error: 'unauthorized' }, /* status */ 401);
      return;
    }
    for (const [name, value] of Object.entries(this.#options.requiredHeaders ?? {})) {
      if (request.headers[name] === value) continue;
      json(response, { error: `header ${name}` }, /* status */ 400);
      return;
    }
    if (request.method === 'GET') {
      response.writeHead(405).end();
      return;
    }
    if (request.method === 'DELETE') {
      this.sessions.delete(String(request.headers['mcp-session-id']));
      response.writeHead(200).end();
      return;
    }
    const message = JSON.parse(body) as RpcMessage;
    this.log.push(message.method ?? 'answer');
    this.#answer(message, request, response);
  }

  #answer(message: RpcMessage, request: IncomingMessage, response: ServerResponse): void {
    const { id, method, params } = message;
    const result = (value: unknown): void => json(response, { jsonrpc: '2.0', id, result: value });
    if (method === 'initialize') {
      const session = randomBytes(8).toString('hex');
      this.sessions.add(session);
      response.setHeader('mcp-session-id', session);
      const serverInfo = { name: 'http', version: '1' };
      result({ protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo });
      return;
    }
    if (!this.sessions.has(String(request.headers['mcp-session-id']))) {
      json(response, { error: 'session' }, /* status */ 404);
      return;
    }
    if (id === undefined) {
      response.writeHead(202).end();
      return;
    }
    if (method === 'tools/list') result({ tools: [{ name: 'echo', inputSchema: { type: 'object' } }] });
    else if (method === 'tools/call' && this.#options.onCall !== undefined) this.#options.onCall(message, response);
    else if (method === 'tools/call') result({ content: [{ type: 'text', text: JSON.stringify(params?.arguments) }] });
    else result({});
  }
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
