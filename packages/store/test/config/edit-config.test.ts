import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { takeFileLock } from '@quire/files';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { type ConfigChange, ConfigError, editConfigFile } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** What becomes of a file with `text`. */
async function edited(text: string, ...changes: readonly ConfigChange[]): Promise<string> {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'config.toml');
  fs.writeFileSync(file, text);
  await editConfigFile(file, () => changes);
  expect(fs.readdirSync(folder.path)).toEqual(['config.toml']);
  return fs.readFileSync(file, 'utf8');
}

const SERVERS = `# head
model = "x"   # why
big = 9007199254740993123
day = 2024-01-15

# servers
[mcp_servers.a]
command = "a"  # first
args = [ "x",
  # both
  "y" ]

[mcp_servers.b]
command = "b"
# end
`;

describe('an edit changes what it names and nothing else [PROJ-20]', () => {
  test.each<[string, string, ConfigChange, string]>([
    ['a table in an empty file', '', { path: ['a', 'b.c'], value: { d: 'e' } }, '[a."b.c"]\nd = "e"\n'],
    ['a table behind comments', '# x', { path: ['a'], value: { d: 1 } }, '# x\n\n[a]\nd = 1\n'],
    [
      'a table beside others',
      SERVERS,
      { path: ['mcp_servers', 'c'], value: { command: 'c', env: { K: 'v' } } },
      `${SERVERS}\n[mcp_servers.c]\ncommand = "c"\n\n[mcp_servers.c.env]\nK = "v"\n`,
    ],
    [
      'a value',
      SERVERS,
      { path: ['mcp_servers', 'a', 'command'], value: 'z' },
      SERVERS.replace('command = "a"', 'command = "z"'),
    ],
    [
      'a table that goes',
      SERVERS,
      { path: ['mcp_servers', 'b'], value: undefined },
      SERVERS.slice(0, SERVERS.indexOf('\n[mcp_servers.b]')),
    ],
    ['a value that is not there goes', SERVERS, { path: ['mcp_servers', 'z', 'command'], value: undefined }, SERVERS],
    ['a value that is there already', SERVERS, { path: ['model'], value: 'x' }, SERVERS],
    [
      'an inline table',
      'projects = { "/x" = { trust_level = "trusted" } } # all\n',
      { path: ['projects', '/y'], value: { trust_level: 'untrusted' } },
      'projects = { "/x" = { trust_level = "trusted" }, "/y" = { trust_level = "untrusted" } } # all\n',
    ],
    [
      'lines that end as on Windows',
      '[a]\r\nb = 1 # c\r\n',
      { path: ['d'], value: { e: 2 } },
      '[a]\r\nb = 1 # c\r\n\r\n[d]\r\ne = 2\r\n',
    ],
    ['a scalar in the way', 'a = 1\nb = 2\n', { path: ['a', 'c'], value: 3 }, 'b = 2\n\n[a]\nc = 3\n'],
  ])('%s', async (_title, before, change, after) => {
    expect(await edited(before, change)).toBe(after);
  });
});

describe('lines around a change keep their tabs [PROJ-43]', () => {
  const file = '[a]\n\tx = 1\t# one\n\ty\t=\t2\t# two\n\tz = [\n\t\t1,\t# c\n\t]\n\n[b]\nq = 1\t# b\nr = "a\tb  c"\n';
  test.each<[string, ConfigChange, string]>([
    ['a value', { path: ['b', 'q'], value: 5 }, file.replace('q = 1\t#', 'q = 5 #')],
    ['an entry of a list', { path: ['a', 'z'], value: [1, 3] }, file.replace('\t\t1,\t# c\n', '\t\t1,\t# c\n\t\t3,\n')],
    ['a new value', { path: ['a', 'w'], value: 5 }, file.replace('\t]\n', '\t]\n\tw = 5\n')],
    ['a text that differs in white space only', { path: ['b', 'r'], value: 'ab c' }, file.replace('a\tb  c', 'ab c')],
  ])('%s', async (_title, change, after) => {
    expect(await edited(file, change)).toBe(after);
  });
});

const COMMA_AT_END = 'notify = [\n  "a",\n]\n';

describe('what is written is TOML 1.0, also beside a list with a comma at its end [PROJ-41]', () => {
  test.each<[string, string, ConfigChange, string]>([
    [
      'a table in an inline table',
      'projects = { "/a" = { trust_level = "trusted" } }\n',
      { path: ['projects', '/b'], value: { trust_level: 'trusted' } },
      'projects = { "/a" = { trust_level = "trusted" }, "/b" = { trust_level = "trusted" } }\n',
    ],
    [
      'a list of tables in a table with a header',
      '[hooks]\nother = 1\n',
      { path: ['hooks', 'PreToolUse'], value: [{ matcher: 'Bash', hooks: [{ type: 'command', command: 'x,}' }] }] },
      '[hooks]\nother = 1\nPreToolUse = [ { matcher = "Bash", hooks = [ { type = "command", command = "x,}" } ] } ]\n',
    ],
    [
      'a text that looks like it',
      '[a]\nb = { c = "x,}" }\n',
      { path: ['a', 'd'], value: [{ e: '{ f = 1, }' }] },
      '[a]\nb = { c = "x,}" }\nd = [ { e = "{ f = 1, }" } ]\n',
    ],
  ])('%s', async (_title, before, change, after) => {
    expect(await edited(COMMA_AT_END + before, change)).toBe(COMMA_AT_END + after);
  });
});

test('names of any kind are written so that they read back [PROJ-20]', async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'config.toml');
  const names = ['/a b', 'x"y', 'back\\slash', 'new\nline', '', '__proto__', 'é😀', "'"];
  for (const name of names) await editConfigFile(file, () => [{ path: ['p', name], value: { v: name } }]);
  let seen: unknown;
  await editConfigFile(file, (document) => {
    seen = document['p'];
    return [];
  });
  const found = new Map(Object.entries(seen as Record<string, Record<string, unknown>>));
  expect([...found].map(([name, entry]) => [name, entry['v']])).toEqual(names.map((name) => [name, name]));
});

test('a new file and its folder are for their owner only, an old file keeps its mode and its link [PROJ-21]', async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'new/config.toml');
  await editConfigFile(file, () => [{ path: ['a'], value: 1 }]);
  const real = path.join(folder.path, 'real.toml');
  fs.writeFileSync(real, 'a = 1\n');
  fs.chmodSync(real, 0o640);
  const link = path.join(folder.path, 'link.toml');
  fs.symlinkSync(real, link);
  await editConfigFile(link, () => [{ path: ['a'], value: 2 }]);
  expect({
    newMode: fs.statSync(file).mode & 0o777,
    folderMode: fs.statSync(path.dirname(file)).mode & 0o777,
    oldMode: fs.statSync(real).mode & 0o777,
    isLink: fs.lstatSync(link).isSymbolicLink(),
    text: fs.readFileSync(real, 'utf8'),
  }).toEqual({ newMode: 0o600, folderMode: 0o700, oldMode: 0o640, isLink: true, text: 'a = 2\n' });
});

test.each<[string, string | Uint8Array, string]>([
  ['is not TOML', 'a = [', 'syntax'],
  ['is not text', new Uint8Array([0x61, 0xff]), 'unreadable-file'],
])('a file that %s is refused and left as it is [PROJ-22]', async (_title, content, code) => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'config.toml');
  fs.writeFileSync(file, content);
  const error = await editConfigFile(file, () => [{ path: ['a'], value: 1 }]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigError);
  expect([(error as ConfigError).code, fs.readFileSync(file)]).toEqual([code, Buffer.from(content)]);
  expect(fs.readdirSync(folder.path)).toEqual(['config.toml']);
});

test('a folder in the place of the file, and a link to nothing, are refused by name [PROJ-22]', async () => {
  using folder = temporaryFolder();
  const [directory, link] = [path.join(folder.path, 'directory'), path.join(folder.path, 'link')];
  fs.mkdirSync(directory);
  fs.symlinkSync('/nonexistent/config.toml', link);
  const refusal = (file: string) =>
    editConfigFile(file, () => [{ path: ['a'], value: 1 }]).catch((error: unknown) =>
      error instanceof ConfigError ? [error.code, error.message] : error,
    );
  expect([await refusal(directory), await refusal(link)]).toEqual([
    ['unreadable-file', `${directory} can not be read: it is a directory`],
    ['not-writable', `${link} is a link to a file that does not exist; remove it or make that file`],
  ]);
});

const EDITOR = `
import { editConfigFile } from '../../src/config/edit-config.ts';
const [file = '', name = ''] = process.argv.slice(2);
for (let index = 0; index < 5; index += 1) {
  await editConfigFile(file, () => [{ path: ['t', name + index], value: { v: index } }]);
}`;

test('edits of one process and of several take turns and none is lost [PROJ-23]', async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'config.toml');
  const program = path.join(folder.path, 'edit.mjs');
  await build({
    stdin: { contents: EDITOR, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['quire-source'],
    outfile: program,
  });
  const children = ['x', 'y'].map((name) =>
    spawn(process.execPath, [program, file, name], { stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  const own = Array.from({ length: 5 }, (_, index) =>
    editConfigFile(file, () => [{ path: ['t', `own${index}`], value: { v: index } }]),
  );
  const ends = await Promise.all(children.map((child) => once(child, 'exit')));
  await Promise.all(own);
  const names = [...fs.readFileSync(file, 'utf8').matchAll(/^\[t\.(\w+)\]$/gm)].map((match) => match[1]);
  expect(ends.map(([code]) => code)).toEqual([0, 0]);
  expect(names.sort()).toEqual(
    ['own', 'x', 'y'].flatMap((name) => Array.from({ length: 5 }, (_, index) => `${name}${index}`)),
  );
});

test('a file that its holder does not give back is refused after a while, by its number [PROJ-23]', async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'config.toml');
  await using _held = await takeFileLock(`${file}.lock`, { what: 'it', waitMs: 0 });
  const change = () => [{ path: ['a'], value: 1 }];
  const error = await editConfigFile(file, change, { lockWaitMs: 30 }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'ConfigError', code: 'in-use', source: file });
  expect(String(error)).toContain(`process ${process.pid}`);
  expect(fs.existsSync(file)).toBe(false);
});
