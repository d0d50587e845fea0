/** The table of patches through the peer's own patch program. */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { runCommand } from '../../tools/lib/run-command.js';
import { REPOSITORY_ROOT } from '../../tools/lib/tool.js';
import { layFiles, readFiles, readPatchTable, sortFiles } from './patch-table.js';

/** @typedef {import('../run.js').Case} Case */
/** @typedef {import('../lab.js').Lab} Lab */
/** @typedef {import('./patch-table.js').PatchCase} PatchCase */
/** @typedef {import('./patch-table.js').Files} Files */
/** @typedef {{ outcome: 'applied' | 'refused', report: readonly string[], files: Files }} Result */

/** Makes the peer's program behave as its patch command. Source: observed with 0.169. */
const PATCH_FLAG = '--codex-run-as-apply-patch';
const DIFFERENCES = 'docs/patch-differences.md';

/**
 * @param {{ peerPath: string }} programs
 * @returns {readonly Case[]}
 */
export function createPatchCases({ peerPath }) {
  /** [PATCH-51] @type {Case} */
  async function patchesHaveTheResultsOfThePeerButForListedDifferences(lab) {
    const table = await readPatchTable();
    assert.ok(table.length >= 120, `the table has ${table.length} cases`);
    /** @type {string[]} */
    const found = [];
    for (const [index, patchCase] of table.entries()) {
      const peer = await applyWithPeer(patchCase, { peerPath, folder: path.join(lab.folder, `patch-${index}`), lab });
      const quire = expectedResult(patchCase);
      if (!isDeepStrictEqual(peer, quire)) found.push(row(patchCase.name, peer, quire));
    }
    const listed = await listedDifferences();
    const rows = listed.map(({ facts }) => facts);
    assert.deepEqual(
      {
        unlisted: found.filter((each) => !rows.includes(each)),
        vanished: rows.filter((each) => !found.includes(each)),
      },
      { unlisted: [], vanished: [] },
      `${DIFFERENCES} must list every difference, and no other`,
    );
    for (const { facts, reason } of listed) assert.match(reason, /\w{3}/, `no reason is given for ${facts}`);
  }

  return [patchesHaveTheResultsOfThePeerButForListedDifferences];
}

/**
 * What the table says of us; our own tests hold us to it, in every form of a call.
 * @param {PatchCase} patchCase
 * @returns {Result}
 */
function expectedResult({ files, after, report = [] }) {
  return after === null
    ? { outcome: 'refused', report: [], files: sortFiles(files) }
    : { outcome: 'applied', report, files: sortFiles(after) };
}

/**
 * @param {PatchCase} patchCase
 * @param {{ peerPath: string, folder: string, lab: Lab }} place
 * @returns {Promise<Result>}
 */
async function applyWithPeer({ name, files, patch }, { peerPath, folder, lab }) {
  await mkdir(folder);
  await layFiles(folder, files);
  const command = [peerPath, PATCH_FLAG, patch.replaceAll('{root}', folder)];
  const { exitCode, output } = await runCommand(command, { cwd: folder, env: lab.environment });
  assert.ok(exitCode === 0 || exitCode === 1, `${name}: the peer ended with ${exitCode}\n${output}`);
  const after = await readFiles(folder);
  if (exitCode === 1) return { outcome: 'refused', report: [], files: after };
  const [first, ...report] = output.replaceAll(folder, '{root}').trimEnd().split('\n');
  assert.equal(first, 'Success. Updated the following files:', name);
  return { outcome: 'applied', report, files: after };
}

/**
 * One row of the document up to its reason: what differs, and nothing else.
 * @param {string} name
 * @param {Result} peer
 * @param {Result} quire
 */
function row(name, peer, quire) {
  const names = [...new Set([...Object.keys(peer.files), ...Object.keys(quire.files)])].sort();
  const differing = names.filter((file) => !isDeepStrictEqual(peer.files[file], quire.files[file]));
  const sameReport = isDeepStrictEqual(peer.report, quire.report) || peer.outcome !== quire.outcome;
  /** @param {Result} result */
  const cell = (result) => {
    const parts = differing.map((file) =>
      result.files[file] === undefined ? `no ${file}` : `${file} ${shown(result.files[file])}`,
    );
    return [result.outcome, ...(sameReport ? [] : [shown(result.report.join(', '))]), ...parts].join('; ');
  };
  return `| ${name} | ${cell(peer)} | ${cell(quire)} |`;
}

/**
 * Fits into a cell; what can not be seen is spelled out.
 * @param {unknown} content
 */
function shown(content) {
  return `\`${JSON.stringify(content).replaceAll('\uFEFF', '\\ufeff').replaceAll('|', '\\|')}\``;
}

/** @returns {Promise<readonly { facts: string, reason: string }[]>} */
async function listedDifferences() {
  const text = await readFile(path.join(REPOSITORY_ROOT, DIFFERENCES), 'utf8');
  return text.split('\n').flatMap((line) => {
    const match = /^(\|(?:(?:[^|\\]|\\.)*\|){3})((?:[^|\\]|\\.)*)\|$/.exec(line);
    const [, facts = '', reason = ''] = match ?? [];
    return match === null || facts.startsWith('| case |') || facts.startsWith('|---') ? [] : [{ facts, reason }];
  });
}
