import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describeSystemError, systemErrorCode } from '@quire/files';
import { isJsonObject, type JsonObject, parseJsonObject, stringAt } from '@quire/protocol';
import { createRedactor, type KnownValues } from '../rollout/redact.ts';

const FILE_NAME = 'last-401.json';
/** What servers put into these headers is an id, a word or a sentence. Unit: UTF-16 code units. */
const MAX_TEXT_LENGTH = 300;
const MAX_FILE_BYTES = 64 * 1024;

/** Credentials that a server refused, as far as a report of a fault needs it. */
export interface RefusalRecord {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly clientVersion: string;
  readonly threadId: string;
  readonly providerId: string;
  /** Facts of the last request and its refusal, under the names that feedback tools know. */
  readonly tags: Readonly<Record<string, string>>;
  /** Why nothing was done about it. Absent: something was. */
  readonly reason: string | undefined;
}

/**
 * Keeps the last refusal of a home folder; for its owner only, in one step. Done when it returns, for the process may be
 * about to end. Throws an Error that names the file.
 *
 * @param secrets known values, that must not be written; shapes of secrets are known anyway
 */
export function writeRefusal(home: string, record: RefusalRecord, secrets: KnownValues): void {
  const file = path.join(home, FILE_NAME);
  const draft = `${file}.${randomUUID()}.draft`;
  const redactor = createRedactor(secrets);
  const clean = (text: string): string => redactor.redactText(text).slice(0, MAX_TEXT_LENGTH);
  const content: JsonObject = {
    at: new Date(record.atMs).toISOString(),
    client_version: record.clientVersion,
    thread_id: record.threadId,
    provider: clean(record.providerId),
    tags: Object.fromEntries(Object.entries(record.tags).map(([name, text]) => [name, clean(text)])),
    reason: record.reason ?? null,
  };
  try {
    fs.writeFileSync(draft, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
    fs.renameSync(draft, file);
  } catch (cause) {
    fs.rmSync(draft, { force: true });
    throw new Error(`${file} can not be written: ${describeSystemError(cause)}`, { cause });
  }
}

/** `undefined` when there is none, or none that can be understood. */
export function readRefusal(home: string): RefusalRecord | undefined {
  const content = parseJsonObject(textOf(path.join(home, FILE_NAME)));
  const atMs = Date.parse((content && stringAt(content, 'at')) ?? '');
  const tags = content?.['tags'];
  if (content === undefined || Number.isNaN(atMs) || !isJsonObject(tags)) return undefined;
  return {
    atMs,
    clientVersion: stringAt(content, 'client_version') ?? '',
    threadId: stringAt(content, 'thread_id') ?? '',
    providerId: stringAt(content, 'provider') ?? '',
    tags: Object.fromEntries(
      Object.entries(tags).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text] as const] : [])),
    ),
    reason: stringAt(content, 'reason'),
  };
}

function textOf(file: string): string {
  try {
    const stats = fs.statSync(file);
    return stats.isFile() && stats.size <= MAX_FILE_BYTES ? fs.readFileSync(file, 'utf8') : '';
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return '';
  }
}
