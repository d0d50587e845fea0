import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../lib/run-command.js';
import { REPOSITORY_ROOT } from '../lib/tool.js';
import { completeLockfile, lockfileFindings, platformOfName, unpinnedDependencies } from '../lockfile/lockfile.js';
import { checkLockfile } from '../lockfile.js';
import { temporaryTree } from './temporary-tree.js';

const ASKING = {
  version: '1.0.0',
  integrity: 'sha512-a',
  dev: true,
  optionalDependencies: { '@x/win32-x64': '1.0.0', plain: '^2.0.0' },
};

test('an optional platform package without an entry is found, and written with its platform [REPO-13]', () => {
  const lockfile = { lockfileVersion: 3, packages: { '': {}, 'node_modules/x': ASKING } };
  expect(lockfileFindings(lockfile)).toEqual([
    'package-lock.json: node_modules/x asks for @x/win32-x64@1.0.0, which has no entry, so npm ci refuses the file; run: node tools/lockfile.js --write',
  ]);
  const complete = completeLockfile(lockfile);
  expect(complete.packages).toEqual({
    '': {},
    'node_modules/@x/win32-x64': { version: '1.0.0', cpu: ['x64'], dev: true, optional: true, os: ['win32'] },
    'node_modules/x': ASKING,
  });
  expect(lockfileFindings(complete)).toEqual([]);
  expect(completeLockfile(complete)).toEqual(complete);
});

test('a download address and a missing integrity are found; links to packages are neither [REPO-13]', () => {
  const packages = {
    'node_modules/@quire/core': { resolved: 'packages/core', link: true },
    'node_modules/x': { version: '1.0.0', resolved: 'https://packages.example.com/x.tgz', integrity: 'sha512-a' },
    'node_modules/y': { version: '1.0.0' },
    'packages/core': { version: '0.1.0' },
  };
  expect(lockfileFindings({ lockfileVersion: 3, packages })).toEqual([
    'package-lock.json: node_modules/x holds a download address; run: node tools/lockfile.js --write',
    'package-lock.json: node_modules/y has no integrity',
  ]);
  expect(completeLockfile({ lockfileVersion: 3, packages }).packages['node_modules/x']).toEqual({
    version: '1.0.0',
    integrity: 'sha512-a',
  });
});

test.each([
  ['@x/linux-x64', { os: ['linux'], cpu: ['x64'], libc: ['glibc'] }],
  ['@x/cli-linux-arm64-musl', { os: ['linux'], cpu: ['arm64'], libc: ['musl'] }],
  ['@x/binding-linux-arm-musleabihf', { os: ['linux'], cpu: ['arm'], libc: ['musl'] }],
  ['@x/binding-win32-arm64-msvc', { os: ['win32'], cpu: ['arm64'] }],
  ['@x/darwin-arm64', { os: ['darwin'], cpu: ['arm64'] }],
  ['@x/core', undefined],
])('the platform of %s is read from its name [REPO-13]', (name, platform) => {
  expect(platformOfName(name)).toEqual(platform);
});

test('a dependency that is not pinned is found', () => {
  const manifest = {
    dependencies: { a: '1.2.3', b: '^1.2.3' },
    devDependencies: { c: 'npm:other@1.2.3', d: 'npm:@scope/other@~1.2.3', e: '*' },
    optionalDependencies: { f: '1.0.0-rc.1' },
  };
  expect(unpinnedDependencies('package.json', manifest)).toEqual([
    'package.json: b is "^1.2.3"; pin one exact version',
    'package.json: d is "npm:@scope/other@~1.2.3"; pin one exact version',
    'package.json: e is "*"; pin one exact version',
  ]);
});

test('the command mends the file on disk, once [REPO-13]', async () => {
  const packages = {
    '': {},
    'node_modules/x': { version: '1.0.0', resolved: 'https://e.example.com/x.tgz', integrity: 'a' },
  };
  const root = await temporaryTree({ 'package.json': {}, 'package-lock.json': { lockfileVersion: 3, packages } });
  const command = [process.execPath, path.join(REPOSITORY_ROOT, 'tools/lockfile.js'), '--write', '--root', root];
  const written = 'package-lock.json: written\nlockfile: ok (2 entries)\n';
  expect(await runCommand(command, { cwd: root })).toEqual({ exitCode: 0, output: written });
  expect(await readFile(path.join(root, 'package-lock.json'), 'utf8')).not.toContain('example.com');
  const kept = written.replace('written', 'nothing to mend');
  expect(await runCommand(command, { cwd: root })).toEqual({ exitCode: 0, output: kept });
});

test('the lock file of this repository has no findings [REPO-13]', async () => {
  expect((await checkLockfile(REPOSITORY_ROOT)).findings).toEqual([]);
});
