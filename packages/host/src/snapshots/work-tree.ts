import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GitError, readOnlyEnvironment, runGit } from '../git/run-git.ts';

/** Where the user's work tree is and what it leaves out. */
export interface WorkTree {
  /** Absolute, without symbolic links. */
  readonly root: string;
  /** The ignore list of the repository that is not part of the work tree. It need not exist. */
  readonly excludesPath: string;
  /** The ignore list of the user, if it is not where git looks by itself. */
  readonly userExcludesPath: string | undefined;
}

/** `reason`: why there is no work tree to speak of. */
export type WorkTreeLookup = WorkTree | { readonly root: undefined; readonly reason: string };

export async function findWorkTree(cwd: string, signal: AbortSignal): Promise<WorkTreeLookup> {
  const run = { cwd, signal, environment: readOnlyEnvironment() };
  const [position, userExcludes] = await Promise.allSettled([
    runGit(['rev-parse', '--is-inside-work-tree', '--show-cdup', '--git-path', 'info/exclude'], run),
    runGit(['config', '-z', '--type=path', '--get', 'core.excludesFile'], run),
  ]);
  signal.throwIfAborted();
  if (position.status === 'rejected') return { root: undefined, reason: reasonOf(position.reason) };
  const [isInside, up = '', ...rest] = fromBytes(position.value).split('\n');
  if (isInside !== 'true') return { root: undefined, reason: `${cwd} is not in the work tree of a git repository` };
  const directory = await realpath(cwd);
  const root = resolve(directory, up);
  const given = userExcludes.status === 'fulfilled' ? fromBytes(userExcludes.value).slice(0, -1) : '';
  return {
    root,
    excludesPath: resolve(directory, rest.join('\n').slice(0, -1)),
    userExcludesPath: given === '' ? undefined : resolve(root, given),
  };
}

/** Files that the user's repository tracks: all, or only those that it ignores as well. */
export async function listTracked(
  root: string,
  options: { readonly onlyIgnored: boolean; readonly signal: AbortSignal },
): Promise<string> {
  const selection = options.onlyIgnored ? ['-i', '--exclude-standard'] : [];
  return runGit(['ls-files', '-z', '-c', ...selection], {
    cwd: root,
    signal: options.signal,
    environment: readOnlyEnvironment(),
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof GitError)) return String(error);
  return error.exitCode === undefined ? error.reason : (ownershipRefusal(error) ?? 'there is no git work tree');
}

/** What to do when git refuses a repository because of its owner; `undefined` when that was not the reason. */
export function ownershipRefusal(error: GitError): string | undefined {
  const path = /(?:dubious ownership in repository at |unsafe repository \()'(.*)'/.exec(error.reason)?.[1];
  if (path === undefined) return undefined;
  const word = /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  return `${path} belongs to another user; if you trust it: git config --global --add safe.directory ${word}`;
}

function fromBytes(output: string): string {
  return Buffer.from(output, 'latin1').toString('utf8');
}
