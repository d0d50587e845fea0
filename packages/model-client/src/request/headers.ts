import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Span } from '@quire/core';
import { type Credentials, ModelError, type ModelProvider } from '@quire/protocol';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface RequestIdentity {
  readonly provider: ModelProvider;
  readonly environment: Environment;
  readonly threadId: string;
  readonly originator: string;
  readonly clientVersion: string;
  readonly userAgent: string;
  readonly subagent?: string | undefined;
  readonly betaFeatures?: readonly string[] | undefined;
}

export interface RequestHeaders {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names that must not be sent to another origin. */
  readonly secretNames: ReadonlySet<string>;
}

/** Opens the second revision of Responses over WebSocket, the only one that servers still speak. */
const WEBSOCKET_BETA = 'responses_websockets=2026-02-06';

export interface TurnHeaders {
  readonly state: string | undefined;
  readonly metadata: string | undefined;
  /** Of the request; absent: nothing is traced. */
  readonly span?: Span | undefined;
  /** What the answer is to be. Default: a stream of events. */
  readonly accept?: 'application/json';
}

/** Headers of the handshake of `GET …/responses`: those of a POST without what describes a body. */
export function handshakeHeaders(
  identity: RequestIdentity,
  credentials: Credentials,
  turn: TurnHeaders & { readonly timingMetrics: boolean },
): RequestHeaders {
  const { headers, secretNames } = requestHeaders(identity, credentials, turn);
  const { accept: _accept, 'content-type': _contentType, ...rest } = headers;
  return {
    headers: {
      ...rest,
      'openai-beta': WEBSOCKET_BETA,
      ...(turn.timingMetrics ? { 'x-responsesapi-include-timing-metrics': 'true' } : {}),
    },
    secretNames,
  };
}

/**
 * Headers of `POST …/responses` and of the compaction endpoint below it. The table with each one's reason is docs/model-requests.md.
 *
 * Later groups replace earlier ones: the provider's own, then this client's, then credentials; defaults
 * only fill what is missing. Throws ModelError 'configuration' for a header that HTTP can not carry.
 */
export function requestHeaders(identity: RequestIdentity, credentials: Credentials, turn: TurnHeaders): RequestHeaders {
  const { headers: common, secretNames } = commonHeaders(identity, credentials);
  const headers: Record<string, string> = { ...common };
  const { threadId } = identity;
  headers['accept'] = turn.accept ?? 'text/event-stream';
  headers['content-type'] = 'application/json';
  headers['session_id'] = threadId;
  headers['session-id'] = threadId;
  headers['thread-id'] = threadId;
  headers['x-client-request-id'] = threadId;
  if (turn.state !== undefined) headers['x-codex-turn-state'] = turn.state;
  if (turn.metadata !== undefined) headers['x-codex-turn-metadata'] = turn.metadata;
  if (identity.subagent !== undefined) headers['x-openai-subagent'] = identity.subagent;
  const { traceparent, tracestate } = turn.span ?? {};
  if (traceparent !== undefined) headers['traceparent'] = traceparent;
  if (tracestate !== undefined) headers['tracestate'] = tracestate;
  const beta = identity.betaFeatures ?? [];
  if (beta.length > 0) headers['x-codex-beta-features'] = beta.join(',');
  return { headers, secretNames };
}

type ClientIdentity = Pick<RequestIdentity, 'provider' | 'environment' | 'originator' | 'clientVersion' | 'userAgent'>;

/** Headers of every request to the provider, also of one that belongs to no thread. Throws as `requestHeaders` does. */
export function commonHeaders(identity: ClientIdentity, credentials: Credentials): RequestHeaders {
  const own = providerHeaders(identity);
  const headers: Record<string, string> = { ...own, ...credentialHeaders(credentials) };
  headers['originator'] ??= identity.originator;
  headers['user-agent'] ??= identity.userAgent;
  return { headers, secretNames: new Set(['authorization', 'chatgpt-account-id', 'cookie', ...Object.keys(own)]) };
}

function providerHeaders(identity: ClientIdentity): Record<string, string> {
  const { provider, environment } = identity;
  const headers: Record<string, string> = {};
  if (provider.id === 'openai') {
    headers['version'] = identity.clientVersion;
    addFromEnvironment(headers, 'OpenAI-Organization', environment['OPENAI_ORGANIZATION']);
    addFromEnvironment(headers, 'OpenAI-Project', environment['OPENAI_PROJECT']);
  }
  for (const [name, value] of Object.entries(provider.httpHeaders)) {
    add(headers, name, value, `http_headers of the model provider "${provider.id}"`);
  }
  for (const [name, variable] of Object.entries(provider.envHttpHeaders)) {
    addFromEnvironment(headers, name, environment[variable]);
  }
  return headers;
}

function addFromEnvironment(headers: Record<string, string>, name: string, value: string | undefined): void {
  const text = value?.trim();
  if (text !== undefined && text !== '') add(headers, name, text, `the environment variable for the header ${name}`);
}

function credentialHeaders(credentials: Credentials): Record<string, string> {
  const headers: Record<string, string> = {};
  if (credentials.kind === 'none') return headers;
  const token = credentials.kind === 'api-key' ? credentials.token : credentials.accessToken;
  add(headers, 'authorization', `Bearer ${token}`, 'the key or token of the model provider');
  if (credentials.kind === 'chatgpt' && credentials.accountId !== undefined) {
    add(headers, 'chatgpt-account-id', credentials.accountId, 'the account id of the login');
  }
  return headers;
}

function add(headers: Record<string, string>, name: string, value: string, source: string): void {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch (cause) {
    throw new ModelError('configuration', `${source} holds characters that an HTTP header can not carry; correct it`, {
      retryable: false,
      cause,
    });
  }
  headers[name.toLowerCase()] = value;
}
