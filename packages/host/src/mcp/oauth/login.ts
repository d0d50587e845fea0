import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  checkResourceAllowed,
  discoverOAuthServerInfo,
  exchangeAuthorization,
  extractWWWAuthenticateParams,
  type FetchLike,
  type OAuthServerInfo,
  registerClient,
  resourceUrlFromServerUrl,
  startAuthorization,
  validateAuthorizationResponseIssuer,
} from '@modelcontextprotocol/client';
import type { McpHttpTransport, McpServerConfig } from '@quire/core';
import { type Dialer, type LoopbackPage, listenOnLoopback } from '@quire/network';
import { linkSignals, timerDelay } from '../../process/abort.ts';
import { createDialerFetch } from '../dialer-fetch.ts';
import { McpError } from '../mcp-error.ts';
import { parseUrl } from '../open-http-server.ts';
import { type LoginPlace, writeStoredLogin } from './credentials-file.ts';
import { loginOf } from './login-of.ts';

export interface McpLoginOptions {
  readonly config: McpServerConfig;
  readonly home: string;
  readonly dialer: Dialer;
  /** Absent or 0: a free one. */
  readonly callbackPort: number | undefined;
  /** Where the browser is sent back to, when that is not the loopback address itself. */
  readonly callbackUrl: string | undefined;
  /** Instead of those of the configuration and of the server. */
  readonly scopes: readonly string[] | undefined;
  /** Shows the address that the person is to visit, or opens it. */
  readonly onAuthorizationUrl: (url: string) => void;
  /** For the person. Default: ten minutes. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

const PERSON_TIMEOUT_MS = 600_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Lets a person log in to a server in their browser and stores the tokens. Rejects with McpError, or the reason of the signal. */
export async function logInToMcpServer(options: McpLoginOptions): Promise<void> {
  const { name, transport } = options.config;
  if (transport.kind !== 'streamable-http') {
    throw new McpError('login-failed', `MCP server ${name} is a program: only servers with a url have logins`);
  }
  const place = { home: options.home, name, url: transport.url };
  const fetch = createDialerFetch({ name, dialer: options.dialer, headersTimeoutMs: REQUEST_TIMEOUT_MS });
  const fetchUntil: FetchLike = (url, init) => fetch(url, { ...init, signal: init?.signal ?? options.signal });
  try {
    await logIn({ ...options, transport, place, fetch: fetchUntil });
  } catch (cause) {
    options.signal.throwIfAborted();
    if (cause instanceof McpError) throw cause;
    const reason = cause instanceof Error ? (cause.message.split('\n', 1)[0] ?? '') : String(cause);
    // What the server sent along may be a token.
    const safe = reason.replace(/ Raw body: .*$/s, '').slice(0, 300);
    throw new McpError('login-failed', `the login to MCP server ${name} failed: ${safe}`, { cause });
  }
}

async function logIn(
  order: McpLoginOptions & {
    readonly transport: McpHttpTransport;
    readonly place: LoginPlace;
    readonly fetch: FetchLike;
  },
): Promise<void> {
  const { transport, place, fetch } = order;
  const url = parseUrl(place.name, transport.url);
  const challenge = await readChallenge(url, transport, fetch);
  const server = await discoverOAuthServerInfo(url, {
    ...(challenge.resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl: challenge.resourceMetadataUrl }),
    fetchFn: fetch,
  });
  const resource = resourceOf(place.name, transport, server);
  const scopes = order.scopes ?? transport.scopes;
  const scope = scopes?.join(' ') ?? challenge.scope ?? server.resourceMetadata?.scopes_supported?.join(' ');
  await using visit = await awaitVisit(order);
  const redirectUrl = visit.redirectUrl;
  const { authorizationServerMetadata: metadata, authorizationServerUrl: authority } = server;
  const known = metadata === undefined ? {} : { metadata };
  const wanted = scope === undefined || scope === '' ? {} : { scope };
  const clientInformation =
    transport.oauthClientId === undefined
      ? await registerClient(authority, { ...known, ...wanted, clientMetadata: clientOf(redirectUrl), fetchFn: fetch })
      : { client_id: transport.oauthClientId };
  const { authorizationUrl, codeVerifier } = await startAuthorization(authority, {
    ...known,
    ...wanted,
    clientInformation,
    redirectUrl,
    state: visit.state,
    ...(resource === undefined ? {} : { resource }),
  });
  order.onAuthorizationUrl(authorizationUrl.href);
  const { code, issuer } = await visit.done;
  const support = metadata as { readonly authorization_response_iss_parameter_supported?: boolean } | undefined;
  validateAuthorizationResponseIssuer({
    iss: issuer,
    expectedIssuer: metadata?.issuer,
    issParameterSupported: support?.authorization_response_iss_parameter_supported === true,
  });
  const tokens = await exchangeAuthorization(authority, {
    ...known,
    clientInformation,
    authorizationCode: code,
    codeVerifier,
    redirectUri: redirectUrl,
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(resource === undefined ? {} : { resource }),
    fetchFn: fetch,
  });
  const secret = 'client_secret' in clientInformation ? clientInformation.client_secret : undefined;
  const login = loginOf(tokens, {
    issuer: metadata?.issuer,
    clientId: clientInformation.client_id,
    clientSecret: secret,
    refreshToken: undefined,
    scopes: scope?.split(' ') ?? [],
    nowMs: Date.now(),
  });
  await writeStoredLogin(place, login);
}

/** What the server says to somebody without a token; nothing when it says nothing of use. */
async function readChallenge(
  url: URL,
  { httpHeaders = {} }: McpHttpTransport,
  fetch: FetchLike,
): Promise<{ readonly resourceMetadataUrl?: URL; readonly scope?: string }> {
  const headers = { ...httpHeaders, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'ping' });
  const response = await fetch(url, { method: 'POST', headers, body });
  await response.body?.cancel();
  return response.status === 401 ? extractWWWAuthenticateParams(response) : {};
}

/** What the token is to be good for. A server must not name somebody else's. */
function resourceOf(name: string, transport: McpHttpTransport, server: OAuthServerInfo): string | undefined {
  if (transport.oauthResource !== undefined) return transport.oauthResource;
  const resource = server.resourceMetadata?.resource;
  if (resource === undefined) return undefined;
  const requestedResource = resourceUrlFromServerUrl(transport.url);
  if (checkResourceAllowed({ requestedResource, configuredResource: resource })) return resource;
  throw new McpError('login-failed', `MCP server ${name} wants a token for another address than its own: ${resource}`);
}

function clientOf(redirectUrl: string): Parameters<typeof registerClient>[1]['clientMetadata'] {
  return {
    client_name: 'Quire',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'native',
  };
}

interface Visit extends AsyncDisposable {
  readonly redirectUrl: string;
  /** What the visit must bring back. */
  readonly state: string;
  readonly done: Promise<{ readonly code: string; readonly issuer: string | undefined }>;
}

/** Waits for the browser to come back. */
async function awaitVisit(order: McpLoginOptions): Promise<Visit> {
  const { timeoutMs = PERSON_TIMEOUT_MS } = order;
  const state = randomBytes(24).toString('base64url');
  const { name } = order.config;
  const { promise, resolve, reject } = withResolvers<{ code: string; issuer: string | undefined }>();
  promise.catch(() => undefined); // nobody may wait for it yet
  const link = linkSignals([order.signal, AbortSignal.timeout(timerDelay(timeoutMs))]);
  link.signal.addEventListener('abort', () => {
    reject(
      order.signal.aborted
        ? order.signal.reason
        : new McpError('login-failed', `nobody logged in to MCP server ${name} within ${timeoutMs / 1000} s`),
    );
  });
  const path = order.callbackUrl === undefined ? '/callback' : new URL(order.callbackUrl).pathname;
  const listener = await listenOnLoopback({
    port: order.callbackPort ?? 0,
    onVisit: (url) => {
      if (url.pathname !== path) return { status: 404, text: 'There is nothing here.' };
      return answerVisit(url, { state, name, resolve, reject });
    },
  });
  return {
    redirectUrl: order.callbackUrl ?? `http://127.0.0.1:${listener.port}${path}`,
    state,
    done: promise,
    [Symbol.asyncDispose]: async () => {
      link[Symbol.dispose]();
      await listener.close();
    },
  };
}

function answerVisit(
  url: URL,
  visit: {
    readonly state: string;
    readonly name: string;
    readonly resolve: (answer: { code: string; issuer: string | undefined }) => void;
    readonly reject: (error: McpError) => void;
  },
): LoopbackPage {
  // Somebody else's visit neither ends nor serves the login.
  if (!isSame(url.searchParams.get('state') ?? '', visit.state)) {
    return { status: 400, text: 'This is not the login that was begun here.' };
  }
  const code = url.searchParams.get('code');
  if (code === null) {
    const error = (url.searchParams.get('error') ?? 'no code came back').slice(0, 100);
    visit.reject(new McpError('login-failed', `the login to MCP server ${visit.name} was refused: ${error}`));
    return { status: 200, text: 'The login was refused. You can close this window.' };
  }
  visit.resolve({ code, issuer: url.searchParams.get('iss') ?? undefined });
  return { status: 200, text: 'You are logged in. You can close this window.' };
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** `Promise.withResolvers` of newer platforms. */
function withResolvers<Value>(): {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve!: (value: Value) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
