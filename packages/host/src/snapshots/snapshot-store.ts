import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { replaceFile, systemErrorCode } from '@quire/files';
import { configuration, isolatedEnvironment, runGit } from '../git/run-git.ts';
import type { WorkTree } from './work-tree.ts';

/** Where a restore puts what it works on: in the top of the work tree, on the same file system as its files. */
export const STAGING_PREFIX = '.quire-restore-';

/** From this many new files on, they are written as one pack instead of a file each. */
const PACKED_FROM_COUNT = 100;

const STORE_CONFIG = `[core]
\trepositoryFormatVersion = 0
\tfileMode = true
\tsymlinks = true
\tautocrlf = false
\tsafecrlf = false
\tprotectNTFS = false
\tprotectHFS = false
\tlogAllRefUpdates = false
\tcompression = 1
\tfsync = objects,reference
\tfsyncMethod = batch
\tbigFileThreshold = 16m
\thooksPath = /dev/null
\tfsmonitor = false
[gc]
\tauto = 0
[pack]
\tthreads = 1
`;

/** Wins over every \`.gitattributes\`: bytes are kept as they are, and no filter is named. Source: gitattributes(5). */
const STORE_ATTRIBUTES = '* -text -crlf !eol -ident -filter !working-tree-encoding -diff -merge\n';

/** A bare repository of our own for the snapshots of one work tree. */
export interface SnapshotStore {
  readonly directory: string;
  readonly workTree: WorkTree;
}

/** The name of a store: the same for the same work tree, safe as a file name. */
export function storeKey(root: string): string {
  return createHash('sha256').update(root).digest('hex').slice(0, 24);
}

export function snapshotsDirectory(home: string): string {
  return join(home, 'snapshots');
}

/** Makes the store if it is not there. Its parts are put in place in one step: two processes may try at once. */
export async function openStore(home: string, workTree: WorkTree): Promise<SnapshotStore> {
  const parent = snapshotsDirectory(home);
  const directory = join(parent, storeKey(workTree.root));
  if (!(await exists(join(directory, 'HEAD')))) await createStore(parent, { directory, workTree });
  await writeExcludes(home, { directory, workTree });
  return { directory, workTree };
}

async function createStore(parent: string, store: SnapshotStore): Promise<void> {
  const draft = join(parent, `.new-${randomBytes(6).toString('hex')}`);
  await mkdir(parent, { recursive: true, mode: 0o700 });
  await mkdir(draft, { mode: 0o700 });
  try {
    for (const name of ['objects', 'refs', 'info', 'tmp']) await mkdir(join(draft, name));
    await writeFile(join(draft, 'config'), STORE_CONFIG);
    await writeFile(join(draft, 'info/attributes'), STORE_ATTRIBUTES);
    await writeFile(join(draft, 'work-tree'), store.workTree.root);
    await writeFile(join(draft, 'HEAD'), 'ref: refs/heads/none\n');
    await rename(draft, store.directory);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(join(store.directory, 'HEAD')))) throw error;
  }
}

/** The ignore list of the repository, and our own folder when it is inside of the work tree. */
async function writeExcludes(home: string, store: SnapshotStore): Promise<void> {
  const users = await readIfPresent(store.workTree.excludesPath);
  const fromRoot = relative(store.workTree.root, home);
  const isInside = fromRoot === '' || (fromRoot !== '..' && !fromRoot.startsWith(`..${sep}`));
  const own = [`/${STAGING_PREFIX}*/`];
  if (isInside) own.push(`/${escapePattern(fromRoot === '' ? 'snapshots' : fromRoot)}/`);
  const lines = Buffer.concat([users, Buffer.from(`\n${own.join('\n')}\n`)]);
  const path = join(store.directory, 'info/exclude');
  if (lines.equals(await readIfPresent(path))) return;
  await replaceFile(path, lines, { mayBeLost: true });
}

function escapePattern(path: string): string {
  return path.replace(/[\\*?[\]!# ]/g, '\\$&');
}

/**
 * A place for the files of one snapshot in the making: new objects and a private index. Nothing of it is seen
 * by others before `keep`, and all of it is gone when it is disposed.
 */
export class SnapshotDraft implements AsyncDisposable {
  readonly store: SnapshotStore;
  readonly #directory: string;
  readonly #objects: string;
  readonly #index: string;

  private constructor(store: SnapshotStore) {
    this.store = store;
    this.#directory = join(store.directory, 'tmp', randomBytes(8).toString('hex'));
    this.#objects = join(this.#directory, 'objects');
    this.#index = join(this.#directory, 'index');
  }

  /** @param options.continues begin with the files of the last snapshot, of which git knows how they looked */
  static async open(store: SnapshotStore, options: { readonly continues: boolean }): Promise<SnapshotDraft> {
    const draft = new SnapshotDraft(store);
    await mkdir(join(draft.#objects, 'info'), { recursive: true });
    await writeFile(join(draft.#objects, 'info/alternates'), '../../../objects\n');
    // A link keeps the time of the file, by which git tells what may have changed within the same second.
    if (options.continues) await link(join(store.directory, 'index'), draft.#index).catch(beginEmpty);
    return draft;
  }

  get directory(): string {
    return this.#directory;
  }

  /** Runs git on the store, with new objects, the index and, if not told otherwise, the work tree of this draft. */
  git(
    args: readonly string[],
    options: {
      readonly signal: AbortSignal;
      readonly input?: string;
      readonly newCount?: number;
      readonly root?: string;
    },
  ): Promise<string> {
    const { root } = this.store.workTree;
    const settings = new Map<string, string>();
    const { userExcludesPath } = this.store.workTree;
    if (userExcludesPath !== undefined) settings.set('core.excludesFile', userExcludesPath);
    if ((options.newCount ?? 0) >= PACKED_FROM_COUNT) settings.set('core.bigFileThreshold', '1');
    const environment = {
      ...isolatedEnvironment(),
      ...configuration(settings),
      GIT_DIR: this.store.directory,
      GIT_WORK_TREE: options.root ?? root,
      GIT_INDEX_FILE: this.#index,
      GIT_OBJECT_DIRECTORY: this.#objects,
    };
    const { signal, input } = options;
    return runGit(args, { cwd: options.root ?? root, environment, signal, ...(input === undefined ? {} : { input }) });
  }

  /** Puts new objects into the store, under a reference, and the index in place for the next snapshot. */
  async keep(reference: string, objectId: string, signal: AbortSignal): Promise<void> {
    await this.#keepObjects();
    const environment = { ...isolatedEnvironment(), GIT_DIR: this.store.directory };
    await runGit(['update-ref', reference, objectId], { cwd: this.store.directory, environment, signal });
    const kept = join(this.store.directory, 'index');
    await rename(this.#index, kept).catch(beginEmpty);
  }

  /** Packs last, and of a pack its index last: an object is never announced before it can be read. */
  async #keepObjects(): Promise<void> {
    const target = join(this.store.directory, 'objects');
    const folders = (await readdir(this.#objects)).filter((name) => name !== 'info').toSorted();
    for (const folder of folders) {
      await mkdir(join(target, folder), { recursive: true });
      const names = await readdir(join(this.#objects, folder));
      const complete = names.filter((name) => !name.startsWith('tmp_'));
      const inOrder = complete.toSorted((a, b) => Number(a.endsWith('.idx')) - Number(b.endsWith('.idx')));
      for (const name of inOrder) await moveInto(join(target, folder), { from: join(this.#objects, folder), name });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** A folder that is empty is removed at any moment, by a git that removes what is not needed. */
async function moveInto(
  folder: string,
  { from, name, tries = 20 }: { readonly from: string; readonly name: string; readonly tries?: number },
): Promise<void> {
  try {
    await rename(join(from, name), join(folder, name));
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || tries === 0) throw error;
    await mkdir(folder, { recursive: true });
    await moveInto(folder, { from, name, tries: tries - 1 });
  }
}

/** Without the last index every file is read again, which is slower and nothing else. */
function beginEmpty(): void {
  return;
}

export async function forgetIndex(store: SnapshotStore): Promise<void> {
  await unlink(join(store.directory, 'index')).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  });
}

async function readIfPresent(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch {
    return Buffer.alloc(0); // git goes without a list that it can not read, too
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
