import { expect, test } from 'vitest';
import { checkVersion } from '../version.js';
import { temporaryTree, writeFiles } from './temporary-tree.js';

const FILES = {
  'package.json': { version: '1.2.0' },
  'packages/core/package.json': { name: '@quire/core', version: '1.2.0' },
  'packages/cli/package.json': {
    name: '@quire/cli',
    version: '1.2.0',
    dependencies: { '@quire/core': '1.2.0', other: '9.9.9' },
  },
  'packages/cli/src/version.ts': "export const VERSION = '1.2.0';\n",
};

test('one version everywhere has no findings [REPO-14]', async () => {
  expect(await checkVersion(await temporaryTree(FILES))).toEqual({
    findings: [],
    summary: 'version 1.2.0, 2 packages',
  });
});

test('every place that says another version is found [REPO-14]', async () => {
  const root = await temporaryTree({ ...FILES, 'package.json': { version: '1.3.0' } });
  await writeFiles(root, { 'packages/core/src/version.ts': "export const VERSION = '1.1.0';\n" });
  expect((await checkVersion(root)).findings).toEqual([
    'packages/cli/package.json: version 1.2.0, but package.json says 1.3.0',
    'packages/cli/package.json: asks for @quire/core 1.2.0; expected 1.3.0',
    'packages/core/package.json: version 1.2.0, but package.json says 1.3.0',
    `packages/cli/src/version.ts: "1.2.0"; expected: export const VERSION = '1.3.0';`,
    `packages/core/src/version.ts: "1.1.0"; expected: export const VERSION = '1.3.0';`,
  ]);
});

test('the command must have a version constant [REPO-14]', async () => {
  const { 'packages/cli/src/version.ts': _constant, ...rest } = FILES;
  expect((await checkVersion(await temporaryTree(rest))).findings).toEqual([
    "packages/cli/src/version.ts: no version constant; expected: export const VERSION = '1.2.0';",
  ]);
});
