import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describeSystemError, flushFolder, systemErrorCode } from '@quire/files';
import { RolloutError } from '../rollout/rollout-error.ts';
import { lockRollout, type RolloutLock } from '../rollout/rollout-lock.ts';
import { ConfigError } from './config-error.ts';
import { readConfigText } from './config-file.ts';
import { type ConfigChange, changeTomlText } from './edit-toml.ts';
import { type ConfigTable, createTable } from './layers.ts';
import { parseTomlDocument } from './toml.ts';

export type { ConfigChange };

/** An edit takes milliseconds; whoever holds a file longer does not give it back. */
const LOCK_WAIT_MS = 5000;
const LOCK_RETRY_MS = 20;

/** Writers of this process take turns by file. */
const turns = new Map<string, Promise<unknown>>();

/**
 * Changes settings of one file and leaves everything else in it as it was written: comments, order, layout. A missing
 * file is made, readable by its owner only. The file is replaced in one step, and two writers take turns.
 *
 * @param edit gets the content as it is at that moment and says what to change; nothing to change writes nothing. It is
 *   called once, must not wait for another edit of the same file, and what it throws is passed on.
 * @throws ConfigError 'syntax' or 'unreadable-file' when the file is not usable as it is; 'not-writable'; 'in-use'
 */
export async function editConfigFile(
  file: string,
  edit: (document: ConfigTable) => readonly ConfigChange[],
  options: { readonly lockWaitMs?: number } = {},
): Promise<void> {
  const target = await resolveLink(file);
  const before = turns.get(target) ?? Promise.resolve();
  const turn = before.then(() => editInTurn(target, edit, options.lockWaitMs ?? LOCK_WAIT_MS));
  const settled = turn.catch(() => undefined);
  turns.set(target, settled);
  try {
    await turn;
  } finally {
    if (turns.get(target) === settled) turns.delete(target);
  }
}

async function editInTurn(
  file: string,
  edit: (document: ConfigTable) => readonly ConfigChange[],
  lockWaitMs: number,
): Promise<void> {
  await writing(file, () => fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 }));
  const lock = await lockConfig(file, lockWaitMs);
  try {
    const text = (await readConfigText(file)) ?? '';
    const changes = edit(text === '' ? createTable() : await parseTomlDocument(text, file));
    if (changes.length === 0) return;
    const changed = await changeTomlText(text, changes, file);
    if (changed !== text) await writing(file, () => replaceFile(file, changed));
  } finally {
    lock.release();
  }
}

/** The file itself where `file` is a link to it, so that the link stays one. */
async function resolveLink(file: string): Promise<string> {
  try {
    return await fs.realpath(file);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw notWritable(file, error);
  }
  const isLink = await fs.lstat(file).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return path.resolve(file);
  throw new ConfigError(
    'not-writable',
    `${file} is a link to a file that does not exist; remove it or make that file`,
    {
      source: file,
    },
  );
}

async function lockConfig(file: string, waitMs: number): Promise<RolloutLock> {
  const giveUpAt = performance.now() + waitMs;
  while (true) {
    try {
      return lockRollout(file);
    } catch (cause) {
      if (!(cause instanceof RolloutError)) throw cause;
      if (performance.now() < giveUpAt) await delay(LOCK_RETRY_MS);
      else throw new ConfigError('in-use', cause.message, { source: file, cause });
    }
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const mode = await fs.stat(file).then(
    (stats) => stats.mode & 0o777,
    () => 0o600,
  );
  const draft = `${file}.${process.pid}.draft`;
  try {
    const handle = await fs.open(draft, 'w', 0o600);
    try {
      await handle.chmod(mode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(draft, file);
  } catch (error) {
    await fs.rm(draft, { force: true });
    throw error;
  }
  await flushFolder(path.dirname(file));
}

async function writing(file: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    throw notWritable(file, cause);
  }
}

function notWritable(file: string, cause: unknown): ConfigError {
  return new ConfigError('not-writable', `${file} can not be written: ${describeSystemError(cause)}`, {
    source: file,
    cause,
  });
}
