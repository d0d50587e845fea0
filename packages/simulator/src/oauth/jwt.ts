import { createHmac } from 'node:crypto';
import type { JsonObject } from '@quire/protocol';

/** A signed token with these claims. Clients do not verify the signature, so the key is nobody's secret. */
export function encodeJwt(claims: JsonObject): string {
  const head = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${head}.${createHmac('sha256', 'simulator').update(head).digest('base64url')}`;
}

function encode(part: JsonObject): string {
  return Buffer.from(JSON.stringify(part), 'utf8').toString('base64url');
}
