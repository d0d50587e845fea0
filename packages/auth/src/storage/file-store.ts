import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeSystemError, systemErrorCode } from '@quire/files';
import type { JsonObject } from '@quire/protocol';
import { AuthError } from '../auth-error.ts';
import { type Place, parseAuthDocument } from '../credentials/auth-document.ts';
import { sleep } from '../waiting.ts';
import type { LoginStore } from './login-store.ts';

export const AUTH_FILE = 'auth.json';

/** Other clients write the file in place: for a moment it is empty or half there. */
const TORN_RETRIES = 4;
const TORN_RETRY_MS = 25;
const TORN_AGE_MS = 2000;

/** `auth.json` in the home folder: readable by its owner only, replaced in one step. Absolute path. */
export function createFileStore(home: string): LoginStore {
  const path = join(home, AUTH_FILE);
  const place: Place = {
    name: path,
    remedy: 'fix it, move it away or run quire logout and log in again, or set CODEX_API_KEY',
  };
  return {
    place,
    read: async ({ signal }) => readDocument(path, place, signal),
    takeUp: async () => (await import('./take-up-draft.ts')).takeUpDraft(path, place),
    probe: async () => (await import('./change-login.ts')).probeLogin(path),
    write: async (document) => (await import('./change-login.ts')).writeLogin(path, JSON.stringify(document, null, 2)),
    remove: async () => (await import('./change-login.ts')).removeLogin(path),
  };
}

/** Why the file needs attention though it can be used: one sentence, or `undefined`. */
export async function authFileWarning(home: string): Promise<string | undefined> {
  const path = join(home, AUTH_FILE);
  if (process.platform === 'win32') return undefined; // modes say nothing there
  const mode = await stat(path).then(
    (stats) => stats.mode & 0o077,
    () => 0,
  );
  return mode === 0 ? undefined : `${path} can be read by others than its owner; run chmod 600 on it`;
}

async function readDocument(path: string, place: Place, signal: AbortSignal): Promise<JsonObject | undefined> {
  for (let attempt = 0; ; attempt += 1) {
    const text = await readText(path, signal);
    if (text === undefined) return undefined;
    try {
      return parseAuthDocument(text, place);
    } catch (error) {
      if (attempt === TORN_RETRIES || !(await wasJustWritten(path))) throw error;
      await sleep(TORN_RETRY_MS, signal);
    }
  }
}

async function wasJustWritten(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats === undefined || Math.abs(Date.now() - stats.mtimeMs) < TORN_AGE_MS;
}

async function readText(path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    // Nobody may ever write to a pipe, and waiting for that can not be stopped.
    if ((await stat(path)).isFIFO()) throw unreadable(path, { reason: 'it is a pipe' });
    return await readFile(path, { encoding: 'utf8', signal });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AuthError) throw error;
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw unreadable(path, { reason: describeSystemError(error), cause: error });
  }
}

function unreadable(path: string, { reason, cause }: { readonly reason: string; readonly cause?: unknown }): AuthError {
  return new AuthError('unreadable-file', `${path} can not be read: ${reason}; put it right, or set CODEX_API_KEY`, {
    cause,
  });
}
