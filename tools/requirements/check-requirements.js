/**
 * The requirements check: what the documents promise and what the tests cite must agree.
 * Format of the documents: docs/requirements/README.md.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { listFiles } from '../lib/packages.js';

const HEADER = ['id', 'requirement', 'source', 'state'];
const ID = /^[A-Z][A-Z0-9]*[A-Z0-9]-\d+[a-z]?$/;
const TEST_EXTENSIONS = ['.ts', '.tsx', '.js', '.mjs'];

/**
 * @typedef {{ id: string, requirement: string, source: string, state: string, place: string }} Requirement
 *   `place` is `file:line`
 */

/**
 * @param {string} root
 * @returns {Promise<import('../lib/tool.js').CheckResult>}
 */
export async function checkRequirements(root) {
  /** @type {string[]} */
  const findings = [];
  const requirements = await readRequirements(root, findings);
  const citations = await readCitations(root);
  if (requirements.length === 0) findings.push('docs/requirements: no requirement was seen, so nothing was checked');
  findings.push(
    ...duplicateIds(requirements),
    ...uncited(requirements, citations),
    ...unknown(requirements, citations),
  );
  const gaps = requirements.filter(({ state }) => state === 'gap');
  return {
    findings,
    notes: gaps.map(({ id, requirement, place }) => `gap ${id}: ${requirement} (${place})`),
    summary: `${requirements.length} requirements, ${gaps.length} gaps`,
  };
}

/**
 * @param {string} root
 * @param {string[]} findings gets a line for each malformed document
 */
async function readRequirements(root, findings) {
  const directory = path.join(root, 'docs/requirements');
  if (!existsSync(directory)) return [];
  const names = (await readdir(directory)).filter((name) => name.endsWith('.md') && name !== 'README.md').sort();
  /** @type {Requirement[]} */
  const requirements = [];
  for (const name of names) {
    const text = await readFile(path.join(directory, name), 'utf8');
    const document = parseRequirements(`docs/requirements/${name}`, text);
    requirements.push(...document.requirements);
    findings.push(...document.findings);
  }
  return requirements;
}

/**
 * The one requirements table of a document.
 * @param {string} file path shown in findings
 * @param {string} text
 * @returns {{ requirements: Requirement[], findings: string[] }}
 */
export function parseRequirements(file, text) {
  const lines = text.split(/\r?\n/);
  const headers = lines.flatMap((line, index) => (isHeader(cellsOf(line)) ? [index] : []));
  const first = headers[0];
  if (first === undefined) return { requirements: [], findings: [`${file}: no table "| ${HEADER.join(' | ')} |"`] };
  if (headers.length > 1) {
    return { requirements: [], findings: [`${file}: ${headers.length} requirement tables; keep one`] };
  }
  /** @type {Requirement[]} */
  const requirements = [];
  /** @type {string[]} */
  const findings = [];
  for (let index = first + 2; index < lines.length && lines[index]?.startsWith('|'); index += 1) {
    const cells = cellsOf(lines[index] ?? '');
    const [id = '', requirement = '', source = '', state = ''] = cells;
    const place = `${file}:${index + 1}`;
    if (cells.length !== HEADER.length) findings.push(`${place}: ${cells.length} cells; expected ${HEADER.length}`);
    else if (!ID.test(id)) findings.push(`${place}: "${id}" is no id such as SSE-03`);
    else if (requirement === '' || source === '') findings.push(`${place}: ${id} lacks its requirement or its source`);
    else if (state !== 'tested' && state !== 'gap') findings.push(`${place}: ${id} is "${state}"; write tested or gap`);
    else requirements.push({ id, requirement, source, state, place });
  }
  return { requirements, findings };
}

/**
 * Cells of a table row; `\|` and a pipe in `code` belong to the cell.
 * @param {string} line
 */
function cellsOf(line) {
  if (!line.startsWith('|')) return [];
  const cells = [''];
  for (const piece of line
    .trim()
    .slice(1)
    .match(/\\\||`[^`]*`|\||[^|`\\]+|[\\`]/g) ?? []) {
    if (piece === '|') cells.push('');
    else cells[cells.length - 1] += piece;
  }
  if (cells.at(-1) === '') cells.pop();
  return cells.map((cell) => cell.trim());
}

/** @param {string[]} cells */
function isHeader(cells) {
  return cells.length === HEADER.length && cells.every((cell, index) => cell.toLowerCase() === HEADER[index]);
}

/**
 * Where each id is cited in the tests.
 * @param {string} root
 * @returns {Promise<Map<string, string>>} id to the first `file:line`
 */
async function readCitations(root) {
  const packages = path.join(root, 'packages');
  const directories = existsSync(packages) ? await readdir(packages) : [];
  const folders = [
    ...directories.sort().map((name) => path.join(packages, name, 'test')),
    ...['tools/test', 'test', 'conformance'].map((name) => path.join(root, name)),
  ];
  const files = (await Promise.all(folders.map((folder) => listFiles(folder, TEST_EXTENSIONS)))).flat();
  /** @type {Map<string, string>} */
  const citations = new Map();
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    for (const { id, line } of citedIds(text)) {
      if (!citations.has(id)) citations.set(id, `${path.relative(root, file).replaceAll(path.sep, '/')}:${line}`);
    }
  }
  return citations;
}

/**
 * Ids in square brackets, one or several: an id, or ids separated by commas.
 * @param {string} text
 * @returns {{ id: string, line: number }[]}
 */
export function citedIds(text) {
  /** @type {{ id: string, line: number }[]} */
  const cited = [];
  for (const [index, content] of text.split('\n').entries()) {
    for (const match of content.matchAll(/\[([A-Z][A-Z0-9]+-\d+[a-z]?(?:,\s*[A-Z][A-Z0-9]+-\d+[a-z]?)*)\]/g)) {
      for (const id of (match[1] ?? '').split(/,\s*/)) cited.push({ id, line: index + 1 });
    }
  }
  return cited;
}

/** @param {Requirement[]} requirements */
function duplicateIds(requirements) {
  /** @type {Map<string, string>} */
  const places = new Map();
  return requirements.flatMap(({ id, place }) => {
    const earlier = places.get(id);
    places.set(id, place);
    return earlier === undefined ? [] : [`${place}: ${id} is also the id of ${earlier}`];
  });
}

/** @param {Requirement[]} requirements @param {Map<string, string>} citations */
function uncited(requirements, citations) {
  return requirements
    .filter(({ id, state }) => state === 'tested' && !citations.has(id))
    .map(({ id, place }) => `${place}: ${id} is "tested" but no test cites [${id}]`);
}

/** @param {Requirement[]} requirements @param {Map<string, string>} citations */
function unknown(requirements, citations) {
  const known = new Set(requirements.map(({ id }) => id));
  return [...citations]
    .filter(([id]) => !known.has(id))
    .map(([id, place]) => `${place}: cites [${id}], which no document in docs/requirements has`);
}
