import type { RecordedHandshake } from '../recorded-request.ts';
import { checkAuthorization } from './check-headers.ts';

/** What the headers of a WebSocket handshake must say. Source: transport sheet section 4.1. */
export function checkHandshake(
  handshake: RecordedHandshake,
  options: { readonly expectAuthorization: string | undefined },
): readonly string[] {
  const { headers } = handshake;
  const beta = [headers['openai-beta'] ?? ''].flat().join(',');
  return [
    ...(/(^|,)\s*responses_websockets=\d{4}-\d{2}-\d{2}\s*(,|$)/.test(beta)
      ? []
      : ['the header openai-beta must name responses_websockets and a date']),
    ...(headers['content-encoding'] === undefined ? [] : ['the header content-encoding has no place in a handshake']),
    ...checkAuthorization(headers, options),
  ];
}
