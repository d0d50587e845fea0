import fs from 'node:fs/promises';
import path from 'node:path';

/** Where a working directory lies. Paths are absolute, and free of symbolic links unless said otherwise. */
export interface Project {
  readonly cwd: string;
  /** From the root down to `cwd`. */
  readonly directories: readonly string[];
  /** How the working directory was named, and so those above it, where that is another way to the same place. */
  readonly literalNames: ReadonlyMap<string, string>;
  /** The nearest ancestor of `cwd`, or `cwd`, that has a marker; `cwd` when none has. */
  readonly root: string;
  /** The main checkout of the git repository that `cwd` lies in; absent outside of one. */
  readonly mainCheckout: string | undefined;
}

/** A `.git` file holds one path. */
const MAX_POINTER_BYTES = 8192;

/**
 * Asks which names exist above `cwd`, and reads nothing but the pointer files of a git worktree. Nothing is run, and
 * git's own configuration is not looked at. Never rejects for what a project holds.
 */
export async function findProject(cwd: string, markers: readonly string[]): Promise<Project> {
  const real = await realPath(cwd);
  const ancestors = ancestorsOf(real);
  const [root, mainCheckout] = await Promise.all([
    nearestWith(ancestors, markers),
    nearestWith(ancestors, ['.git']).then((folder) => (folder === undefined ? undefined : mainCheckoutOf(folder))),
  ]);
  const directories = ancestors.slice(0, ancestors.indexOf(root ?? real) + 1).reverse();
  const literalNames = await readLiteralNames(directories, path.resolve(cwd));
  return { cwd: real, directories, literalNames, root: root ?? real, mainCheckout };
}

async function readLiteralNames(directories: readonly string[], cwd: string): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  let name = cwd;
  for (const directory of directories.toReversed()) {
    if (name !== directory && (await realPath(name)) === directory) names.set(directory, name);
    name = path.dirname(name);
  }
  return names;
}

/** The path itself where it does not exist. */
export async function realPath(file: string): Promise<string> {
  try {
    return await fs.realpath(file);
  } catch {
    return path.resolve(file);
  }
}

/** The directory itself first. */
function ancestorsOf(directory: string): readonly string[] {
  const parent = path.dirname(directory);
  return parent === directory ? [directory] : [directory, ...ancestorsOf(parent)];
}

async function nearestWith(folders: readonly string[], names: readonly string[]): Promise<string | undefined> {
  if (names.length === 0) return undefined;
  for (const folder of folders) {
    const found = await Promise.all(names.map((name) => exists(path.join(folder, name))));
    if (found.includes(true)) return folder;
  }
  return undefined;
}

async function exists(file: string): Promise<boolean> {
  try {
    await fs.stat(file);
    return true;
  } catch {
    return false;
  }
}

/**
 * A worktree belongs to the checkout that its `.git` file names only when that checkout knows of it: anybody can
 * write such a file, and would inherit the trust in what it names.
 */
async function mainCheckoutOf(folder: string): Promise<string> {
  const pointer = path.join(folder, '.git');
  const named = /^gitdir: *(.+?)\s*$/.exec((await readPointer(pointer)) ?? '')?.[1];
  if (named === undefined) return folder;
  const record = path.resolve(folder, named);
  const worktrees = path.dirname(record);
  if (path.basename(worktrees) !== 'worktrees') return folder;
  const back = (await readPointer(path.join(record, 'gitdir')))?.trim();
  if (back === undefined || (await realPath(path.resolve(record, back))) !== (await realPath(pointer))) return folder;
  const repository = await realPath(path.dirname(worktrees));
  return path.basename(repository) === '.git' ? path.dirname(repository) : repository;
}

/** `undefined` for what is no small file: a directory in the usual case. */
async function readPointer(file: string): Promise<string | undefined> {
  try {
    const stats = await fs.stat(file);
    return stats.isFile() && stats.size <= MAX_POINTER_BYTES ? await fs.readFile(file, 'utf8') : undefined;
  } catch {
    return undefined; // what can not be read makes no worktree
  }
}
