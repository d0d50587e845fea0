import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeJwt, type IssuedTokens } from '@quire/simulator';
import { AuthError } from '../../src/index.ts';

export const signal = new AbortController().signal;

export const DAY_MS = 24 * 3600_000;

/** A home folder of its own. */
export interface Home extends AsyncDisposable {
  readonly path: string;
  readonly file: string;
  write(value: unknown): Promise<void>;
  text(): Promise<string>;
  json(): Promise<Record<string, unknown>>;
}

export async function createHome(): Promise<Home> {
  const path = await mkdtemp(join(tmpdir(), 'quire-auth-'));
  const file = join(path, 'auth.json');
  const text = (): Promise<string> => readFile(file, 'utf8');
  return {
    path,
    file,
    text,
    write: (value) => writeFile(file, typeof value === 'string' ? value : JSON.stringify(value), { mode: 0o600 }),
    json: async () => JSON.parse(await text()) as Record<string, unknown>,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** What a client has stored of a login. */
export function stored(
  tokens: Partial<IssuedTokens>,
  options: { readonly accountId?: string | null; readonly lastRefreshMs?: number } = {},
): Record<string, unknown> {
  const { accountId = 'account-1', lastRefreshMs = Date.now() } = options;
  return {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: {
      id_token: tokens.idToken ?? encodeJwt({}),
      access_token: tokens.accessToken,
      refresh_token: tokens.refreshToken,
      account_id: accountId,
    },
    last_refresh: new Date(lastRefreshMs).toISOString(),
  };
}

export async function failure(promise: Promise<unknown>): Promise<AuthError> {
  const error = await reason(promise);
  if (error instanceof AuthError) return error;
  throw new Error(`expected an AuthError, got ${String(error)}`);
}

export async function reason(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => {
      throw new Error('expected a rejection');
    },
    (error: unknown) => error,
  );
}
