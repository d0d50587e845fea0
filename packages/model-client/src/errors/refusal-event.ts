import { type JsonObject, type ModelError, numberAt, objectAt, stringAt } from '@quire/protocol';
import { type HttpErrorContext, httpError } from './http-error.ts';

/** The HTTP status that an `error` event stands for. Invalid requests are a 400 without its being said. */
export function statusOfErrorEvent(event: JsonObject): number | undefined {
  const named = numberAt(event, 'status') ?? numberAt(event, 'status_code');
  if (named !== undefined) return named;
  const error = objectAt(event, 'error');
  return error !== undefined && stringAt(error, 'type') === 'invalid_request_error' ? 400 : undefined;
}

/** An `error` event within server-sent events that says what a 400 says: the same request would be refused again. */
export function refusalInStream(
  event: JsonObject,
  options: { readonly url: string; readonly context: HttpErrorContext },
): ModelError | undefined {
  if (statusOfErrorEvent(event) !== 400) return undefined;
  const { url, context } = options;
  return httpError({ status: 400, headers: {}, bodyText: JSON.stringify(event), url }, context);
}
