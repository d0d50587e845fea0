import { ModelError } from '@quire/protocol';
import { headerText, requestIdOf } from '../http/headers-in.ts';
import type { HttpResponse } from '../http/transport.ts';
import { printableUrl } from './redact.ts';

/** Bodies of these kinds are never a stream; servers that leave the header out or say something vague are believed. */
const NOT_A_STREAM: ReadonlyMap<string, string> = new Map([
  ['text/html', 'a web page'],
  ['application/xhtml+xml', 'a web page'],
  ['application/json', 'one JSON document'],
]);

/** A good status with a body that can not be a stream: a wrong `base_url`, or the login page of a network. */
export function wrongContentType(response: HttpResponse): ModelError | undefined {
  const type = headerText(response.headers, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const what = NOT_A_STREAM.get(type);
  if (what === undefined) return undefined;
  return new ModelError(
    'stream-protocol',
    `${printableUrl(response.url)} answered with ${what} (${type}) instead of a stream; check base_url, and whether a network login page is in between`,
    { retryable: false, httpStatus: response.status, requestId: requestIdOf(response.headers) },
  );
}
