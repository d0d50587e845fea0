import { existsSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorkTreeSnapshots, type ReviewTarget, ReviewTargetError, readReviewTarget } from '@quire/host';
import { expect, test, vi } from 'vitest';
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

const codeOf = (failure: unknown) => (failure instanceof ReviewTargetError ? failure.code : failure);

const NOTHING = {
  code: 'no-changes',
  message: 'there are no uncommitted changes; use --base or --commit',
};

test('staged, unstaged and untracked changes can be reviewed, and a clean work tree is refused [HOST-122]', async () => {
  await using repository = await startRepository();
  const { root, read, refuse } = repository;
  const uncommitted = { kind: 'uncommitted' } as const;
  expect(await refuse(uncommitted)).toEqual(NOTHING);
  put(root, 'a', '1\n');
  put(root, '.gitignore', 'ignored\n');
  git(root, 'add', '-A');
  expect(await read(uncommitted)).toEqual(uncommitted); // staged
  commitAll(root, 'first');
  put(root, 'ignored', 'x\n');
  put(root, 'a', '1\n'); // another time, the same content
  expect(await refuse(uncommitted)).toEqual(NOTHING);
  put(root, 'a', '2\n');
  expect(await read(uncommitted)).toEqual(uncommitted); // unstaged
  put(root, 'a', '1\n');
  put(root, 'src/b', 'new\n');
  utimesSync(join(root, 'a'), 1, 1); // git would note the new time in the index
  const before = gitStateOf(root);
  expect(await read(uncommitted, join(root, 'src'))).toEqual(uncommitted); // untracked
  expect(await read({ kind: 'base', branch: 'main' }).catch(codeOf)).toBe('no-changes');
  expect(gitStateOf(root)).toEqual(before);
});

test('a base branch is compared at the merge base, or its upstream when that is ahead [HOST-123]', async () => {
  await using repository = await startRepository();
  const { root, read, refuse } = repository;
  put(root, 'a', '1\n');
  const first = commitAll(root, 'first');
  git(root, 'clone', '-q', root, join(root, '..', 'clone'));
  put(root, 'a', '2\n');
  const second = commitAll(root, 'second');
  const clone = join(root, '..', 'clone');
  git(clone, 'checkout', '-q', '-b', 'work');
  const nothing = (base: string): unknown => ({
    code: 'no-changes',
    message: `there are no differences from ${base}, committed or not; choose another base, or use --uncommitted or --commit`,
  });
  expect(await refuse({ kind: 'base', branch: 'main' }, clone)).toEqual(nothing('main'));
  put(clone, 'a', 'uncommitted\n');
  const facts = { kind: 'base', branch: 'main' } as const;
  expect(await read({ kind: 'base', branch: 'main' }, clone)).toEqual({ ...facts, mergeBase: first });
  git(clone, 'checkout', '-q', 'a');
  git(clone, 'fetch', '-q');
  git(clone, 'merge', '-q', '--ff-only', 'origin/main');
  expect(await refuse({ kind: 'base', branch: 'main' }, clone)).toEqual(nothing('origin/main'));
  put(clone, 'a', 'uncommitted\n');
  expect(await read({ kind: 'base', branch: 'origin/main' }, clone)).toEqual({
    ...facts,
    branch: 'origin/main',
    mergeBase: second,
  });
  commitAll(clone, 'work');
  put(clone, 'a', '2\n'); // committed, and taken back in the files
  expect(await read({ kind: 'base', branch: 'main' }, clone)).toEqual({ ...facts, mergeBase: second });
});

test('a commit is given in full with its title, and an empty one refused [HOST-124]', async () => {
  await using repository = await startRepository();
  const { root, read, refuse } = repository;
  put(root, 'a', '1\n');
  const sha = commitAll(root, 'Über: a title\n\nand a body');
  const facts = { kind: 'commit', sha, title: 'Über: a title' } as const;
  expect(await read({ kind: 'commit', sha: sha.slice(0, 8) })).toEqual(facts);
  const empty = commitAll(root, 'nothing');
  expect(await refuse({ kind: 'commit', sha: 'HEAD' })).toEqual({
    code: 'no-changes',
    message: `the commit ${empty} changes no files; choose another one`,
  });
});

test('a repository of another user is refused with what allows it, and read when it is allowed [HOST-128]', async () => {
  await using repository = await startRepository();
  const { root, read, refuse } = repository;
  put(root, 'a', '1\n');
  vi.stubEnv('GIT_TEST_ASSUME_DIFFERENT_OWNER', '1');
  try {
    expect(await refuse({ kind: 'uncommitted' })).toEqual({
      code: 'no-repository',
      message: `there is nothing to review: ${root} belongs to another user; if you trust it: git config --global --add safe.directory ${root}`,
    });
    const snapshots = createWorkTreeSnapshots({ home: join(root, '..', 'home') });
    expect(await snapshots.take({ cwd: root, signal })).toEqual({
      ref: undefined,
      note: `${root} belongs to another user; if you trust it: git config --global --add safe.directory ${root}`,
    });
    vi.stubEnv('GIT_CONFIG_COUNT', '2');
    vi.stubEnv('GIT_CONFIG_KEY_0', 'safe.directory');
    vi.stubEnv('GIT_CONFIG_VALUE_0', root);
    expect((await refuse({ kind: 'uncommitted' })).code).toBe('no-repository'); // the second one is missing
    vi.stubEnv('GIT_CONFIG_KEY_1', 'core.fsmonitor');
    vi.stubEnv('GIT_CONFIG_VALUE_1', join(root, '..', 'program-that-is-not-run'));
    expect(await read({ kind: 'uncommitted' })).toEqual({ kind: 'uncommitted' });
  } finally {
    vi.unstubAllEnvs();
  }
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
