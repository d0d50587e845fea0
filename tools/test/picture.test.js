import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCommand } from '../lib/run-command.js';
import { REPOSITORY_ROOT } from '../lib/tool.js';
import { normalizeOutput } from '../picture/normalize-output.js';
import { renderLines } from '../picture/terminal-screen.js';
import { temporaryTree } from './temporary-tree.js';

/** @param {string} output @param {number} [columns] */
const render = (output, columns = 80) => renderLines(output, { columns });
/** @param {string} output @param {number} [columns] */
const textOf = (output, columns) => render(output, columns).map((runs) => runs.map(({ text }) => text).join('|'));

describe('the terminal [REPO-18]', () => {
  test('colours and attributes start and end where they are switched', () => {
    expect(render('a \x1b[1;31mb\x1b[22mc\x1b[39md\x1b[0;38;5;208me\x1b[48;2;1;2;3mf\x1b[m')).toEqual([
      [
        { column: 0, width: 2, text: 'a ', style: {} },
        { column: 2, width: 1, text: 'b', style: { bold: true, foreground: 1 } },
        { column: 3, width: 1, text: 'c', style: { foreground: 1 } },
        { column: 4, width: 1, text: 'd', style: {} },
        { column: 5, width: 1, text: 'e', style: { foreground: 208 } },
        { column: 6, width: 1, text: 'f', style: { foreground: 208, background: 'rgb(1,2,3)' } },
      ],
    ]);
  });

  test.each([
    ['a carriage return overwrites', 'progress 10%\rprogress 99%', ['progress 99%']],
    ['erase in line', 'long line\r\x1b[Kshort', ['short']],
    ['erase the whole line', 'long line\x1b[2K\rx', ['x']],
    ['a backspace', 'ab\bc', ['ac']],
    ['a tab', 'a\tb', ['a       b']],
    ['CRLF', 'a\r\nb\r\n', ['a', 'b']],
    ['empty lines at the end', 'a\n\n\n', ['a']],
    [
      'titles, links and cursor sequences',
      '\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1b]8;;\x1b\\\x1b[?25l\x1b[2Ac',
      ['abc'],
    ],
    ['a sequence cut off at the end', 'a\x1b[3', ['a']],
  ])('%s', (_title, output, lines) => {
    expect(textOf(output)).toEqual(lines);
  });

  test('long lines wrap, wide characters take two columns, marks take none', () => {
    expect(textOf('abcdefgh', /* columns */ 3)).toEqual(['abc', 'def', 'gh']);
    expect(render('漢e\u0301!', /* columns */ 3)).toEqual([
      [{ column: 0, width: 3, text: '漢e\u0301', style: {} }],
      [{ column: 0, width: 1, text: '!', style: {} }],
    ]);
  });
});

describe('what differs from run to run is replaced [REPO-18]', () => {
  test.each([
    ['took 1.23s (45 ms), 3 steps, 2s ago', 'took … s (… ms), 3 steps, … s ago'],
    ['\x1b[32ms\x1b[0m \x1b[1;2ms', '\x1b[32ms\x1b[0m \x1b[1;2ms'],
    ['thread 019aa1b2-1234-7abc-8def-0123456789ab', 'thread 01900000-0000-7000-8000-000000000000'],
    ['http://127.0.0.1:43211/v1', 'http://127.0.0.1:8080/v1'],
    ['in /tmp/quire-demo-aB3xY9/src', 'in /tmp/quire-demo/src'],
    ['/private/var/folders/ab/c_d/T/quire-demo-aB3xY9', '/tmp/quire-demo'],
    ['at 2026-11-21T01:02:03.456Z', 'at 2026-01-01T00:00:00Z'],
    ['index 1a2b3c4..5d6e7f8 100644', 'index 0000000..1111111 100644'],
    ['build: main.js in 0.2 s\nwe build: it', 'we build: it'],
    ['# duration_ms 564.651245, duration_ms: 3', '# duration_ms …, duration_ms: …'],
    ['3 passed, 0 failed', '3 passed, 0 failed'],
  ])('%j', (output, normalized) => {
    expect(normalizeOutput(output)).toBe(normalized);
  });
});

const PICTURE = path.join(REPOSITORY_ROOT, 'tools/picture.js');

test('a command becomes an SVG with its colours, and the same run gives the same bytes [REPO-18]', async () => {
  const script = "console.log('\\x1b[32m+1 <b>\\x1b[0m in ' + Math.random() + 's'); console.error('then & stderr');";
  const root = await temporaryTree({ 'run.js': script });
  const pictures = [];
  for (const name of ['a.svg', 'b.svg']) {
    const command = [process.execPath, PICTURE, '--out', name, '--title', 'run', '--', process.execPath, 'run.js'];
    expect(await runCommand(command, { cwd: root })).toEqual({ exitCode: 0, output: `picture: ${name} (2 lines)\n` });
    pictures.push(await readFile(path.join(root, name), 'utf8'));
  }
  expect(pictures[0]).toBe(pictures[1]);
  const texts = [...(pictures[0] ?? '').matchAll(/<text[^>]*?(style="[^"]*")?>([^<]*)<\/text>/g)];
  expect(texts.map(([, style, text]) => [style, text])).toEqual([
    [undefined, 'run'],
    ['style="fill:#3fb950"', '+1 &lt;b&gt;'],
    [undefined, 'in … s'],
    [undefined, 'then &amp; stderr'],
  ]);
});

test('a long run keeps its beginning and its end', async () => {
  const root = await temporaryTree({
    'run.js': 'for (let index = 1; index <= 20; index += 1) console.log(`line ${index}`);',
  });
  const command = [process.execPath, PICTURE, '--out', 'a.svg', '--title', 'run', '--max-lines', '4'];
  const result = await runCommand([...command, '--', process.execPath, 'run.js'], { cwd: root });
  expect(result).toEqual({ exitCode: 0, output: 'picture: a.svg (4 lines)\n' });
  const texts = (await readFile(path.join(root, 'a.svg'), 'utf8')).matchAll(/<text[^>]*>([^<]*)<\/text>/g);
  expect([...texts].map(([, text]) => text)).toEqual([
    'run',
    'line 1',
    'line 2',
    '⋮ 17 lines left out of this picture',
    'line 20',
  ]);
});

test('a command that fails leaves no picture, and its exit code is passed on', async () => {
  const root = await temporaryTree({ 'run.js': "console.log('oh'); process.exitCode = 3;" });
  const command = [process.execPath, PICTURE, '--out', 'a.svg', '--', process.execPath, 'run.js'];
  const output = 'oh\n\npicture: the command ended with exit code 3; nothing was written\n';
  expect(await runCommand(command, { cwd: root })).toEqual({ exitCode: 3, output });
  expect(existsSync(path.join(root, 'a.svg'))).toBe(false);
});

test('wrong arguments are a usage error', async () => {
  const { exitCode, output } = await runCommand([process.execPath, PICTURE, '--out', 'a.svg'], {
    cwd: REPOSITORY_ROOT,
  });
  expect({ exitCode, output }).toEqual({ exitCode: 2, output: expect.stringMatching(/^picture: usage: /) });
});
