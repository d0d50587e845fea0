/** What `grep_files` takes beside ripgrep itself, over many files. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { createWorkspaceFiles } from '@quire/host';
import { REPOSITORY_ROOT } from '../tools/lib/tool.js';
import { median } from './report.js';
import { FILE_SEARCH } from './sizes.js';

/** @typedef {import('../packages/core/src/tools/tool.ts').ToolContext} ToolContext */

const LARGEST_RATIO = 1.2;
const FILES_PER_FOLDER = 50;
const NEEDLE = 'needle_of_the_haystack';
const LIMIT = 100;
const RIPGREP = 'rg';
/** One file in a hundred has it; every file has the second. */
const PATTERNS = [
  { name: 'in one file of a hundred', pattern: NEEDLE },
  { name: 'in every file', pattern: 'function \\w+' },
];

/**
 * The tool as the model calls it, ripgrep with the peer's arguments, and ripgrep without the sorting. The answer is checked
 * before it is measured: the files, and their order.
 * @param {{ rounds: number }} options
 * @returns {Promise<import('./findings.js').Finding[]>}
 */
export async function measureFileSearch({ rounds }) {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'bench-files-')));
  try {
    const files = await writeFiles(root);
    /** @type {import('./findings.js').Finding[]} */
    const findings = [];
    for (const { name, pattern } of PATTERNS) {
      const matching = pattern === NEEDLE ? files.filter(({ hasNeedle }) => hasNeedle) : files;
      const expected = matching.slice(0, LIMIT).map((file) => file.path);
      findings.push(await measurePattern({ name, pattern, root, expected, rounds }));
    }
    return findings;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** @param {{ name: string, pattern: string, root: string, expected: readonly string[], rounds: number }} search */
async function measurePattern({ name, pattern, root, expected, rounds }) {
  const grep = await loadGrep(root);
  const arguments_ = ['--files-with-matches', '--no-messages', `--regexp=${pattern}`, '--', root];
  /** @type {Record<'tool' | 'sorted' | 'plain', number[]>} */
  const samples = { tool: [], sorted: [], plain: [] };
  const ways = /** @type {const} */ ([
    ['tool', async () => check(await grep(pattern), expected)],
    ['sorted', () => runRipgrep(['--sortr=modified', ...arguments_])],
    ['plain', () => runRipgrep(arguments_)],
  ]);
  for (let round = -1; round < rounds; round += 1) {
    const start = (round + 1) % ways.length;
    for (const [way, run] of [...ways.slice(start), ...ways.slice(0, start)]) {
      const startedAt = performance.now();
      await run();
      if (round >= 0) samples[way].push(performance.now() - startedAt);
    }
  }
  const [tool, sorted, plain] = [median(samples.tool), median(samples.sorted), median(samples.plain)];
  return {
    measure: `quire: grep_files over ${FILE_SEARCH.files.toLocaleString('en')} files, found ${name}`,
    value: `${tool.toFixed(0)} ms; ripgrep sorting by time takes ${sorted.toFixed(0)} ms (ratio ${(tool / sorted).toFixed(2)}), not sorting ${plain.toFixed(0)} ms (ratio ${(tool / plain).toFixed(2)})`,
    target: `≤ ${LARGEST_RATIO} × ripgrep ${tool / sorted <= LARGEST_RATIO ? 'met' : 'MISSED'}`,
  };
}

/** @param {unknown} output @param {readonly string[]} expected */
function check(output, expected) {
  if (output !== expected.join('\n'))
    throw new Error(`grep_files found the wrong files: ${String(output).slice(0, 500)}`);
}

/**
 * The tool, as it was built.
 * @param {string} cwd
 * @returns {Promise<(pattern: string) => Promise<unknown>>}
 */
async function loadGrep(cwd) {
  const file = path.join(REPOSITORY_ROOT, 'packages/core/dist/tools/files/file-tools.js');
  /** @type {typeof import('../packages/core/src/tools/files/file-tools.ts')} */
  const { createFileTools } = await import(pathToFileURL(file).href);
  const grep = createFileTools(createWorkspaceFiles()).find(({ name }) => name === 'grep_files');
  // What the tool reads of it.
  const read = { settings: { cwd }, signal: new AbortController().signal };
  const context = /** @type {ToolContext} */ (/** @type {unknown} */ (read));
  return async (pattern) => {
    const call = { type: /** @type {const} */ ('function_call'), name: 'grep_files', call_id: 'call' };
    const result = await grep?.run({ ...call, arguments: JSON.stringify({ pattern, limit: LIMIT }) }, context);
    return result?.output;
  };
}

/** @param {readonly string[]} given @returns {Promise<void>} rejects when there is no ripgrep, or it found nothing */
function runRipgrep(given) {
  return new Promise((resolve, reject) => {
    const child = spawn(RIPGREP, ['--no-config', ...given], { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.resume();
    child.once('error', (cause) =>
      reject(new Error('file-search needs ripgrep (the program rg) to compare with', { cause })),
    );
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`rg ended with ${code}`))));
  });
}

/**
 * Folders of source-like files; no two were changed at the same time, and times have nothing to do with names.
 * @param {string} root
 * @returns {Promise<{ path: string, hasNeedle: boolean }[]>} the last changed first
 */
async function writeFiles(root) {
  const words = ['alpha', 'count', 'error', 'index', 'result', 'return', 'stream', 'value', 'while', 'yield'];
  const count = FILE_SEARCH.files;
  /** @type {{ path: string, hasNeedle: boolean, changedAt: number }[]} */
  const files = [];
  let seed = 42;
  const random = (/** @type {number} */ below) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  for (let start = 0; start < count; start += FILES_PER_FOLDER) {
    const folder = path.join(root, `part-${Math.floor(start / 1000)}`, `folder-${start}`);
    await mkdir(folder, { recursive: true });
    const batch = Array.from({ length: Math.min(FILES_PER_FOLDER, count - start) }, (_entry, offset) => {
      const index = start + offset;
      const lines = Array.from({ length: 10 + random(/* below */ 60) }, () => {
        const line = Array.from({ length: 8 }, () => words[random(words.length)]).join(' ');
        return `  ${line};`;
      });
      lines[random(lines.length)] = `function name${index}() {`;
      const hasNeedle = index % 100 === 7;
      if (hasNeedle) lines.push(`// ${NEEDLE}`);
      // 7919 is a prime that divides no count of files used here, so that the times are all different.
      const changedAt = 1_700_000_000 + ((index * 7919) % count);
      return { path: path.join(folder, `file-${index}.ts`), hasNeedle, changedAt, text: `${lines.join('\n')}\n` };
    });
    await Promise.all(
      batch.map(async ({ text, ...file }) => {
        await writeFile(file.path, text);
        await utimes(file.path, file.changedAt, file.changedAt);
        files.push(file);
      }),
    );
  }
  return files.sort((left, right) => right.changedAt - left.changedAt);
}
