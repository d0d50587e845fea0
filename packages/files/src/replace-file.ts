import { randomBytes } from 'node:crypto';
import { lstat, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError } from './file-error.ts';
import { flushFolder } from './flush-folder.ts';
import { makeFolder } from './make-folder.ts';
import { describeSystemError, systemErrorCode } from './system-error.ts';

const OWNER_ONLY = 0o600;
const PROBE_BYTES = 16 * 1024;

export interface ReplaceOptions {
  /** Whether permissions that others were given stay; else the file is for its owner only, as a new one always is. */
  readonly keepsMode?: boolean;
  /** Whether a loss of power may take it: it is not waited for the disk. */
  readonly mayBeLost?: boolean;
}

/**
 * Replaces a file by way of a second one beside it, so that readers and crashes see the old content or the new one. A
 * link to a file stays one; missing folders are made. Rejects with FileError 'not-writable'; then it is as it was.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  { keepsMode = false, mayBeLost = false }: ReplaceOptions = {},
): Promise<void> {
  await writing(path, async () => {
    const target = await prepare(path);
    const mode = keepsMode ? ((await statIfPresent(target))?.mode ?? OWNER_ONLY) & 0o777 : OWNER_ONLY;
    const draft = draftName(target);
    try {
      await writeDraft(draft, content, { mode, mayBeLost });
      await rename(draft, target);
    } catch (error) {
      await removeDraft(draft);
      throw error;
    }
    if (!mayBeLost) await flushFolder(dirname(target));
  });
}

/** Whether the file could be replaced: the folder takes files, and the disk has room. Rejects with FileError 'not-writable'. */
export async function probeFile(path: string): Promise<void> {
  await writing(path, async () => {
    const target = await prepare(path);
    const size = (await statIfPresent(target))?.size ?? 0;
    const draft = draftName(target);
    try {
      const content = Buffer.alloc(size + PROBE_BYTES, ' ');
      await writeDraft(draft, content, { mode: OWNER_ONLY, mayBeLost: false });
    } finally {
      await removeDraft(draft);
    }
  });
}

/** The file itself where `path` is a link to it. Rejects with FileError 'not-writable' where a link leads nowhere. */
export async function realFile(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (systemErrorCode(cause) !== 'ENOENT') throw notWritable(path, cause);
  }
  const isLink = await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return resolve(path);
  throw new FileError('not-writable', `${path} is a link to a file that does not exist; remove it or make that file`);
}

/**
 * What writers that were killed have left beside a file; while nobody writes it. Absolute paths. A folder that can not be
 * read holds none.
 */
export async function leftDrafts(path: string): Promise<readonly string[]> {
  const target = await realpath(path).catch(() => resolve(path));
  const [folder, prefix] = [dirname(target), `${basename(target)}.`];
  const entries = await readdir(folder).catch(() => []);
  const isDraft = (name: string): boolean =>
    name.startsWith(prefix) && /^[0-9a-f]{12}\.draft$/.test(name.slice(prefix.length));
  return entries.filter(isDraft).map((name) => join(folder, name));
}

async function prepare(path: string): Promise<string> {
  makeFolder(dirname(path));
  return await realFile(path);
}

async function writeDraft(
  draft: string,
  content: string | Uint8Array,
  { mode, mayBeLost }: { readonly mode: number; readonly mayBeLost: boolean },
): Promise<void> {
  await using handle = await open(draft, 'wx', OWNER_ONLY);
  if (mode !== OWNER_ONLY) await handle.chmod(mode);
  await handle.writeFile(content);
  if (!mayBeLost) await handle.sync();
}

/** Why it is removed is the failure to tell. */
async function removeDraft(draft: string): Promise<void> {
  await rm(draft, { force: true }).catch(() => undefined);
}

function draftName(target: string): string {
  return `${target}.${randomBytes(6).toString('hex')}.draft`;
}

async function statIfPresent(path: string): Promise<{ readonly mode: number; readonly size: number } | undefined> {
  return await stat(path).catch(() => undefined);
}

async function writing(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw error instanceof FileError ? error : notWritable(path, error);
  }
}

function notWritable(path: string, cause: unknown): FileError {
  const what = `${path} can not be written: ${describeSystemError(cause)}; check its folder and the space on the disk`;
  return new FileError('not-writable', what, { cause });
}
