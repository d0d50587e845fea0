import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../lib/run-command.js';
import { REPOSITORY_ROOT } from '../lib/tool.js';
import { isInstalled } from '../with-install.js';
import { temporaryTree, writeFiles } from './temporary-tree.js';

const LOCK = {
  packages: {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/a-win32-x64': { version: '1.0.0', optional: true },
    'node_modules/@quire/core': { link: true },
    'packages/core': { version: '0.1.0' },
  },
};
const INSTALLED = { packages: { 'node_modules/a': { version: '1.0.0' }, 'node_modules/@quire/core': { link: true } } };

test('what is installed is compared with the lock file, entry by entry [REPO-16]', async () => {
  const root = await temporaryTree({ 'package-lock.json': LOCK });
  expect(isInstalled(root)).toBe(false);
  const record = 'node_modules/.package-lock.json';
  await writeFiles(root, { [record]: INSTALLED });
  expect(isInstalled(root)).toBe(true);
  await writeFiles(root, { [record]: { packages: { 'node_modules/@quire/core': { link: true } } } });
  expect(isInstalled(root)).toBe(false);
  await writeFiles(root, { [record]: { packages: { ...INSTALLED.packages, 'node_modules/a': { version: '0.9.0' } } } });
  expect(isInstalled(root)).toBe(false);
});

/** A clone whose npm is a script that says how it was called. @param {Record<string, unknown>} files */
async function cloneWithNpm(files) {
  const script = 'process.stdout.write(`script ${process.argv.slice(2).join(" ")}\\n`); process.exitCode = 3;';
  const npm =
    'process.stdout.write(`npm ${process.argv.slice(2).join(" ")}\\n`); process.exitCode = Number(process.env.NPM_EXIT ?? 0);';
  const root = await temporaryTree({
    'package.json': { type: 'module' },
    'npm.js': npm,
    'tools/script.js': script,
    ...files,
  });
  await mkdir(path.join(root, 'tools'), { recursive: true });
  await copyFile(path.join(REPOSITORY_ROOT, 'tools/with-install.js'), path.join(root, 'tools/with-install.js'));
  /** @param {Record<string, string>} env @param {string[]} args */
  const run = (env, ...args) =>
    runCommand([process.execPath, 'tools/with-install.js', ...args], {
      cwd: root,
      env: { ...process.env, npm_execpath: path.join(root, 'npm.js'), ...env },
    });
  return { run };
}

const FLAGS = '--ignore-scripts --no-audit --no-fund';

test('a fresh clone is installed from its lock file, then the script runs with its arguments and exit code [REPO-16]', async () => {
  const { run } = await cloneWithNpm({ 'package-lock.json': LOCK });
  expect(await run({}, 'tools/script.js', '--keep', 'x')).toEqual({
    exitCode: 3,
    output: `installing dependencies: npm ci ${FLAGS}\nnpm ci ${FLAGS}\nscript --keep x\n`,
  });
});

test('without a lock file npm install is used [REPO-16]', async () => {
  const { run } = await cloneWithNpm({});
  expect(await run({}, 'tools/script.js')).toEqual({
    exitCode: 3,
    output: `installing dependencies: npm install ${FLAGS}\nnpm install ${FLAGS}\nscript \n`,
  });
});

test('nothing is installed when nothing is missing [REPO-16]', async () => {
  const { run } = await cloneWithNpm({ 'package-lock.json': LOCK, 'node_modules/.package-lock.json': INSTALLED });
  expect(await run({}, 'tools/script.js', 'x')).toEqual({ exitCode: 3, output: 'script x\n' });
});

test('a failed installation ends with its exit code, and the script does not run', async () => {
  const { run } = await cloneWithNpm({ 'package-lock.json': LOCK });
  expect(await run({ NPM_EXIT: '7' }, 'tools/script.js')).toEqual({
    exitCode: 7,
    output: expect.stringMatching(/npm ci failed with exit code 7\n$/),
  });
});

test('a missing script is a usage error, before anything is installed', async () => {
  const { run } = await cloneWithNpm({ 'package-lock.json': LOCK });
  expect(await run({}, 'tools/gone.js')).toEqual({ exitCode: 2, output: 'tools/gone.js: no such script\n' });
  expect(await run({})).toEqual({ exitCode: 2, output: 'usage: node tools/with-install.js SCRIPT ARGS…\n' });
});
