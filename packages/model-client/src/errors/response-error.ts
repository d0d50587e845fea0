import {
  type JsonObject,
  ModelError,
  type ModelErrorCode,
  type ModelErrorDetails,
  objectAt,
  stringAt,
} from '@quire/protocol';
import { IMAGE_REFUSED, namedInput, refusesImage } from './named-input.ts';
import { withoutSecrets } from './redact.ts';
import { parseDelayInMessage } from './retry-after.ts';

export interface ResponseErrorContext {
  readonly requestId: string | undefined;
  /** Values that no message may repeat. Default: none. */
  readonly secrets?: readonly string[];
  /** As in `HttpErrorContext`. */
  readonly inputIndex?: ((named: number) => number | undefined) | undefined;
}

const POLICY_CODES: ReadonlySet<string> = new Set(['cyber_policy', 'bio_policy']);

/** `response.failed` as a typed error. Source: the peer's table of codes. */
export function responseFailedError(event: JsonObject, context: ResponseErrorContext): ModelError {
  const response = objectAt(event, 'response');
  const error = response === undefined ? undefined : objectAt(response, 'error');
  if (error === undefined)
    return make('response-failed', 'response.failed event received', context, { retryable: true });
  const code = stringAt(error, 'code') ?? '';
  const message = stringAt(error, 'message');
  const final = { retryable: false };
  if (POLICY_CODES.has(code))
    return make('policy', message ?? 'the request was refused for policy reasons', context, final);
  switch (code) {
    case 'context_length_exceeded':
      return make(
        'context-window-exceeded',
        message ?? "the conversation is longer than the model's context window",
        context,
        final,
      );
    case 'insufficient_quota':
      return make('quota-exceeded', 'the quota is used up: check plan and billing of the account', context, final);
    case 'usage_not_included':
      return make(
        'usage-not-included',
        'the plan of this account does not include this use: upgrade to Plus, or use an API key',
        context,
        final,
      );
    case 'invalid_prompt':
      return refusedRequest(error, context) ?? make('invalid-request', message ?? 'Invalid request.', context, final);
    case 'server_is_overloaded':
    case 'slow_down':
      return make('overloaded', 'the model is at capacity; try again later or choose another model', context, final);
    case 'rate_limit_exceeded':
      return make('rate-limited', message ?? 'rate limit exceeded', context, {
        retryable: true,
        retryAfterMs: message === undefined ? undefined : parseDelayInMessage(message),
      });
    default: {
      const text = message ?? `the response failed (${code === '' ? 'no reason given' : code})`;
      return refusedRequest(error, context) ?? make('response-failed', text, context, { retryable: true });
    }
  }
}

/** For an error that blames an item of the input, and so would come again. */
function refusedRequest(error: JsonObject, context: ResponseErrorContext): ModelError | undefined {
  const message = stringAt(error, 'message') ?? '';
  const named = namedInput(error, message);
  const refusal = { retryable: false, rejectedInputIndex: named && context.inputIndex?.(named.index) };
  if (refusesImage(stringAt(error, 'code'), named, message)) {
    return make('invalid-image', IMAGE_REFUSED, context, refusal);
  }
  return named && make('invalid-request', message === '' ? 'Invalid request.' : message, context, refusal);
}

/** `response.incomplete` as a typed error that names the reason. */
export function responseIncompleteError(event: JsonObject, context: ResponseErrorContext): ModelError {
  const response = objectAt(event, 'response');
  const details = response === undefined ? undefined : objectAt(response, 'incomplete_details');
  const reason = (details === undefined ? undefined : stringAt(details, 'reason')) ?? 'unknown';
  return make('response-incomplete', `incomplete response returned, reason: ${reason}`, context, { retryable: true });
}

function make(
  code: ModelErrorCode,
  message: string,
  context: ResponseErrorContext,
  options: Pick<ModelErrorDetails, 'retryable' | 'retryAfterMs' | 'rejectedInputIndex'>,
): ModelError {
  return new ModelError(code, withoutSecrets(message, context.secrets ?? []), {
    ...options,
    requestId: context.requestId,
  });
}
