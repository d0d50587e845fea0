import { FileError, realFile, replaceFile, takeFileLock } from '@quire/files';
import { ConfigError } from './config-error.ts';
import { readConfigText } from './config-file.ts';
import { type ConfigChange, changeTomlText } from './edit-toml.ts';
import { type ConfigTable, createTable } from './layers.ts';
import { parseTomlDocument } from './toml.ts';

export type { ConfigChange };

/** An edit takes milliseconds; whoever holds a file longer does not give it back. */
const LOCK_WAIT_MS = 5000;

/**
 * Changes settings of one file and leaves everything else in it as it was written: comments, order, layout. A missing
 * file is made, readable by its owner only. The file is replaced in one step, and writers take turns.
 *
 * @param edit gets the content as it is at that moment and says what to change; nothing to change writes nothing. It is
 *   called once, must not wait for another edit of the same file, and what it throws is passed on.
 * @throws ConfigError 'syntax' or 'unreadable-file' when the file is not usable as it is; 'not-writable'; 'in-use'
 */
export async function editConfigFile(
  file: string,
  edit: (document: ConfigTable) => readonly ConfigChange[],
  { lockWaitMs = LOCK_WAIT_MS }: { readonly lockWaitMs?: number } = {},
): Promise<void> {
  try {
    const target = await realFile(file);
    await using _lock = await takeFileLock(`${target}.lock`, { what: target, waitMs: lockWaitMs });
    const text = (await readConfigText(target)) ?? '';
    const changes = edit(text === '' ? createTable() : await parseTomlDocument(text, target));
    if (changes.length === 0) return;
    const changed = await changeTomlText(text, changes, target);
    if (changed !== text) await replaceFile(target, changed, { keepsMode: true });
  } catch (cause) {
    if (!(cause instanceof FileError)) throw cause;
    throw new ConfigError(cause.code, cause.message, { source: file, cause });
  }
}
