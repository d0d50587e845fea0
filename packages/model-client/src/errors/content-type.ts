import { ModelError } from '@quire/protocol';
import { headerText, requestIdOf } from '../http/headers-in.ts';
import type { HttpResponse } from '../http/transport.ts';
import { printableUrl } from './redact.ts';

const WEB_PAGES: readonly (readonly [string, string])[] = [
  ['text/html', 'a web page'],
  ['application/xhtml+xml', 'a web page'],
];

/** Bodies of these kinds are never what was asked for; servers that leave the header out or say something vague are believed. */
const NEVER: Readonly<Record<'stream' | 'JSON', ReadonlyMap<string, string>>> = {
  stream: new Map([...WEB_PAGES, ['application/json', 'one JSON document']]),
  JSON: new Map([...WEB_PAGES, ['text/event-stream', 'a stream']]),
};

/** A good status with a body that can not be `expected`: a wrong `base_url`, or the login page of a network. */
export function wrongContentType(
  response: HttpResponse,
  { expected }: { readonly expected: 'stream' | 'JSON' },
): ModelError | undefined {
  const type = headerText(response.headers, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const what = NEVER[expected].get(type);
  if (what === undefined) return undefined;
  const wanted = expected === 'stream' ? 'a stream' : expected;
  return new ModelError(
    'stream-protocol',
    `${printableUrl(response.url)} answered with ${what} (${type}) instead of ${wanted}; check base_url, and whether a network login page is in between`,
    { retryable: false, httpStatus: response.status, requestId: requestIdOf(response.headers) },
  );
}
