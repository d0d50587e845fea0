import { copyFile, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { GitError, readOnlyEnvironment, runGit } from '../git/run-git.ts';
import { ownershipRefusal } from '../snapshots/work-tree.ts';
import { type ReviewTarget, ReviewTargetError, type ReviewTargetFacts } from './review-target.ts';
import { similarNames } from './similar-names.ts';

interface Git {
  /** What git prints; rejects when it fails. */
  run(args: readonly string[]): Promise<string>;
  /** What git prints, trimmed; `undefined` when it ends with a failure. */
  ask(args: readonly string[]): Promise<string | undefined>;
  /** The same repository seen through a copy of its index. */
  withIndexCopy<Result>(use: (git: Pick<Git, 'run'>) => Promise<Result>): Promise<Result>;
}

/** What `readReviewTarget` does, loaded when a review begins. */
export async function inspectReviewTarget(
  target: ReviewTarget,
  options: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<ReviewTargetFacts> {
  const { cwd, signal } = options;
  try {
    const git = await openGit(cwd, signal);
    switch (target.kind) {
      case 'uncommitted':
        return await readUncommitted(git);
      case 'base':
        return await readBase(git, target.branch);
      case 'commit':
        return await readCommit(git, target.sha);
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof GitError)) throw cause;
    throw new ReviewTargetError('git-failed', `the changes in ${cwd} could not be read (${cause.message})`, { cause });
  }
}

async function openGit(cwd: string, signal: AbortSignal): Promise<Git> {
  const plain = { cwd, signal, environment: readOnlyEnvironment() };
  try {
    const isInside = await runGit(['rev-parse', '--is-inside-work-tree'], plain);
    if (isInside.trim() !== 'true') throw new GitError('rev-parse', { reason: 'not in the work tree' });
  } catch (cause) {
    signal.throwIfAborted();
    throw new ReviewTargetError('no-repository', `there is nothing to review: ${refusalOf(cause, cwd)}`, { cause });
  }
  const run = { ...plain, environment: readOnlyEnvironment(await filtersSwitchedOff(plain)) };
  return {
    run: (args) => runGit(args, run),
    ask: async (args) => {
      try {
        return Buffer.from(await runGit(args, run), 'latin1')
          .toString('utf8')
          .trim();
      } catch (error) {
        if (error instanceof GitError && error.exitCode !== undefined) return undefined;
        throw error;
      }
    },
    withIndexCopy: async (use) => {
      const folder = await mkdtemp(join(tmpdir(), 'quire-index-'));
      try {
        const index = join(folder, 'index');
        const named = await runGit(['rev-parse', '--git-path', 'index'], run);
        await copyIndex(resolve(cwd, Buffer.from(named, 'latin1').toString('utf8').replace(/\n$/, '')), index);
        const environment = { ...run.environment, GIT_INDEX_FILE: index };
        return await use({ run: (args) => runGit(args, { ...run, environment }) });
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/**
 * The copy looks no newer than the original: from an index that is newer than its files git concludes that they are as it
 * notes them. Source: Git's technical notes, racy-git.
 */
async function copyIndex(from: string, to: string): Promise<void> {
  try {
    const { atime, mtimeMs } = await stat(from);
    await copyFile(from, to);
    await utimes(to, atime, Math.floor(mtimeMs / 1000));
  } catch (cause) {
    if (isMissing(cause)) return; // nothing was ever staged
    throw new ReviewTargetError('git-failed', `the index ${from} could not be copied (${(cause as Error).message})`, {
      cause,
    });
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

function refusalOf(cause: unknown, cwd: string): string {
  const elsewhere = `${cwd} is not in a git work tree; go to one or give instructions instead`;
  if (!(cause instanceof GitError)) return elsewhere;
  const hasNoGit = cause.exitCode === undefined && cause.cause !== undefined;
  return hasNoGit ? cause.reason : (ownershipRefusal(cause) ?? elsewhere);
}

/** A comparison with the work tree would run the filters that attributes name. Source: gitattributes(5). */
async function filtersSwitchedOff(run: Parameters<typeof runGit>[1]): Promise<Map<string, string>> {
  const pattern = '^filter\\..*\\.(clean|smudge|process|required)$';
  try {
    const names = await runGit(['config', '-z', '--name-only', '--get-regexp', pattern], run);
    const settings = names.split('\0').filter((name) => name !== '');
    const decoded = settings.map((name) => Buffer.from(name, 'latin1').toString('utf8'));
    return new Map(decoded.map((name) => [name, name.endsWith('.required') ? 'false' : '']));
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return new Map(); // none
    throw error;
  }
}

/** Only the work tree's own files: looking into a submodule would use configuration of its own. */
const DIFF = ['diff', '--quiet', '--no-ext-diff', '--no-textconv', '--no-renames', '--ignore-submodules=dirty'];

async function differs(git: Pick<Git, 'run'>, args: readonly string[]): Promise<boolean> {
  try {
    await git.run([...DIFF, ...args, '--']);
    return false;
  } catch (error) {
    if (error instanceof GitError && error.exitCode === 1) return true;
    throw error;
  }
}

/** `git diff` notes in the index that a file whose time changed is the same still, whatever it is told of optional locks. */
function filesDiffer(git: Git, args: readonly string[]): Promise<boolean> {
  return git.withIndexCopy((copy) => differs(copy, args));
}

async function readUncommitted(git: Git): Promise<ReviewTargetFacts> {
  const [hasStaged, hasUnstaged, untracked] = await Promise.all([
    differs(git, ['--cached']),
    filesDiffer(git, []),
    git.run(['ls-files', '-z', '-o', '--exclude-standard', '--directory', '--no-empty-directory', ':/']),
  ]);
  if (hasStaged || hasUnstaged || untracked !== '') return { kind: 'uncommitted' };
  throw new ReviewTargetError('no-changes', 'there are no uncommitted changes; use --base or --commit');
}

async function readBase(git: Git, branch: string): Promise<ReviewTargetFacts> {
  const reference = await findBranch(git, branch);
  const head = await resolveCommit(git, 'HEAD');
  if (head === undefined)
    throw new ReviewTargetError('no-commits', 'nothing is committed here yet; review the uncommitted changes');
  const compared = await newestOf(git, reference);
  const mergeBase = await git.ask(['merge-base', head, compared]);
  const comparedWith = compared.replace(/^refs\/(?:heads|remotes)\//, '');
  if (mergeBase === undefined) {
    const message = `HEAD and ${comparedWith} have no commit in common; choose another base or review a commit`;
    throw new ReviewTargetError('no-merge-base', message);
  }
  const [inFiles, inCommits] = await Promise.all([filesDiffer(git, [mergeBase]), differs(git, [mergeBase, head])]);
  if (inFiles || inCommits) return { kind: 'base', branch, mergeBase };
  const message = `there are no differences from ${comparedWith}, committed or not; choose another base, or use --uncommitted or --commit`;
  throw new ReviewTargetError('no-changes', message);
}

async function findBranch(git: Git, branch: string): Promise<string> {
  for (const reference of [`refs/heads/${branch}`, `refs/remotes/${branch}`, `refs/remotes/origin/${branch}`]) {
    if ((await resolveCommit(git, reference)) !== undefined) return reference;
  }
  const listed = (await git.ask(['for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads', 'refs/remotes'])) ?? '';
  const names = listed.split('\n').filter((name) => name !== '');
  const similar = similarNames(branch, names);
  const hint = similar.length === 0 ? `there ${describeNames(names)}` : `did you mean ${similar.join(' or ')}?`;
  throw new ReviewTargetError('unknown-branch', `there is no branch ${JSON.stringify(branch)}; ${hint}`);
}

const MAX_NAMES = 5;

function describeNames(names: readonly string[]): string {
  if (names.length === 0) return 'are no branches yet';
  return `are ${names.slice(0, MAX_NAMES).join(', ')}${names.length > MAX_NAMES ? ', …' : ''}`;
}

/** The upstream of a branch that was not brought up to date knows better what is new. */
async function newestOf(git: Git, reference: string): Promise<string> {
  const upstream = await git.ask(['for-each-ref', '--format=%(upstream)', reference]);
  if (upstream === undefined || upstream === '' || (await resolveCommit(git, upstream)) === undefined) return reference;
  const ahead = await git.ask(['rev-list', '--count', `${reference}..${upstream}`]);
  return Number(ahead) > 0 ? upstream : reference;
}

async function readCommit(git: Git, name: string): Promise<ReviewTargetFacts> {
  const sha = await resolveCommit(git, name);
  if (sha === undefined) {
    const recent = await git.ask(['rev-list', '--max-count=3', '--format=%h %s', 'HEAD']);
    const lines = recent?.split('\n').filter((line) => !line.startsWith('commit ')) ?? [];
    const hint = lines.length === 0 ? 'nothing is committed here yet' : `the last ones are ${lines.join('; ')}`;
    throw new ReviewTargetError('unknown-commit', `there is no commit ${JSON.stringify(name)}; ${hint}`);
  }
  const [listing, tree, parentTree] = await Promise.all([
    git.ask(['rev-list', '--max-count=1', '--format=%s', sha]),
    git.ask(['rev-parse', '--verify', '--quiet', `${sha}^{tree}`]),
    git.ask(['rev-parse', '--verify', '--quiet', `${sha}^1^{tree}`]),
  ]);
  const title = listing?.split('\n')[1] ?? '';
  if (tree !== parentTree) return { kind: 'commit', sha, title };
  throw new ReviewTargetError('no-changes', `the commit ${sha} changes no files; choose another one`);
}

async function resolveCommit(git: Git, name: string): Promise<string | undefined> {
  if (name === '' || name.startsWith('-') || name.includes('\0')) return undefined; // no name, but an option
  return git.ask(['rev-parse', '--verify', '--quiet', `${name}^{commit}`]);
}
