import { backoffDelayMs, type Clock, type Entropy } from '@quire/core';
import { ModelError, type ModelErrorCode } from '@quire/protocol';
import { readErrorBody } from './http/body.ts';
import type { HttpRequest, HttpResponse, HttpTransport } from './http/transport.ts';
import type { ModelClientObserver } from './observer.ts';

/**
 * Failures without a response that are worth another attempt at once. A response that did not come
 * within the idle time ('idle-timeout') is not: it took the patience of a whole attempt, so the turn decides.
 */
const RETRIED: ReadonlySet<ModelErrorCode> = new Set(['connection-failed', 'dns', 'proxy', 'request-timeout']);

export interface RetryOptions {
  /** Below the base URL, for records. */
  readonly endpoint: string;
  readonly maxRetries: number;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly observer: ModelClientObserver;
  /** Called for each response, when its headers are there. */
  readonly onResponse?: ((response: HttpResponse) => void) | undefined;
  /** Called for each attempt that failed, also for the last one. */
  readonly onFailure?: ((error: ModelError) => void) | undefined;
  /** Statuses of which the first is the last. */
  readonly finalStatuses?: ReadonlySet<number> | undefined;
  /** Statuses that are answers, though no success. */
  readonly goodStatuses?: ReadonlySet<number> | undefined;
  /** Makes the error of a response that is neither. */
  readonly toError: (response: HttpResponse, bodyText: string) => ModelError;
}

/**
 * The first layer of retries: repeats one HTTP request after 5xx, timeouts and connection errors, never
 * after another status and never once a good response has begun. Rejects with the last ModelError, or
 * the reason of the signal.
 */
export async function requestWithRetries(
  transport: HttpTransport,
  request: HttpRequest,
  options: RetryOptions,
): Promise<HttpResponse> {
  const { clock, entropy, observer } = options;
  for (let attempt = 0; ; attempt += 1) {
    const startedAtMs = clock.now();
    const outcome = await attemptOnce(transport, request, options);
    const failed = outcome instanceof ModelError;
    observer.requestAttempt?.({
      attempt,
      endpoint: options.endpoint,
      status: failed ? outcome.httpStatus : outcome.status,
      error: failed ? outcome.code : undefined,
      durationMs: clock.now() - startedAtMs,
    });
    if (!failed) return outcome;
    options.onFailure?.(outcome);
    if (attempt >= options.maxRetries || !isRetried(outcome, options)) throw outcome;
    const delayMs = outcome.retryAfterMs ?? backoffDelayMs(attempt + 1, entropy.random());
    await clock.sleep(delayMs, { signal: request.signal });
  }
}

async function attemptOnce(
  transport: HttpTransport,
  request: HttpRequest,
  options: RetryOptions,
): Promise<HttpResponse | ModelError> {
  let response: HttpResponse;
  try {
    response = await transport.send(request);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  options.onResponse?.(response);
  if (response.status >= 200 && response.status < 300) return response;
  if (options.goodStatuses?.has(response.status) === true) return response;
  return options.toError(response, await readErrorBody(response.body, request.signal));
}

function isRetried(error: ModelError, { finalStatuses }: RetryOptions): boolean {
  const { httpStatus } = error;
  if (httpStatus !== undefined) return httpStatus >= 500 && finalStatuses?.has(httpStatus) !== true;
  return error.retryable && RETRIED.has(error.code);
}
