import { join } from 'node:path';
import { AUTH_FILE } from '../storage/file-store.ts';

/** Held by whoever changes the stored login. Other clients keep empty `auth.json.lock` files of their own for ever. */
export function changeLockPath(home: string): string {
  return join(home, `${AUTH_FILE}.quire-lock`);
}

/** Held by whoever has a renewal done, so that of many processes one starts it and the others wait. */
export function renewalLockPath(home: string): string {
  return join(home, `${AUTH_FILE}.quire-renewal`);
}
