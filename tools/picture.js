/**
 * Runs a command and draws what it printed, colours included, as a terminal in an SVG file.
 *
 *   node tools/picture.js --out docs/demo.svg [--columns N] [--max-lines N] [--title TEXT] -- node tools/demo.js
 *
 * The command gets no terminal: it sees FORCE_COLOR=1 and COLUMNS. What differs between runs (durations, ids, ports,
 * names of temporary folders) is replaced. Exit code: that of the command; nothing is written when it failed.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';

import path from 'node:path';
import { parseArgs } from 'node:util';
import { isMain } from './lib/tool.js';
import { normalizeOutput } from './picture/normalize-output.js';
import { renderLines } from './picture/terminal-screen.js';
import { drawTerminal } from './picture/terminal-svg.js';

/**
 * Standard output and standard error in the order in which they were written: both go to one file.
 * @param {readonly string[]} command
 * @param {{ columns: number }} options
 * @returns {Promise<{ exitCode: number, output: string }>}
 */
async function capture([program = '', ...args], { columns }) {
  const directory = await mkdtemp(path.join(tmpdir(), 'quire-picture-'));
  const file = path.join(directory, 'output');
  const descriptor = openSync(file, 'a');
  try {
    const env = { ...process.env, FORCE_COLOR: '1', COLUMNS: String(columns), TERM: 'xterm-256color' };
    const child = spawn(program, args, { stdio: ['ignore', descriptor, descriptor], env });
    const exitCode = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
    return { exitCode, output: await readFile(file, 'utf8') };
  } finally {
    closeSync(descriptor);
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * A long run keeps its beginning (two thirds) and its end, around a line that says how much is left out.
 * @param {import('./picture/terminal-screen.js').Run[][]} lines
 * @param {number} maxLines
 */
function cutMiddle(lines, maxLines) {
  if (lines.length <= maxLines) return lines;
  const head = Math.ceil(((maxLines - 1) * 2) / 3);
  const tail = maxLines - 1 - head;
  const text = `⋮ ${lines.length - head - tail} lines left out of this picture`;
  return [
    ...lines.slice(0, head),
    [{ column: 0, width: text.length, text, style: { dim: true } }],
    ...lines.slice(lines.length - tail),
  ];
}

/** @param {readonly string[]} args */
function readArguments(args) {
  const split = args.indexOf('--');
  const { values } = parseArgs({
    args: split === -1 ? [...args] : args.slice(0, split),
    options: {
      out: { type: 'string' },
      columns: { type: 'string', default: '100' },
      'max-lines': { type: 'string', default: '1000' },
      title: { type: 'string' },
    },
  });
  const command = split === -1 ? [] : args.slice(split + 1);
  const columns = Number(values.columns);
  const maxLines = Number(values['max-lines']);
  const areSizesValid = Number.isInteger(columns) && columns >= 20 && Number.isInteger(maxLines) && maxLines >= 3;
  if (values.out === undefined || command.length === 0 || !areSizesValid) {
    throw new Error(
      'usage: node tools/picture.js --out FILE [--columns N] [--max-lines N] [--title TEXT] -- COMMAND ARGS…',
    );
  }
  return { out: values.out, columns, maxLines, title: values.title ?? command.join(' '), command };
}

/** @param {readonly string[]} args */
async function main(args) {
  const { out, columns, maxLines, title, command } = readArguments(args);
  const { exitCode, output } = await capture(command, { columns });
  if (exitCode !== 0) {
    process.stderr.write(`${output}\npicture: the command ended with exit code ${exitCode}; nothing was written\n`);
    return exitCode;
  }
  const lines = cutMiddle(renderLines(normalizeOutput(output), { columns }), maxLines);
  await mkdir(path.dirname(path.resolve(out)), { recursive: true });
  await writeFile(out, drawTerminal(lines, { columns, title }));
  process.stdout.write(`picture: ${out} (${lines.length} lines)\n`);
  return 0;
}

if (isMain(import.meta.url)) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`picture: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
