import { readdirSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isBundleCurrent } from '../build.js';
import { runCommand } from '../lib/run-command.js';
import { REPOSITORY_ROOT } from '../lib/tool.js';
import { temporaryTree, writeFiles } from './temporary-tree.js';

const FILES = {
  'packages/cli/package.json': { name: '@quire/cli', type: 'module' },
  'packages/cli/src/main.ts': "const { later } = await import('./later.ts');\nconsole.log(later satisfies string);\n",
  'packages/cli/src/later.ts':
    "import { eol } from './old.cjs';\nexport const later: string = `later ${typeof eol}`;\n",
  'packages/cli/src/old.cjs': "exports.eol = require('os').EOL;\n",
  'packages/cli/dist/chunks/stale.js': 'old',
  'packages/cli/dist/main.js': 'export {};',
  'packages/cli/dist/types/main.d.ts': 'export {};',
};
const DIST = 'packages/cli/dist';

/** @param {string} root @param {...string} args */
const build = (root, ...args) =>
  runCommand([process.execPath, path.join(REPOSITORY_ROOT, 'tools/build.js'), '--root', root, ...args], { cwd: root });

/** Sources get a time in the past, so that the bundle is newer whatever the clock's resolution. @param {string} root */
async function age(root) {
  const past = new Date(Date.now() - 60_000);
  for (const name of ['main.ts', 'later.ts', 'old.cjs', '']) {
    await utimes(path.join(root, 'packages/cli/src', name), past, past);
  }
  await utimes(path.join(root, 'packages/cli/package.json'), past, past);
}

test('the bundle is split, runs on its own, and replaces an older one but not the types [REPO-17]', async () => {
  const root = await temporaryTree(FILES);
  const { exitCode, output } = await build(root);
  expect({ exitCode, output }).toEqual({
    exitCode: 0,
    output: expect.stringMatching(/^build: packages\/cli\/dist\/main\.js \(2 files, \d+ KiB\) in \d+\.\d\d s\n$/),
  });
  expect(readdirSync(path.join(root, DIST)).sort()).toEqual(['chunks', 'main.js', 'main.js.map', 'types']);
  expect(readdirSync(path.join(root, DIST, 'chunks')).sort()).toEqual([
    expect.stringMatching(/^later-\w+\.js$/),
    expect.stringMatching(/^later-\w+\.js\.map$/),
  ]);
  const run = await runCommand([process.execPath, path.join(root, DIST, 'main.js')], { cwd: root });
  expect(run).toEqual({ exitCode: 0, output: 'later string\n' });
});

test('what a run loads at its start is joined; what else shares it finds it, and lines are those of the sources [REPO-20]', async () => {
  const root = await temporaryTree({
    ...FILES,
    'packages/cli/src/main.ts':
      "const run = await import('./exec/command.ts');\nrun.say('main');\nconst { other } = await import('./later.ts');\nother();\n",
    'packages/cli/src/exec/command.ts':
      "import { state } from './state.ts';\nexport const say = (text: string): unknown => console.log(text, (state.count += 1));\n",
    'packages/cli/src/exec/state.ts': 'export const state = { count: 0 };\n',
    'packages/cli/src/later.ts':
      "import { say } from './exec/command.ts';\nimport { state } from './exec/state.ts';\nexport function other(): void {\n  say(`later ${state.count}`);\n  throw new Error('here');\n}\n",
  });
  expect(await build(root)).toMatchObject({ exitCode: 0 });
  const scripts = readdirSync(path.join(root, DIST, 'chunks')).filter((name) => name.endsWith('.js'));
  expect(scripts.sort()).toEqual([
    expect.stringMatching(/^command-\w+\.js$/),
    expect.stringMatching(/^later-\w+\.js$/),
    'start-command.js',
  ]);
  const run = await runCommand([process.execPath, '--enable-source-maps', path.join(root, DIST, 'main.js')], {
    cwd: root,
  });
  expect(run.output).toMatch(/^main 1\nlater 1 2\n/);
  expect(run.output).toContain('packages/cli/src/later.ts:5:9');
});

test('the bundle is current until a source is changed, added or removed, or another tool writes over it [REPO-17]', async () => {
  const root = await temporaryTree(FILES);
  expect(await isBundleCurrent(root)).toBe(false);
  await build(root);
  await age(root);
  expect(await isBundleCurrent(root)).toBe(true);
  expect(await build(root, '--if-needed')).toEqual({ exitCode: 0, output: '' });

  const soon = new Date(Date.now() + 60_000);
  await utimes(path.join(root, 'packages/cli/src/later.ts'), soon, soon);
  expect(await isBundleCurrent(root)).toBe(false);
  await age(root);
  await rm(path.join(root, 'packages/cli/src/old.cjs'));
  await utimes(path.join(root, 'packages/cli/src'), soon, soon);
  expect(await isBundleCurrent(root)).toBe(false);

  await writeFiles(root, FILES);
  await build(root);
  await writeFiles(root, { 'packages/cli/dist/main.js': 'export {};' });
  await age(root);
  expect(await isBundleCurrent(root)).toBe(false);
});

test('a source that does not parse fails the build and keeps the older bundle', async () => {
  const root = await temporaryTree({ ...FILES, 'packages/cli/src/later.ts': 'export const later = ;\n' });
  const { exitCode, output } = await build(root);
  expect(exitCode).toBe(1);
  expect(output).toMatch(/packages\/cli\/src\/later\.ts:1:21[\s\S]*build: failed\n$/);
  expect(readdirSync(path.join(root, DIST)).sort()).toEqual(['chunks', 'main.js', 'types']);
});

test('a repository without the command fails the build', async () => {
  const root = await temporaryTree({ 'packages/core/package.json': {} });
  expect(await build(root)).toEqual({ exitCode: 1, output: 'build: packages/cli/src/main.ts is missing\n' });
});
