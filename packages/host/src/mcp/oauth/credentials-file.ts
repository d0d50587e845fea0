import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, replaceFile, systemErrorCode } from '@quire/files';
import { isJsonObject, type JsonObject, numberAt, stringAt } from '@quire/protocol';
import { systemReason } from '../../system-reason.ts';
import { McpError } from '../mcp-error.ts';

/** Which login is meant. */
export interface LoginPlace {
  /** Folder of the file. Absolute. */
  readonly home: string;
  /** Of the server. */
  readonly name: string;
  readonly url: string;
}

/** Tokens for one server. Source: file written by the peer 0.169. */
export interface StoredLogin {
  readonly issuer: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly accessToken: string;
  /** Unix milliseconds. Absent: not known. */
  readonly expiresAtMs: number | undefined;
  readonly refreshToken: string | undefined;
  readonly scopes: readonly string[];
}

const FILE_NAME = '.credentials.json';

/** `undefined` when there is none. Rejects with McpError 'credentials-file'. */
export async function readStoredLogin(place: LoginPlace): Promise<StoredLogin | undefined> {
  const entry = (await readFileObject(place.home))[keyOf(place)];
  if (!isJsonObject(entry)) return undefined;
  const [clientId, accessToken] = [stringAt(entry, 'client_id'), stringAt(entry, 'access_token')];
  if (clientId === undefined || accessToken === undefined) return undefined;
  const scopes: unknown = entry['scopes'];
  return {
    issuer: stringAt(entry, 'issuer'),
    clientId,
    clientSecret: stringAt(entry, 'client_secret'),
    accessToken,
    expiresAtMs: numberAt(entry, 'expires_at'),
    refreshToken: stringAt(entry, 'refresh_token'),
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : [],
  };
}

/** Replaces the login of one server and leaves the others as they are. Rejects with McpError 'credentials-file'. */
export function writeStoredLogin(place: LoginPlace, login: StoredLogin): Promise<void> {
  const { issuer, clientSecret, expiresAtMs, refreshToken } = login;
  const entry: JsonObject = {
    server_name: place.name,
    server_url: place.url,
    ...(issuer === undefined ? {} : { issuer }),
    client_id: login.clientId,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
    access_token: login.accessToken,
    ...(expiresAtMs === undefined ? {} : { expires_at: expiresAtMs }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    scopes: login.scopes,
  };
  return oneAtATime(async () => {
    const file = await readFileObject(place.home);
    await writeFileObject(place.home, { ...file, [keyOf(place)]: entry });
  });
}

/** `false` when there was none. The file goes with its last login. Rejects with McpError 'credentials-file'. */
export async function removeStoredLogin(place: LoginPlace): Promise<boolean> {
  let removed = false;
  await oneAtATime(async () => {
    const { [keyOf(place)]: login, ...rest } = await readFileObject(place.home);
    if (login === undefined) return;
    removed = true;
    await writeFileObject(place.home, rest);
  });
  return removed;
}

let writing: Promise<void> = Promise.resolve();

/** Two logins of this process that are stored at the same time must not undo one another. */
function oneAtATime(work: () => Promise<void>): Promise<void> {
  const done = writing.then(work);
  writing = done.catch(() => undefined);
  return done;
}

/** Source: computed from a file written by the peer 0.169. */
function keyOf({ name, url }: LoginPlace): string {
  const identity = JSON.stringify({ type: 'http', url, headers: {} });
  return `${name}|${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`;
}

async function readFileObject(home: string): Promise<JsonObject> {
  const path = join(home, FILE_NAME);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return {};
    throw new McpError('credentials-file', `${path} can not be read: ${systemReason(cause)}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined; // the parser's message quotes the text, which holds tokens
  }
  if (isJsonObject(value)) return value;
  throw new McpError('credentials-file', `${path} holds no JSON object; delete it and log in again`);
}

async function writeFileObject(home: string, file: JsonObject): Promise<void> {
  const path = join(home, FILE_NAME);
  try {
    if (Object.keys(file).length === 0) await rm(path, { force: true });
    else await replaceFile(path, JSON.stringify(file));
  } catch (cause) {
    const message = cause instanceof FileError ? cause.message : `${path} can not be removed: ${systemReason(cause)}`;
    throw new McpError('credentials-file', message, { cause });
  }
}
