import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemErrorCode } from '@quire/files';
import { parseGitConfig } from './git-config.ts';
import { withoutCredentials } from './remote-url.ts';

/** What is known of the repository a directory is in. What git itself would not tell is absent. */
export interface GitFacts {
  /** The directory that holds `.git`. */
  readonly root: string;
  readonly commitHash?: string;
  /** Absent when no branch is checked out, and before its first commit. */
  readonly branch?: string;
  /** Of the remote `origin`, as configured in the repository, without credentials. */
  readonly originUrl?: string;
}

export interface GitFactsOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
}

const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** A reference may name another one; git follows as many. */
const MAX_REFERENCE_DEPTH = 5;

/** Whether `cwd` or a directory above it holds `.git`, a directory or a file. */
export async function isInsideGitRepository(cwd: string): Promise<boolean> {
  return (await findRepositoryRoot(cwd)) !== undefined;
}

/**
 * Reads git's own files, which takes a millisecond and runs nothing that the repository could choose. Only
 * what these files do not tell plainly (another reference store, included configuration) is asked of git.
 * `undefined` outside of a repository.
 */
export async function readGitFacts(options: GitFactsOptions): Promise<GitFacts | undefined> {
  options.signal.throwIfAborted();
  const root = await findRepositoryRoot(options.cwd);
  if (root === undefined) return undefined;
  const gitDirectory = await findGitDirectory(root);
  if (gitDirectory === undefined) return { root };
  const commonDirectory = resolve(gitDirectory, (await readLine(join(gitDirectory, 'commondir'))) ?? '.');
  const [head, config] = await Promise.all([
    readLine(join(gitDirectory, 'HEAD')),
    readConfig(join(commonDirectory, 'config')),
  ]);
  const ask = async (args: readonly string[]): Promise<string | undefined> => {
    const { askGit } = await import('./ask-git.ts');
    return askGit(args, { cwd: root, signal: options.signal });
  };
  const [position, url] = await Promise.all([
    config.hasOtherReferenceStore
      ? askPosition(ask)
      : readPosition(head, { directories: [gitDirectory, commonDirectory] }),
    config.hasIncludes ? ask(['remote', 'get-url', 'origin']) : config.originUrl,
  ]);
  options.signal.throwIfAborted();
  return { root, ...position, ...(url === undefined ? {} : { originUrl: withoutCredentials(url) }) };
}

/** The nearest directory, from `cwd` upward, with a repository: as for git, an empty `.git` is none. */
async function findRepositoryRoot(cwd: string): Promise<string | undefined> {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const git = join(directory, '.git');
    if ((await exists(join(git, 'HEAD'))) || (await readLine(git)) !== undefined) return directory;
    if (dirname(directory) === directory) return undefined;
  }
}

/** A `.git` file points elsewhere: worktrees and submodules. */
async function findGitDirectory(root: string): Promise<string | undefined> {
  const path = join(root, '.git');
  const pointer = await readLine(path);
  if (pointer === undefined) return path;
  const target = /^gitdir:\s*(.+)$/.exec(pointer)?.[1];
  return target === undefined ? undefined : resolve(root, target);
}

type Position = Pick<GitFacts, 'commitHash' | 'branch'>;

async function readPosition(
  head: string | undefined,
  store: { readonly directories: readonly string[] },
): Promise<Position> {
  if (head === undefined) return {};
  const reference = referenceName(head);
  if (reference === undefined) return OBJECT_ID.test(head) ? { commitHash: head } : {};
  const commitHash = await resolveReference(reference, store.directories);
  if (commitHash === undefined) return {};
  const branch = /^refs\/heads\/(.+)$/.exec(reference)?.[1];
  return { commitHash, ...(branch === undefined ? {} : { branch }) };
}

async function resolveReference(name: string, directories: readonly string[]): Promise<string | undefined> {
  let current = name;
  for (let depth = 0; depth < MAX_REFERENCE_DEPTH; depth += 1) {
    const value = await readReference(current, directories);
    const next = value === undefined ? undefined : referenceName(value);
    if (next === undefined) return value !== undefined && OBJECT_ID.test(value) ? value : undefined;
    current = next;
  }
  return undefined;
}

/** Loose files of the worktree, then of the repository, then the packed list. */
async function readReference(name: string, directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const loose = await readLine(join(directory, name));
    if (loose !== undefined) return loose;
  }
  const packed = await readText(join(directories.at(-1) ?? '', 'packed-refs'));
  const end = packed?.indexOf(` ${name}\n`) ?? -1;
  return end < 0 ? undefined : packed?.slice(packed.lastIndexOf('\n', end) + 1, end);
}

/** The target of `ref: NAME`; names that would leave the directory are none. */
function referenceName(text: string): string | undefined {
  const name = /^ref:\s*(\S+)$/.exec(text)?.[1];
  return name?.startsWith('refs/') && !name.split('/').includes('..') ? name : undefined;
}

async function askPosition(ask: (args: readonly string[]) => Promise<string | undefined>): Promise<Position> {
  const [commitHash, branch] = await Promise.all([
    ask(['rev-parse', '--verify', 'HEAD']),
    ask(['rev-parse', '--abbrev-ref', 'HEAD']),
  ]);
  return {
    ...(commitHash === undefined ? {} : { commitHash }),
    ...(branch === undefined || branch === 'HEAD' ? {} : { branch }),
  };
}

interface RepositoryConfig {
  readonly originUrl: string | undefined;
  readonly hasIncludes: boolean;
  readonly hasOtherReferenceStore: boolean;
}

async function readConfig(path: string): Promise<RepositoryConfig> {
  const entries = parseGitConfig((await readText(path)) ?? '');
  const origin = entries.find(
    ({ section, subsection, name }) => section === 'remote' && subsection === 'origin' && name === 'url',
  );
  return {
    originUrl: origin?.value,
    hasIncludes: entries.some(({ section }) => section === 'include' || section === 'includeif'),
    hasOtherReferenceStore: entries.some(
      ({ section, name, value }) => section === 'extensions' && name === 'refstorage' && value !== 'files',
    ),
  };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false; // missing, or not ours to see: either way no repository for us
  }
}

async function readLine(path: string): Promise<string | undefined> {
  return (await readText(path))?.split('\n')[0]?.trim();
}

/** `undefined` for what is not there; what is there and can not be read is as good as not there. */
async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
