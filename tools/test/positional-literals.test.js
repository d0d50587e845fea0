import { readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript-api';
import { describe, expect, test } from 'vitest';
import { runCommand } from '../lib/run-command.js';
import { REPOSITORY_ROOT } from '../lib/tool.js';
import { findPositionalLiterals } from '../lint/positional-literals.js';
import { temporaryTree } from './temporary-tree.js';

const FILE = '/repository/packages/core/src/subject.ts';
const OPTIONS = /** @type {ts.CompilerOptions} */ ({
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: [],
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
});

/** Files of other people, by path. */
const OTHERS = /** @type {Record<string, string>} */ ({
  '/repository/node_modules/other/package.json': '{"name":"other","type":"module","exports":"./index.d.ts"}',
  '/repository/node_modules/other/index.d.ts': 'export declare function theirs(count: number, flag?: boolean): void;',
  '/repository/packages/core/package.json': '{"type":"module"}',
  '/repository/packages/core/src/ours.ts': 'export function imported(limit: number): number { return limit; }',
});

const libraries = new Map();
const defaultHost = ts.createCompilerHost(OPTIONS);

/** @param {string} code */
function programOf(code) {
  /** @type {Record<string, string>} */
  const files = { ...OTHERS, [FILE]: code };
  const host = {
    ...defaultHost,
    getSourceFile: (/** @type {string} */ name) => {
      const text = files[name];
      if (text !== undefined) return ts.createSourceFile(name, text, ts.ScriptTarget.ES2023);
      if (!libraries.has(name)) libraries.set(name, defaultHost.getSourceFile(name, ts.ScriptTarget.ES2023));
      return libraries.get(name);
    },
    fileExists: (/** @type {string} */ name) => files[name] !== undefined || defaultHost.fileExists(name),
    readFile: (/** @type {string} */ name) => files[name] ?? defaultHost.readFile(name),
    directoryExists: () => true,
    realpath: (/** @type {string} */ name) => name,
  };
  return ts.createProgram([FILE], OPTIONS, host);
}

/**
 * Messages of the rule for one file, each with the text of its line before it.
 * @param {string} code
 */
function messagesFor(code) {
  const findings = findPositionalLiterals(programOf(code), {
    isChecked: (name) => name === FILE,
    isOurs: (name) => name.startsWith('/repository/') && !name.includes('/node_modules/'),
  });
  return findings.map(({ message }) => message);
}

/** @param {string} text @param {string} callee @param {string} name */
const unnamed = (text, callee, name) =>
  `${text} is passed to ${callee} without a name; write /* ${name} */ ${text}, or pass an options object or a named value`;

describe('a bare literal needs its name [REPO-08]', () => {
  test.each(['true', 'false', 'null', 'undefined', '0', '1.5', '0x1f', '10n', '-1', '+1', '~1', '!0', 'void 0', '-1n'])(
    '%s',
    (literal) => {
      const code = `function run(first: string, second: unknown) {}\nrun('a', ${literal});`;
      expect(messagesFor(code)).toEqual([unnamed(literal, 'run', 'second')]);
      expect(messagesFor(code.replace("'a', ", "'a', /* second */ "))).toEqual([]);
    },
  );

  test.each([
    "'text'",
    '`text`',
    '/x/',
    '[1, true]',
    '{ a: 1 }',
    'value',
    'value + 1',
    'flag ? 1 : 2',
    '() => 1',
    'NaN',
  ])('%s is no bare literal', (expression) => {
    const code = `const value = 1 as number;\nconst flag = true as boolean;\nfunction run(first: unknown) {}\nrun(${expression});`;
    expect(messagesFor(code)).toEqual([]);
  });

  test.each(['(1)', '1 as number', '<number>1', '1 satisfies number', '1!', '((-1) as number)'])(
    '%s is a literal behind its wrapping',
    (wrapped) => {
      const code = `function run(size: number) {}\nrun(${wrapped});`;
      expect(messagesFor(code)).toEqual([unnamed(wrapped, 'run', 'size')]);
      expect(
        messagesFor(code.replace('run((', 'run(/* size */ (').replace(`run(${wrapped}`, `run(/* size */ ${wrapped}`)),
      ).toEqual([]);
    },
  );

  test('every literal of a call is reported, nested calls too, with their places', () => {
    const code = 'function add(left: number, right: number) { return left; }\nadd(add(1, add.length), true as any);';
    const findings = findPositionalLiterals(programOf(code), {
      isChecked: (name) => name === FILE,
      isOurs: () => true,
    });
    expect(findings).toEqual([
      {
        file: FILE,
        line: 2,
        column: 25,
        message: unnamed('true as any', 'add', 'right'),
        missing: { offset: code.indexOf('true'), comment: '/* right */ ' },
      },
      {
        file: FILE,
        line: 2,
        column: 9,
        message: unnamed('1', 'add', 'left'),
        missing: { offset: code.indexOf('1,'), comment: '/* left */ ' },
      },
    ]);
  });
});

describe('the comment is exact [REPO-08]', () => {
  const declaration = 'function run(size: number, flag?: boolean) {}\n';

  test.each(['/* Size */', '/*size*/', '/* size: */', '/* size= */', '/* the size */', '/** size */', '// size\n'])(
    '%s does not name size',
    (comment) => {
      expect(messagesFor(`${declaration}run(${comment} 1);`)).toEqual([
        `${comment.trim()} does not name the parameter of run; write /* size */ 1`,
      ]);
    },
  );

  test('the name of another parameter is an error that gives the right one', () => {
    expect(messagesFor(`${declaration}run(/* flag */ 1, /* size */ true);`)).toEqual([
      '/* flag */ does not name the parameter of run; write /* size */ 1',
      '/* size */ does not name the parameter of run; write /* flag */ true',
    ]);
  });

  test('it stands directly before the argument, on the same line or the one before', () => {
    expect(messagesFor(`${declaration}run(\n  // the size\n  /* size */ 1,\n  /* flag */\n  true,\n);`)).toEqual([]);
    expect(messagesFor(`${declaration}run(1 /* size */);`)).toEqual([unnamed('1', 'run', 'size')]);
    expect(messagesFor(`${declaration}run(/* size */ /* really */ 1);`)).toEqual([
      '/* really */ does not name the parameter of run; write /* size */ 1',
    ]);
    expect(messagesFor(`${declaration}run(// is not: /* size */\n 1);`)).toHaveLength(1);
  });

  test('there is no comment that switches the rule off', () => {
    const code = `${declaration}// biome-ignore lint: no\n// eslint-disable-next-line\n// @ts-ignore\nrun(1);`;
    expect(messagesFor(code)).toEqual([unnamed('1', 'run', 'size')]);
  });
});

describe('every kind of callee is resolved [REPO-09]', () => {
  test.each([
    ['a method', 'class Box { put(slot: number) {} }\nnew Box().put(1);', unnamed('1', 'new Box().put', 'slot')],
    [
      'a private method',
      'class Box { #put(slot: number) {} go() { this.#put(1); } }',
      unnamed('1', 'this.#put', 'slot'),
    ],
    ['a static method', 'class Box { static of(slot: number) {} }\nBox.of(1);', unnamed('1', 'Box.of', 'slot')],
    ['a constructor', 'class Box { constructor(slot: number) {} }\nnew Box(1);', unnamed('1', 'Box', 'slot')],
    [
      'super',
      'class A { constructor(slot: number) {} }\nclass B extends A { constructor() { super(1); } }',
      unnamed('1', 'super', 'slot'),
    ],
    [
      'an inherited constructor',
      'class A { constructor(slot: number) {} }\nclass B extends A {}\nnew B(1);',
      unnamed('1', 'B', 'slot'),
    ],
    ['an arrow function', 'const run = (slot: number) => slot;\nrun(1);', unnamed('1', 'run', 'slot')],
    [
      'a callback parameter',
      'function each(visit: (index: number) => void) { visit(1); }',
      unnamed('1', 'visit', 'index'),
    ],
    [
      'an interface method',
      'interface Port { send(code: number): void }\ndeclare const port: Port;\nport.send(1);',
      unnamed('1', 'port.send', 'code'),
    ],
    ['an element access', "const box = { put(slot: number) {} };\nbox['put'](1);", unnamed('1', "box['put']", 'slot')],
    [
      'an optional call',
      'declare const run: ((slot: number) => void) | undefined;\nrun?.(1);',
      unnamed('1', 'run', 'slot'),
    ],
    [
      'an optional chain',
      'declare const box: { put?(slot: number): void } | undefined;\nbox?.put?.(1);',
      unnamed('1', 'box?.put', 'slot'),
    ],
    [
      'a generic function',
      'function wrap<T>(value: T) { return value; }\nwrap<number>(1);',
      unnamed('1', 'wrap', 'value'),
    ],
    ['an optional parameter', 'function run(slot?: number) {}\nrun(undefined);', unnamed('undefined', 'run', 'slot')],
    ['a default parameter', 'function run(slot = 1) {}\nrun(2);', unnamed('2', 'run', 'slot')],
    ['a this parameter', 'function run(this: void, slot: number) {}\nrun(1);', unnamed('1', 'run', 'slot')],
    ['an import', "import { imported } from './ours.ts';\nimported(1);", unnamed('1', 'imported', 'limit')],
    ['an immediate function', '((slot: number) => slot)(1);', unnamed('1', '((slot: number) => slot)', 'slot')],
  ])('%s', (_title, code, message) => {
    expect(messagesFor(code)).toEqual([message]);
  });

  test('the overload that is called gives the name', () => {
    const code = [
      'function read(path: string, fileMode: number): void;',
      'function read(descriptor: number, isBinary: boolean): void;',
      'function read(first: unknown, second: unknown): void {}',
      "read('a', 1);",
      'read(1, true);',
      "read('a', /* fileMode */ 1);",
      'read(/* descriptor */ 1, /* isBinary */ true);',
    ].join('\n');
    expect(messagesFor(code)).toEqual([
      unnamed('1', 'read', 'fileMode'),
      unnamed('1', 'read', 'descriptor'),
      unnamed('true', 'read', 'isBinary'),
    ]);
  });

  test('elements of a rest parameter carry its name, or the label of its tuple', () => {
    const code = [
      'function sum(label: string, ...values: number[]) {}',
      "sum('a', 1, /* values */ 2, /* label */ 3);",
      'function point(...at: [column: number, row: number]) {}',
      'point(1, /* row */ 2);',
    ].join('\n');
    expect(messagesFor(code)).toEqual([
      unnamed('1', 'sum', 'values'),
      '/* label */ does not name the parameter of sum; write /* values */ 3',
      unnamed('1', 'point', 'column'),
    ]);
  });

  test('a destructured parameter has no name, so no comment helps', () => {
    const code = 'function run({ size }: { size: number } | any) {}\nrun(null);\nrun(/* size */ null);';
    const message =
      'null is passed to run whose parameter is destructured and has no name; pass an options object or a named value';
    expect(messagesFor(code)).toEqual([message, message]);
  });

  test('a literal behind a spread is placed when the length of the spread is known', () => {
    const declared = 'function run(a: number, b: number, c?: number, ...rest: number[]) {}\n';
    expect(messagesFor(`${declared}const two = [1, 2] as const;\nrun(...two, 3);`)).toEqual([unnamed('3', 'run', 'c')]);
    expect(messagesFor(`${declared}run(...[1, /* b */ 2], /* c */ 3);`)).toEqual([unnamed('1', 'run', 'a')]);
    expect(
      messagesFor(`${declared}declare const some: [number, number, ...number[]];\nrun(...some, /* c */ 3);`),
    ).toEqual([
      '3 is passed to run behind a spread, where its parameter is not known; pass an options object or a named value',
    ]);
    const list = 'function list(...items: number[]) {}\ndeclare const some: number[];\n';
    expect(messagesFor(`${list}list(...some, 1);\nlist(...some, /* items */ 1);`)).toEqual([
      unnamed('1', 'list', 'items'),
    ]);
  });

  test('substitutions of a tagged template are text, not positions', () => {
    expect(messagesFor('function tag(parts: TemplateStringsArray, size: number) {}\ntag`a${1}b`;')).toEqual([]);
  });

  test('a callee that has no type is reported, not passed over', () => {
    expect(messagesFor('declare const run: any;\nrun(1);\nrun(text);\ndeclare const text: string;')).toEqual([
      '1 is passed to a callee that the type checker can not resolve; give the callee a type',
    ]);
    expect(messagesFor('missing(/* size */ 1);')).toHaveLength(1);
  });
});

describe('functions of others keep their own conventions [REPO-10]', () => {
  test.each([
    [
      'the standard library',
      "'abc'.slice(0, 1); Math.max(1, 2); JSON.stringify({}, null, 2); new Array(3); [1].fill(0);",
    ],
    ['callbacks typed by the standard library', 'new Promise((resolve) => resolve(undefined));'],
    ['packages in node_modules', "import { theirs } from 'other';\ntheirs(1, true);"],
    ['types taken from others', "import { theirs } from 'other';\nconst own: typeof theirs = theirs;\nown(1);"],
    ['import()', 'import("./ours.ts", undefined);'],
  ])('%s', (_title, code) => {
    expect(messagesFor(code)).toEqual([]);
  });
});

test('the command line fails on a planted literal and passes when it is named [REPO-08]', async () => {
  const named = 'export function run(size: number): number { return size; }\nrun(/* size */ 1);\n';
  const root = await temporaryTree({
    'packages/core/src/index.ts': named,
    'packages/core/test/fixtures/bad.ts': 'x(1);',
  });
  const command = [process.execPath, path.join(REPOSITORY_ROOT, 'tools/check.js'), 'literals', '--root', root];
  expect(await runCommand(command, { cwd: root })).toEqual({ exitCode: 0, output: 'literals: ok (1 files)\n' });
  const planted = await temporaryTree({ 'packages/core/test/index.test.ts': named.replace('/* size */ ', '') });
  expect(await runCommand([...command.slice(0, -1), planted], { cwd: planted })).toEqual({
    exitCode: 1,
    output: `packages/core/test/index.test.ts:2:5: ${unnamed('1', 'run', 'size')}\nliterals: 1 finding (1 files)\n`,
  });
});

test('a check that saw no file fails [REPO-02]', async () => {
  const root = await temporaryTree({ 'package.json': {} });
  const command = [process.execPath, path.join(REPOSITORY_ROOT, 'tools/check.js'), 'literals', '--root', root];
  expect(await runCommand(command, { cwd: root })).toEqual({
    exitCode: 1,
    output: 'no source file was seen, so nothing was checked\nliterals: 1 finding (0 files)\n',
  });
});

test('missing names are written on request, wrong ones are left to a person', async () => {
  const code = 'function run(size: number, flag?: boolean) {}\nrun(1, true);\nrun(/* flag */ 2);\nrun(\n  -3,\n);\n';
  const root = await temporaryTree({ 'packages/core/src/index.ts': code });
  const command = [process.execPath, path.join(REPOSITORY_ROOT, 'tools/literals.js'), '--write', '--root', root];
  expect(await runCommand(command, { cwd: root })).toEqual({
    exitCode: 1,
    output: [
      '3 names written',
      'packages/core/src/index.ts:3:16: /* flag */ does not name the parameter of run; write /* size */ 2',
      'literals: 1 finding (1 files)\n',
    ].join('\n'),
  });
  const written = code.replace('run(1, true)', 'run(/* size */ 1, /* flag */ true)').replace('-3', '/* size */ -3');
  expect(await readFile(path.join(root, 'packages/core/src/index.ts'), 'utf8')).toBe(written);
});
