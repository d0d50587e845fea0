import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isInsideGitRepository, readGitFacts } from '@quire/host';
import { expect, test } from 'vitest';
import { parseGitConfig } from '../../src/git/git-config.ts';
import { withoutCredentials } from '../../src/git/remote-url.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const signal = new AbortController().signal;

test('facts of a repository are read from a directory below its root [HOST-40]', async () => {
  await using folder = await temporaryDirectory();
  git(folder.path, 'init', '-q', '-b', 'feature/one');
  git(folder.path, 'remote', 'add', 'origin', 'https://user:secret@example.com/a/b.git');
  const commitHash = commit(folder.path);
  const cwd = join(folder.path, 'src/deep');
  await mkdir(cwd, { recursive: true });
  const expected = { root: folder.path, commitHash, branch: 'feature/one', originUrl: 'https://example.com/a/b.git' };
  expect(await readGitFacts({ cwd, signal })).toEqual(expected);
  git(folder.path, 'pack-refs', '--all');
  expect(await readGitFacts({ cwd, signal })).toEqual(expected);
  expect(await isInsideGitRepository(cwd)).toBe(true);
});

test('what a repository does not have is absent [HOST-41]', async () => {
  await using folder = await temporaryDirectory();
  expect(await readGitFacts({ cwd: folder.path, signal })).toBeUndefined();
  expect(await isInsideGitRepository(folder.path)).toBe(false);
  git(folder.path, 'init', '-q');
  expect(await readGitFacts({ cwd: folder.path, signal })).toEqual({ root: folder.path });
  const commitHash = commit(folder.path);
  git(folder.path, 'checkout', '-q', '--detach');
  expect(await readGitFacts({ cwd: folder.path, signal })).toEqual({ root: folder.path, commitHash });
});

test('a worktree has its own branch and the remote of its repository [HOST-42]', async () => {
  await using folder = await temporaryDirectory();
  const main = join(folder.path, 'main');
  const tree = join(folder.path, 'tree');
  await mkdir(main);
  git(main, 'init', '-q', '-b', 'main');
  git(main, 'remote', 'add', 'origin', 'git@example.com:a/b.git');
  const commitHash = commit(main);
  git(main, 'worktree', 'add', '-q', '-b', 'side', tree);
  const expected = { root: tree, commitHash, branch: 'side', originUrl: 'git@example.com:a/b.git' };
  expect(await readGitFacts({ cwd: tree, signal })).toEqual(expected);
});

test('a remote from an included file is asked of git itself [HOST-43]', async () => {
  await using folder = await temporaryDirectory();
  git(folder.path, 'init', '-q');
  await writeFile(join(folder.path, '.git/more'), '[remote "origin"]\n\turl = https://token@example.com/x\n');
  await appendFile(join(folder.path, '.git/config'), '[include]\n\tpath = more\n');
  expect(await readGitFacts({ cwd: folder.path, signal })).toEqual({
    root: folder.path,
    originUrl: 'https://example.com/x',
  });
});

test('another reference store is asked of git, and what it can not tell is absent [HOST-43]', async () => {
  await using folder = await temporaryDirectory();
  git(folder.path, 'init', '-q', '-b', 'main');
  commit(folder.path);
  await appendFile(join(folder.path, '.git/config'), '[extensions]\n\trefStorage = unheard-of\n');
  await appendFile(join(folder.path, '.git/config'), '[core]\n\trepositoryformatversion = 1\n');
  expect(await readGitFacts({ cwd: folder.path, signal })).toEqual({ root: folder.path });
});

const DAMAGES: readonly [string, string, string][] = [
  ['an empty HEAD', '.git/HEAD', ''],
  ['a HEAD of noise', '.git/HEAD', '\0\xff noise'],
  ['a HEAD that leaves the directory', '.git/HEAD', 'ref: refs/../../secret\n'],
  ['a reference that names itself', '.git/refs/heads/main', 'ref: refs/heads/main\n'],
  ['a reference of noise', '.git/refs/heads/main', 'noise\n'],
];

test.each(DAMAGES)('%s gives no commit and no error [HOST-44]', async (_, path, text) => {
  await using folder = await temporaryDirectory();
  git(folder.path, 'init', '-q', '-b', 'main');
  const commitHash = commit(folder.path);
  await writeFile(join(folder.path, 'secret'), `${commitHash}\n`);
  await writeFile(join(folder.path, path), text);
  expect(await readGitFacts({ cwd: folder.path, signal })).toEqual({ root: folder.path });
});

test('a .git file that points nowhere leaves the root only [HOST-44]', async () => {
  await using folder = await temporaryDirectory();
  for (const text of ['gitdir: /missing/place\n', 'noise']) {
    await writeFile(join(folder.path, '.git'), text);
    expect(await readGitFacts({ cwd: folder.path, signal })).toEqual({ root: folder.path });
  }
  await rm(join(folder.path, '.git'));
});

test('facts of a repository reject with the reason of a signal that fired [HOST-44]', async () => {
  const reason = new Error('stop');
  await expect(readGitFacts({ cwd: '/', signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

test('credentials leave a remote URL, addresses stay [HOST-45]', () => {
  const urls = {
    'https://user:pass@example.com/a.git': 'https://example.com/a.git',
    'https://ghp_token@example.com:8443/a.git': 'https://example.com:8443/a.git',
    'https://user:p@ss@example.com/a': 'https://example.com/a',
    'https://example.com/a?access_token=x#y': 'https://example.com/a',
    'ssh://git:pass@example.com:22/a': 'ssh://git@example.com:22/a',
    'ssh://example.com/a': 'ssh://example.com/a',
    'git@example.com:a/b.git': 'git@example.com:a/b.git',
    '/srv/git/a@b.git': '/srv/git/a@b.git',
    'file:///srv/a@b.git': 'file:///srv/a@b.git',
  };
  expect(Object.fromEntries(Object.keys(urls).map((url) => [url, withoutCredentials(url)]))).toEqual(urls);
});

test('configuration values are read as git reads them [HOST-46]', async () => {
  await using folder = await temporaryDirectory();
  const text = [
    '[A] plain = some value  # comment',
    '\tquoted = "  # kept ; " tail ; comment',
    '\tescaped = a\\tb\\"c\\\\',
    '\tcontinued = one \\\n two',
    '\tflag',
    '# a comment that ends in a backslash \\',
    '\tafter = comment',
    '[remote "Ori\\"gin"]\n\turl = "x;y"z',
    '[old.Style]\nkey=',
  ].join('\n');
  const path = join(folder.path, 'config');
  await writeFile(path, text);
  const listed = git(folder.path, 'config', '--file', path, '--list', '--null');
  const told = listed.split('\0').slice(0, -1);
  const read = parseGitConfig(text).map(({ section, subsection, name, value }) => {
    const key = [section, subsection, name].filter((part) => part !== undefined).join('.');
    return told.includes(key) && value === 'true' ? key : `${key}\n${value}`;
  });
  expect(read).toEqual(told);
});

function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
  const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  return execFileSync('git', [...identity, ...args], { cwd, env, encoding: 'utf8', stdio: 'pipe' });
}

function commit(cwd: string): string {
  git(cwd, 'commit', '-q', '--allow-empty', '-m', 'work');
  return git(cwd, 'rev-parse', 'HEAD').trim();
}
