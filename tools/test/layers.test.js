import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkLayers } from '../layers/check-layers.js';
import { FLOORS } from '../layers/floors.js';
import { runCommand } from '../lib/run-command.js';
import { REPOSITORY_ROOT } from '../lib/tool.js';
import { temporaryTree, writeFiles } from './temporary-tree.js';

/** @param {string} name @param {Record<string, string>} [dependencies] @param {Record<string, unknown>} [more] */
const manifest = (name, dependencies = {}, more = {}) => ({
  name: `@quire/${name}`,
  version: '0.1.0',
  exports: { '.': './src/index.ts' },
  dependencies,
  ...more,
});

const PURE_TSCONFIG = { compilerOptions: { lib: ['ES2023'], types: [] } };

/** A house in which every arrow points the right way. */
const CLEAN_HOUSE = {
  'packages/protocol/package.json': manifest(
    'protocol',
    {},
    { exports: { '.': './src/index.ts', './wire': './src/wire.ts' } },
  ),
  'packages/protocol/tsconfig.json': PURE_TSCONFIG,
  'packages/protocol/src/index.ts': "export type { Id } from './id.ts';\n",
  'packages/protocol/src/id.ts': 'export type Id = string;\n',
  'packages/protocol/src/wire.ts': 'export const wire = 1;\n',
  'packages/streams/package.json': manifest('streams'),
  'packages/streams/tsconfig.json': PURE_TSCONFIG,
  'packages/streams/src/index.ts': 'export const streams = 1;\n',
  'packages/core/package.json': manifest('core', { '@quire/protocol': '0.1.0' }),
  'packages/core/tsconfig.json': PURE_TSCONFIG,
  'packages/core/src/index.ts':
    "import type { Id } from '@quire/protocol';\nexport type Thread = { readonly id: Id };\n",
  'packages/store/package.json': manifest('store', { '@quire/core': '0.1.0', 'smol-toml': '1.0.0', ws: '8.0.0' }),
  'packages/store/src/index.ts':
    "import { readFileSync } from 'node:fs';\nimport { parse } from 'smol-toml';\nexport { parse, readFileSync };\n",
  'packages/network/package.json': manifest('network'),
  'packages/network/src/index.ts': "export { request } from 'node:https';\n",
  'packages/model-client/package.json': manifest('model-client', { '@quire/core': '0.1.0', ws: '8.0.0' }),
  'packages/model-client/src/index.ts':
    "import { STATUS_CODES } from 'node:http';\nexport { STATUS_CODES };\nexport const load = () => import('ws');\n",
  'packages/host/package.json': manifest('host'),
  'packages/host/src/index.ts': "import { Socket } from 'node:net';\nexport { Socket };\n",
  'packages/simulator/package.json': manifest('simulator', { '@quire/core': '0.1.0', '@quire/store': '0.1.0' }),
  'packages/simulator/src/index.ts': "export { createServer } from 'node:http';\n",
  'packages/cli/package.json': manifest('cli', { '@quire/simulator': '0.1.0' }),
  'packages/cli/src/main.ts':
    "import { createServer } from '@quire/simulator';\nvoid createServer;\nprocess.exit(0);\n",
};

/**
 * What the check says of the clean house with some files changed.
 * @param {Record<string, unknown>} changes
 */
async function findingsWith(changes) {
  return (await checkLayers(await temporaryTree({ ...CLEAN_HOUSE, ...changes }))).findings;
}

const SOCKETS = 'sockets are opened in network and simulator only; take one from the dialer';
const PURE = 'a pure package imports nothing of the platform; declare a port instead';

test('a house in which every arrow points down has no findings [REPO-01]', async () => {
  const result = await checkLayers(await temporaryTree(CLEAN_HOUSE));
  expect(result).toEqual({ findings: [], summary: '11 modules, 10 imports' });
});

test('this repository has no import against the floors [REPO-01]', async () => {
  expect((await checkLayers(REPOSITORY_ROOT)).findings).toEqual([]);
});

test('a check that saw no module fails [REPO-02]', async () => {
  const root = await temporaryTree({ 'packages/core/package.json': manifest('core') });
  await writeFiles(root, { 'packages/core/tsconfig.json': PURE_TSCONFIG });
  expect(await checkLayers(root)).toEqual({
    findings: ['packages/*/src: no module was seen, so nothing was checked'],
    summary: '0 modules, 0 imports',
  });
});

describe('an import against the floors is found in every spelling [REPO-01]', () => {
  const spellings = {
    import: "import '@quire/store';",
    'import type': "type A = import('@quire/store').A;",
    'import()': "await import('@quire/store');",
    'export from': "export * from '@quire/store';",
    require: "require('@quire/store');",
    'import equals': "import store = require('@quire/store');",
    'require.resolve': "require.resolve('@quire/store');",
    'import.meta.resolve': "import.meta.resolve('@quire/store');",
    'declare module': "declare module '@quire/store' {}",
  };
  test.each(Object.entries(spellings))('%s', async (spelling, code) => {
    expect(await findingsWith({ 'packages/core/src/planted.ts': `\n${code}\nexport {};\n` })).toEqual([
      `packages/core/src/planted.ts:2: ${spelling} '@quire/store': store is on floor 3; core may import floors up to 0`,
    ]);
  });

  const sameSpelling = {
    'a type import': "import type { A } from '@quire/store';",
    'an inline type import': "import { type A } from '@quire/store';",
    'a namespace import': "import * as store from '@quire/store';",
    'an import attribute': "import store from '@quire/store' with { type: 'json' };",
    'a template literal': 'await import(`@quire/store`);',
    'a deep path': "import '@quire/store/src/index.ts';",
  };
  test.each(Object.entries(sameSpelling))('%s', async (_title, code) => {
    const findings = await findingsWith({ 'packages/core/src/planted.ts': `${code}\nexport {};\n` });
    expect(findings).toEqual([expect.stringMatching(/^packages\/core\/src\/planted\.ts:1: .*: store is on floor 3; /)]);
  });

  test('a require made by createRequire', async () => {
    const code =
      "import { createRequire } from 'node:module';\nconst load = createRequire(import.meta.url);\nload('@quire/cli');\n";
    expect(await findingsWith({ 'packages/store/src/planted.ts': code })).toEqual([
      "packages/store/src/planted.ts:3: require '@quire/cli': cli is on floor 6; store may import floors up to 2",
    ]);
  });
});

describe('the floors [REPO-01]', () => {
  test('a package of the same floor is no import', async () => {
    const planted = { 'packages/store/src/planted.ts': "import '@quire/model-client';\n" };
    expect(await findingsWith(planted)).toEqual([
      "packages/store/src/planted.ts:1: import '@quire/model-client': model-client is on floor 3; store may import floors up to 2",
    ]);
  });

  test('the simulator stands beside: it reaches floor 1 only, and only cli may use it', async () => {
    expect(
      await findingsWith({
        'packages/simulator/src/planted.ts': "import '@quire/store';\n",
        'packages/store/src/planted.ts': "import '@quire/simulator';\n",
      }),
    ).toEqual([
      "packages/simulator/src/planted.ts:1: import '@quire/store': store is on floor 3; simulator may import floors up to 1",
      "packages/store/src/planted.ts:1: import '@quire/simulator': simulator is on floor 5; store may import floors up to 2",
    ]);
  });

  test('a package without a floor is refused', async () => {
    expect(await findingsWith({ 'packages/attic/package.json': manifest('attic') })).toEqual([
      'packages/attic/package.json: the package has no row in tools/layers/floors.js',
    ]);
  });

  test('no package reaches its own floor', () => {
    const reaching = Object.entries(FLOORS).filter(([, { floor, reach }]) => (reach ?? floor - 1) >= floor);
    expect(reaching).toEqual([]);
  });
});

describe('the borders of a package [REPO-03]', () => {
  test('an undeclared import is found, of this repository and of others', async () => {
    const code = "import '@quire/protocol';\nimport 'left-pad/lib/pad.js';\n";
    expect(await findingsWith({ 'packages/store/src/planted.ts': code })).toEqual([
      "packages/store/src/planted.ts:1: import '@quire/protocol': not declared in packages/store/package.json",
      "packages/store/src/planted.ts:2: import 'left-pad/lib/pad.js': not declared in packages/store/package.json",
    ]);
  });

  test('a deep import past exports is found, a named subpath is not', async () => {
    const code = "import '@quire/protocol/src/id.ts';\nimport '@quire/protocol/wire';\n";
    expect(await findingsWith({ 'packages/core/src/planted.ts': code })).toEqual([
      "packages/core/src/planted.ts:1: import '@quire/protocol/src/id.ts': @quire/protocol does not export './src/id.ts'",
    ]);
  });

  test('a relative import that leaves the package is found', async () => {
    const code = "/// <reference path='../../protocol/src/id.ts' />\nimport '../../protocol/src/index.ts';\n";
    const advice = 'the path leaves the package; import the other package by its name';
    expect(await findingsWith({ 'packages/core/src/planted.ts': code })).toEqual([
      `packages/core/src/planted.ts:2: import '../../protocol/src/index.ts': ${advice}`,
      `packages/core/src/planted.ts:1: reference path '../../protocol/src/id.ts': ${advice}`,
    ]);
  });

  test('a relative import of a missing file is found', async () => {
    expect(await findingsWith({ 'packages/core/src/planted.ts': "import './gone.ts';\n" })).toEqual([
      "packages/core/src/planted.ts:1: import './gone.ts': there is no such file",
    ]);
  });

  test('a package that imports itself by name is found', async () => {
    expect(await findingsWith({ 'packages/core/src/planted.ts': "import '@quire/core';\n" })).toEqual([
      "packages/core/src/planted.ts:1: import '@quire/core': a package does not import itself by name; use a relative path",
    ]);
  });

  test('a computed import and an unknown kind of specifier are found', async () => {
    const code = "const name = 'x';\nawait import(name);\nimport '#inner';\nimport 'https://example.com/x.js';\n";
    const understood = 'only relative paths, node: modules and package names are understood';
    expect(await findingsWith({ 'packages/store/src/planted.ts': code })).toEqual([
      `packages/store/src/planted.ts:3: import '#inner': ${understood}`,
      `packages/store/src/planted.ts:4: import 'https://example.com/x.js': ${understood}`,
      'packages/store/src/planted.ts:2: import() with a computed target can not be checked; name the module in a literal',
    ]);
  });

  test('an import in a comment or a string is none', async () => {
    const code = "// import '@quire/cli';\nexport const text = \"import '@quire/cli'\";\n";
    expect(await findingsWith({ 'packages/core/src/planted.ts': code })).toEqual([]);
  });
});

describe('import cycles within a package [REPO-04]', () => {
  test('a cycle of three files is reported once, with its way', async () => {
    expect(
      await findingsWith({
        'packages/core/src/a.ts': "import './b.ts';\nimport './id.ts';\n",
        'packages/core/src/b.ts': "import type {} from './c.ts';\n",
        'packages/core/src/c.ts': "export * from './a.ts';\n",
        'packages/core/src/id.ts': 'export {};\n',
      }),
    ).toEqual(['packages/core/src/a.ts: import cycle: src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts']);
  });

  test('a file that imports itself is a cycle, a diamond is none', async () => {
    expect(
      await findingsWith({
        'packages/core/src/self.ts': "import './self.ts';\n",
        'packages/core/src/top.ts': "import './left.ts';\nimport './right.ts';\n",
        'packages/core/src/left.ts': "import './bottom.ts';\n",
        'packages/core/src/right.ts': "import './bottom.ts';\n",
        'packages/core/src/bottom.ts': 'export {};\n',
      }),
    ).toEqual(['packages/core/src/self.ts: import cycle: src/self.ts -> src/self.ts']);
  });
});

describe('pure packages [REPO-05]', () => {
  test.each([
    ["import 'node:fs';", "import 'node:fs'"],
    ["import type { Stats } from 'fs';", "import 'fs'"],
    ["import 'fs/promises';", "import 'fs/promises'"],
    ["await import('node:test');", "import() 'node:test'"],
    ["process.getBuiltinModule('fs');", "getBuiltinModule 'fs'"],
  ])('%s is found', async (code, place) => {
    expect(await findingsWith({ 'packages/streams/src/planted.ts': `${code}\nexport {};\n` })).toEqual([
      `packages/streams/src/planted.ts:1: ${place}: ${PURE}`,
    ]);
  });

  test('a reference to ambient types is found', async () => {
    const code = '/// <reference types="node" />\nexport {};\n';
    expect(await findingsWith({ 'packages/core/src/planted.ts': code })).toEqual([
      "packages/core/src/planted.ts:1: reference to 'node': a pure package takes no ambient types",
    ]);
  });

  test('ambient types in tsconfig.json are found, also when they come from a base file', async () => {
    const findings = await findingsWith({
      'packages/core/tsconfig.json': { extends: '../../tsconfig.node.json' },
      'tsconfig.node.json': { compilerOptions: { types: ['node'], lib: ['ES2023'] } },
      'packages/streams/tsconfig.json': { compilerOptions: { lib: ['ES2023', 'DOM'] } },
    });
    expect(findings).toEqual([
      'packages/core/tsconfig.json: a pure package needs "types": [], not ["node"]',
      'packages/streams/tsconfig.json: a pure package needs "types": [], not undefined',
      'packages/streams/tsconfig.json: a pure package needs a "lib" of plain ECMAScript, without DOM or worker types',
    ]);
  });

  test('a missing tsconfig.json is found', async () => {
    const root = await temporaryTree(CLEAN_HOUSE);
    await rm(path.join(root, 'packages/core/tsconfig.json'));
    expect((await checkLayers(root)).findings).toEqual([
      'packages/core/tsconfig.json: the file is missing, so the types of this pure package cannot be checked',
    ]);
  });
});

describe('sockets [REPO-06]', () => {
  test.each(['node:net', 'node:tls', 'node:http', 'node:https', 'http2', 'ws'])(
    '%s outside is found',
    async (module) => {
      expect(
        await findingsWith({ 'packages/store/src/planted.ts': `import { x } from '${module}';\nvoid x;\n` }),
      ).toEqual([`packages/store/src/planted.ts:1: import '${module}': ${SOCKETS}`]);
    },
  );

  test('types of a socket module are no sockets', async () => {
    const code =
      "import type { Server } from 'node:http';\nimport { type Socket } from 'node:net';\nexport type { Server, Socket };\n";
    expect(await findingsWith({ 'packages/store/src/planted.ts': code })).toEqual([]);
  });

  test('model-client speaks WebSocket over sockets of the dialer, and opens none', async () => {
    const code =
      "import { request, STATUS_CODES } from 'node:http';\nvoid request, STATUS_CODES;\nfetch('http://h');\n";
    expect(await findingsWith({ 'packages/model-client/src/planted.ts': code })).toEqual([
      `packages/model-client/src/planted.ts:1: import 'node:http': ${SOCKETS}`,
      `packages/model-client/src/planted.ts:3: fetch: ${SOCKETS}`,
    ]);
  });

  test('host may read pipes through Socket, and nothing else of node:net', async () => {
    expect(
      await findingsWith({ 'packages/host/src/planted.ts': "import { connect, Socket } from 'node:net';\n" }),
    ).toEqual([`packages/host/src/planted.ts:1: import 'node:net': ${SOCKETS}`]);
  });

  test('the globals that open sockets are found, names that the file declares are not', async () => {
    const code = [
      "void fetch('http://127.0.0.1');",
      "globalThis.fetch('http://127.0.0.1');",
      "globalThis['fetch'];",
      "new WebSocket('ws://127.0.0.1');",
      'export const options = { fetch };',
      'export const own = { fetch: 1 }.fetch;',
      'export interface Shape { fetch(): void }',
      'class Door { fetch() {} }',
    ].join('\n');
    expect(await findingsWith({ 'packages/store/src/planted.ts': code })).toEqual(
      [1, 2, 3]
        .map((line) => `packages/store/src/planted.ts:${line}: fetch: ${SOCKETS}`)
        .concat([
          `packages/store/src/planted.ts:4: WebSocket: ${SOCKETS}`,
          `packages/store/src/planted.ts:5: fetch: ${SOCKETS}`,
        ]),
    );
    const declared = 'export function run(fetch: () => void): void { fetch(); }\n';
    expect(await findingsWith({ 'packages/store/src/planted.ts': declared })).toEqual([]);
  });
});

test('ending the process outside cli is found in every spelling [REPO-07]', async () => {
  const code = [
    'process.exit(1);',
    "process['exit'](1);",
    'globalThis.process.exit(1);',
    'const { exit } = process;',
    "import { exit as leave } from 'node:process';",
    "import host from 'node:process';",
    'host.exit();',
    'process.abort();',
    'process.exitCode = 1;',
  ].join('\n');
  const advice = 'only cli ends the process; return or throw instead';
  const places = [...[1, 2, 3, 4, 5, 7].map((line) => ({ line, name: 'exit' })), { line: 8, name: 'abort' }];
  expect(await findingsWith({ 'packages/store/src/planted.ts': code })).toEqual(
    places.map(({ line, name }) => `packages/store/src/planted.ts:${line}: process.${name}: ${advice}`),
  );
});

test('the command line fails on a planted import and passes without it [REPO-01]', async () => {
  const root = await temporaryTree(CLEAN_HOUSE);
  const command = [process.execPath, path.join(REPOSITORY_ROOT, 'tools/check.js'), 'layers', '--root', root];
  expect(await runCommand(command, { cwd: root })).toEqual({
    exitCode: 0,
    output: 'layers: ok (11 modules, 10 imports)\n',
  });
  await writeFiles(root, { 'packages/core/src/planted.ts': "import '@quire/store';\n" });
  expect(await runCommand(command, { cwd: root })).toEqual({
    exitCode: 1,
    output: [
      "packages/core/src/planted.ts:1: import '@quire/store': store is on floor 3; core may import floors up to 0",
      'layers: 1 finding (12 modules, 11 imports)\n',
    ].join('\n'),
  });
});

test('an unknown check is a usage error', async () => {
  const command = [process.execPath, path.join(REPOSITORY_ROOT, 'tools/check.js'), 'layres'];
  const { exitCode, output } = await runCommand(command, { cwd: REPOSITORY_ROOT });
  expect({ exitCode, output }).toEqual({
    exitCode: 2,
    output: expect.stringMatching(/^unknown check "layres"; known: /),
  });
});
