import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ReviewTarget, ReviewTargetError, readReviewTarget } from '@quire/host';
import { expect, test } from 'vitest';
import { commitAll, git, gitStateOf, initRepository, put } from '../support/git-repository.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const signal = new AbortController().signal;

async function startRepository() {
  const folder = await temporaryDirectory();
  const root = join(folder.path, 'repo');
  initRepository(root);
  const read = (target: ReviewTarget, cwd = root) => readReviewTarget(target, { cwd, signal });
  const refuse = async (target: ReviewTarget, cwd = root) => {
    const error = await read(target, cwd).catch((failure: unknown) => failure);
    if (!(error instanceof ReviewTargetError)) throw error;
    return { code: error.code, message: error.message };
  };
  return { root, read, refuse, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

test('staged, unstaged and untracked changes are told apart [HOST-122]', async () => {
  await using repository = await startRepository();
  const { root, read } = repository;
  const nothing = {
    kind: 'uncommitted',
    hasStaged: false,
    hasUnstaged: false,
    hasUntracked: false,
    hasChanges: false,
  } as const;
  expect(await read({ kind: 'uncommitted' })).toEqual(nothing);
  put(root, 'a', '1\n');
  put(root, '.gitignore', 'ignored\n');
  git(root, 'add', '-A');
  expect(await read({ kind: 'uncommitted' })).toEqual({ ...nothing, hasStaged: true, hasChanges: true });
  commitAll(root, 'first');
  put(root, 'ignored', 'x\n');
  put(root, 'a', '1\n'); // another time, the same content
  expect(await read({ kind: 'uncommitted' })).toEqual(nothing);
  put(root, 'a', '2\n');
  expect(await read({ kind: 'uncommitted' })).toEqual({ ...nothing, hasUnstaged: true, hasChanges: true });
  git(root, 'add', '-A');
  put(root, 'src/b', 'new\n');
  const before = gitStateOf(root);
  expect(await read({ kind: 'uncommitted' }, join(root, 'src'))).toEqual({
    ...nothing,
    hasStaged: true,
    hasUntracked: true,
    hasChanges: true,
  });
  expect(gitStateOf(root)).toEqual(before);
});

test('a base branch is compared at the merge base, or its upstream when that is ahead [HOST-123]', async () => {
  await using repository = await startRepository();
  const { root, read } = repository;
  put(root, 'a', '1\n');
  const first = commitAll(root, 'first');
  git(root, 'clone', '-q', root, join(root, '..', 'clone'));
  put(root, 'a', '2\n');
  const second = commitAll(root, 'second');
  const clone = join(root, '..', 'clone');
  git(clone, 'checkout', '-q', '-b', 'work');
  const facts = { kind: 'base', branch: 'main', comparedWith: 'main', mergeBase: first } as const;
  expect(await read({ kind: 'base', branch: 'main' }, clone)).toEqual({ ...facts, hasChanges: false });
  git(clone, 'fetch', '-q');
  git(clone, 'merge', '-q', '--ff-only', 'origin/main');
  expect(await read({ kind: 'base', branch: 'main' }, clone)).toEqual({
    ...facts,
    comparedWith: 'origin/main',
    mergeBase: second,
    hasChanges: false,
  });
  put(clone, 'a', 'uncommitted\n');
  expect(await read({ kind: 'base', branch: 'origin/main' }, clone)).toEqual({
    ...facts,
    branch: 'origin/main',
    comparedWith: 'origin/main',
    mergeBase: second,
    hasChanges: true,
  });
});

test('a commit is given in full, with its title [HOST-124]', async () => {
  await using repository = await startRepository();
  const { root, read } = repository;
  put(root, 'a', '1\n');
  const sha = commitAll(root, 'Über: a title\n\nand a body');
  const facts = { kind: 'commit', sha, title: 'Über: a title', hasChanges: true } as const;
  expect(await read({ kind: 'commit', sha: sha.slice(0, 8) })).toEqual(facts);
  const empty = commitAll(root, 'nothing');
  expect(await read({ kind: 'commit', sha: 'HEAD' })).toEqual({
    kind: 'commit',
    sha: empty,
    title: 'nothing',
    hasChanges: false,
  });
});

test('a target that is not there is refused in one line with what is there [HOST-125]', async () => {
  await using repository = await startRepository();
  const { root, refuse } = repository;
  expect(await refuse({ kind: 'commit', sha: 'abc' })).toEqual({
    code: 'unknown-commit',
    message: 'there is no commit "abc"; nothing is committed here yet',
  });
  expect(await refuse({ kind: 'base', branch: 'main' })).toEqual({
    code: 'unknown-branch',
    message: 'there is no branch "main"; there are no branches yet',
  });
  put(root, 'a', '1\n');
  const sha = commitAll(root, 'first');
  git(root, 'branch', 'release/1.2');
  expect(await refuse({ kind: 'base', branch: 'mian' })).toEqual({
    code: 'unknown-branch',
    message: 'there is no branch "mian"; did you mean main?',
  });
  expect((await refuse({ kind: 'base', branch: '--all' })).message).toBe(
    'there is no branch "--all"; there are main, release/1.2',
  );
  expect(await refuse({ kind: 'commit', sha: '--all' })).toEqual({
    code: 'unknown-commit',
    message: `there is no commit "--all"; the last ones are ${sha.slice(0, 7)} first`,
  });
  git(root, 'checkout', '-q', '--orphan', 'apart');
  expect((await refuse({ kind: 'base', branch: 'main' })).code).toBe('no-commits');
  commitAll(root, 'other');
  expect((await refuse({ kind: 'base', branch: 'main' })).code).toBe('no-merge-base');
  expect((await refuse({ kind: 'uncommitted' }, join(root, '..'))).code).toBe('no-repository');
  expect((await refuse({ kind: 'uncommitted' }, join(root, 'missing'))).code).toBe('no-repository');
});

test('reading a target runs no program of the project [HOST-126]', async () => {
  await using repository = await startRepository();
  const { root, read } = repository;
  const trap = join(root, '..', 'trap');
  const program = join(root, '..', 'program.sh');
  writeFileSync(program, `#!/bin/sh\necho "$0" "$@" >> ${trap}\ncat\n`, { mode: 0o755 });
  put(root, 'a', '1\n');
  const sha = commitAll(root, 'first');
  put(root, '.gitattributes', '* filter=e.v=il diff=evil\n');
  for (const name of ['clean', 'smudge', 'process']) git(root, 'config', `filter.e.v=il.${name}`, program);
  git(root, 'config', 'filter.e.v=il.required', 'true');
  for (const name of ['textconv', 'command']) git(root, 'config', `diff.evil.${name}`, program);
  for (const name of ['core.fsmonitor', 'core.pager', 'diff.external', 'gpg.program'])
    git(root, 'config', name, program);
  git(root, 'config', 'log.showSignature', 'true');
  put(root, 'a', '2\n');
  await read({ kind: 'uncommitted' });
  await read({ kind: 'base', branch: 'main' });
  await read({ kind: 'commit', sha });
  expect(existsSync(trap)).toBe(false);
  rmSync(program);
});
