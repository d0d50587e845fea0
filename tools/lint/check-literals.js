/** Runs the positional-literal rule over the packages, their tests and the tools. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript-api';
import { listFiles } from '../lib/packages.js';
import { findPositionalLiterals } from './positional-literals.js';

const CHECKED_FOLDERS = ['packages', 'test', 'tools', 'conformance', 'bench'];
const EXTENSIONS = ['.ts', '.tsx', '.mts', '.js', '.mjs'];

/** Options of the check alone: types are read as in the tests of the packages, nothing is emitted. */
const COMPILER_OPTIONS = /** @type {ts.CompilerOptions} */ ({
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  customConditions: ['quire-source'],
  types: ['node'],
  strict: true,
  allowJs: true,
  checkJs: true,
  maxNodeModuleJsDepth: 0,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
});

/**
 * @param {string} root
 * @returns {Promise<import('../lib/tool.js').CheckResult>}
 */
export async function checkLiterals(root) {
  const { findings, fileCount } = await findLiterals(root);
  const lines = findings.map(({ file, line, column, message }) => {
    return `${path.relative(root, file).replaceAll(path.sep, '/')}:${line}:${column}: ${message}`;
  });
  if (fileCount === 0) lines.push('no source file was seen, so nothing was checked');
  return { findings: lines, summary: `${fileCount} files` };
}

/**
 * Writes the comments that are missing. Wrong ones stay: they may show that two arguments were swapped.
 * @param {string} root
 * @returns {Promise<number>} how many were written
 */
export async function writeMissingNames(root) {
  const missing = (await findLiterals(root)).findings.flatMap(({ file, missing }) =>
    missing ? [{ file, ...missing }] : [],
  );
  for (const file of new Set(missing.map((entry) => entry.file))) {
    // from the end of the file to its start, so that offsets stay true
    const inserts = missing.filter((entry) => entry.file === file).sort((left, right) => right.offset - left.offset);
    const text = await readFile(file, 'utf8');
    const insert = (
      /** @type {string} */ rest,
      /** @type {{ offset: number, comment: string }} */ { offset, comment },
    ) => rest.slice(/* start */ 0, offset) + comment + rest.slice(offset);
    await writeFile(file, inserts.reduce(insert, text));
  }
  return missing.length;
}

/** @param {string} root */
async function findLiterals(root) {
  const lists = await Promise.all(CHECKED_FOLDERS.map((folder) => listFiles(path.join(root, folder), EXTENSIONS)));
  // Declarations of single globals, made for packages without ambient types, would hide those of the platform here.
  const files = lists.flat().filter((file) => !isOutside(root, file) && !file.endsWith('.d.ts'));
  const typeRoots = [path.join(root, 'node_modules/@types')].filter((folder) => existsSync(folder));
  const options = { ...COMPILER_OPTIONS, ...(typeRoots.length > 0 ? { typeRoots } : { types: [] }) };
  const checked = new Set(files.map((file) => file.replaceAll(path.sep, '/')));
  const findings = findPositionalLiterals(ts.createProgram(files, options), {
    isChecked: (fileName) => checked.has(fileName),
    isOurs: (fileName) => !isOutside(root, fileName),
  });
  return { findings, fileCount: files.length };
}

/**
 * @param {string} root
 * @param {string} file
 */
function isOutside(root, file) {
  const inside = path.relative(root, file);
  return inside.startsWith('..') || path.isAbsolute(inside) || /(^|[/\\])(node_modules|fixtures)[/\\]/.test(inside);
}
