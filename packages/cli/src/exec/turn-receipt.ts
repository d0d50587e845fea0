/** What a turn cost on the line to the model: as an event for programs, as one line for people. */
import type { AttemptReceipt, RequestReceipt, TokenBuckets } from '@quire/protocol';
import { formatCount, formatDuration } from './human-format.ts';

interface JsonAttempt {
  readonly transport: string;
  readonly duration_ms: number;
  readonly error: { readonly code: string; readonly message: string; readonly http_status: number | null } | null;
}

interface JsonTokens {
  readonly fresh_input: number;
  readonly cache_read: number;
  readonly cache_write: number | null;
  readonly visible_output: number;
  readonly reasoning: number;
}

export interface JsonRequestReceipt {
  readonly outcome: string;
  readonly transport: string;
  readonly attempts: readonly JsonAttempt[];
  readonly reused_connection: boolean;
  readonly incremental: boolean;
  readonly bytes_sent: number;
  readonly bytes_received: number;
  readonly first_token_ms: number | null;
  readonly duration_ms: number;
  readonly tokens: JsonTokens | null;
}

export function receiptToJson(receipt: RequestReceipt): JsonRequestReceipt {
  return {
    outcome: receipt.outcome,
    transport: receipt.transport,
    attempts: receipt.attempts.map(attemptToJson),
    reused_connection: receipt.reusedConnection,
    incremental: receipt.incremental,
    bytes_sent: receipt.bytesSent,
    bytes_received: receipt.bytesReceived,
    first_token_ms: receipt.firstTokenMs ?? null,
    duration_ms: receipt.durationMs,
    tokens: receipt.tokens === undefined ? null : tokensToJson(receipt.tokens),
  };
}

function attemptToJson({ transport, durationMs, cause }: AttemptReceipt): JsonAttempt {
  const error =
    cause === undefined ? null : { code: cause.code, message: cause.message, http_status: cause.httpStatus ?? null };
  return { transport, duration_ms: durationMs, error };
}

function tokensToJson(tokens: TokenBuckets): JsonTokens {
  return {
    fresh_input: tokens.freshInput,
    cache_read: tokens.cacheRead,
    cache_write: tokens.cacheWrite ?? null,
    visible_output: tokens.visibleOutput,
    reasoning: tokens.reasoning,
  };
}

/** Such as `2 requests over websocket, 1 retry, 12.3 kB sent, 48.1 kB received, first token after 230 ms`. */
export function receiptLine(requests: readonly RequestReceipt[]): string {
  const transports = [...new Set(requests.map((request) => request.transport))].join(' and ');
  const attempts = requests.reduce((sum, request) => sum + request.attempts.length, 0);
  const retries = Math.max(0, attempts - requests.length);
  const parts = [`${counted(requests.length, 'request', 'requests')} over ${transports}`];
  if (retries > 0) parts.push(counted(retries, 'retry', 'retries'));
  parts.push(
    `${formatBytes(sum(requests, 'bytesSent'))} sent`,
    `${formatBytes(sum(requests, 'bytesReceived'))} received`,
  );
  const firstTokenMs = requests.find((request) => request.firstTokenMs !== undefined)?.firstTokenMs;
  if (firstTokenMs !== undefined) parts.push(`first token after ${formatDuration(firstTokenMs)}`);
  return parts.join(', ');
}

function sum(requests: readonly RequestReceipt[], key: 'bytesSent' | 'bytesReceived'): number {
  return requests.reduce((total, request) => total + request[key], 0);
}

function counted(count: number, one: string, many: string): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `512 B`, `12.3 kB`, `4.2 MB`; a thousand bytes a step. */
function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
