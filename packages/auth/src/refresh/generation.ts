import { createHash } from 'node:crypto';
import type { ChatgptLogin } from '../credentials/login.ts';

/** Names one pair of tokens without telling them. */
export function generationOf({ accessToken, refreshToken }: ChatgptLogin): string {
  return createHash('sha256').update(`${accessToken}\n${refreshToken}`).digest('hex');
}
