import type { ModelEvent } from '@quire/protocol';
import { headerText, type ResponseHeaders } from '../http/headers-in.ts';
import { rateLimitsFromHeaders } from './rate-limits.ts';

/** What the answer to a WebSocket handshake says of every response on it. Its limits are those of that moment: left out. */
export function socketStartEvents(headers: ResponseHeaders): ModelEvent[] {
  return startEvents(headers).filter((event) => event.kind !== 'rate-limits');
}

/** What the response headers say, as events; they come before everything in the body. */
export function startEvents(headers: ResponseHeaders): ModelEvent[] {
  const events: ModelEvent[] = [];
  const model = headerText(headers, 'openai-model');
  if (model !== undefined) events.push({ kind: 'server-model', model });
  for (const snapshot of rateLimitsFromHeaders(headers)) events.push({ kind: 'rate-limits', snapshot });
  const etag = headerText(headers, 'x-models-etag');
  if (etag !== undefined) events.push({ kind: 'models-etag', etag });
  if (headers['x-reasoning-included'] !== undefined) events.push({ kind: 'server-reasoning-included' });
  return events;
}
