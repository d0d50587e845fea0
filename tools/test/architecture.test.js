import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkArchitecture, writeArchitecture } from '../architecture.js';
import { temporaryTree, writeFiles } from './temporary-tree.js';

const FILES = {
  'packages/protocol/package.json': { name: '@quire/protocol' },
  'packages/protocol/src/index.ts': 'export {};\n',
  'packages/core/package.json': { name: '@quire/core' },
  'packages/core/src/index.ts': "import '@quire/protocol';\nimport './b.ts';\nimport 'node:fs';\n",
  'packages/core/src/b.ts': "import type {} from '@quire/protocol';\n",
  'packages/simulator/package.json': { name: '@quire/simulator' },
  'packages/simulator/src/index.ts': "import '@quire/core';\n",
  'packages/empty/package.json': { name: '@quire/empty' },
};

test('the picture shows each package with modules, its module count, and one arrow for each import [REPO-12]', async () => {
  const root = await temporaryTree(FILES);
  await writeArchitecture(root);
  const svg = await readFile(path.join(root, 'docs/architecture.svg'), 'utf8');
  const labels = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);
  expect(labels).toEqual([
    'floor 1',
    'floor 0',
    'core',
    '2 modules',
    'protocol',
    '1 module',
    'simulator',
    '1 module, beside',
  ]);
  expect(svg.match(/class="arrow/g)).toHaveLength(2);
  expect(await checkArchitecture(root)).toEqual({ findings: [], summary: '3 packages, 2 arrows' });
});

test('the same imports give the same bytes [REPO-12]', async () => {
  const [left, right] = [
    await temporaryTree(FILES),
    await temporaryTree(Object.fromEntries(Object.entries(FILES).reverse())),
  ];
  await writeArchitecture(left);
  await writeArchitecture(right);
  const picture = 'docs/architecture.svg';
  expect(await readFile(path.join(left, picture), 'utf8')).toBe(await readFile(path.join(right, picture), 'utf8'));
});

test('a missing picture, and one that differs from the imports, are found [REPO-12]', async () => {
  const root = await temporaryTree(FILES);
  expect((await checkArchitecture(root)).findings).toEqual([
    'docs/architecture.svg: missing; run: node tools/architecture.js --write',
  ]);
  await writeArchitecture(root);
  await writeFiles(root, { 'packages/simulator/src/index.ts': "import '@quire/protocol';\n" });
  expect((await checkArchitecture(root)).findings).toEqual([
    'docs/architecture.svg: differs from the real imports; run: node tools/architecture.js --write',
  ]);
});
