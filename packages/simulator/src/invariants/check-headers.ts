import type { IncomingHttpHeaders } from 'node:http';
import type { RecordedRequest } from '../recorded-request.ts';

/** What the headers of a sampling request must say. Source: the transport's header table. */
export function checkHeaders(
  request: RecordedRequest,
  options: { readonly expectAuthorization: string | undefined },
): readonly string[] {
  const { headers } = request;
  const problems: string[] = [];
  if (!(headers.accept ?? '').split(',').some((entry) => mediaType(entry) === 'text/event-stream')) {
    problems.push('the header accept must be text/event-stream');
  }
  if (mediaType(headers['content-type'] ?? '') !== 'application/json') {
    problems.push('the header content-type must be application/json');
  }
  problems.push(...checkLength(headers, request.rawBody.length));
  problems.push(...checkAuthorization(headers, options));
  return problems;
}

export function checkAuthorization(
  headers: IncomingHttpHeaders,
  options: { readonly expectAuthorization: string | undefined },
): readonly string[] {
  if (options.expectAuthorization === undefined || headers.authorization === options.expectAuthorization) return [];
  const found = headers.authorization === undefined ? 'is missing' : 'is not the expected one';
  return [`the header authorization ${found}`]; // never its value
}

function checkLength(headers: IncomingHttpHeaders, byteCount: number): readonly string[] {
  const declared = headers['content-length'];
  if (declared === undefined || Number(declared) === byteCount) return [];
  return [`the header content-length says ${declared} and the body has ${byteCount} bytes`];
}

function mediaType(value: string): string {
  return (value.split(';')[0] ?? '').trim().toLowerCase();
}
