/** Numbers to table and file. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import os from 'node:os';
import { PEER } from './clients.js';
import { FIXTURE, SCENARIOS } from './scenarios.js';

/**
 * @typedef {import('./measure.js').Sample} Sample
 * @typedef {keyof Sample} Quantity
 * @typedef {Record<string, Record<string, Sample[]>>} Samples by scenario and client, in order of measurement
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** @param {readonly Sample[] | undefined} samples @param {Quantity} quantity */
function medianOf(samples, quantity) {
  return median((samples ?? []).map((sample) => sample[quantity]));
}

const COLUMNS = ['scenario', 'client', 'wall ms', 'min', 'ratio', 'CPU ms', 'ratio', 'peak MiB', 'ratio', 'target'];

/**
 * A Markdown table; ratios are medians against the native peer's.
 * @param {Samples} samples
 */
export function formatTable(samples) {
  const rows = Object.entries(samples).flatMap(([scenario, clients]) =>
    Object.entries(clients).map(([client, own]) => formatRow({ scenario, client, own, peer: clients[PEER] })),
  );
  const table = [COLUMNS, ...rows];
  const widths = COLUMNS.map((_title, column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  const lines = table.map((row) => `| ${row.map((cell, column) => alignCell(cell, { column, widths })).join(' | ')} |`);
  const rule = `|${widths.map((width, column) => `${'-'.repeat(width + 1)}${isText(column) ? '-' : ':'}`).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

/** @param {{ scenario: string, client: string, own: readonly Sample[], peer: readonly Sample[] | undefined }} entry */
function formatRow({ scenario, client, own, peer }) {
  if (own.length === 0) return [scenario, client, 'n/a', '', '', '', '', '', '', ''];
  const ratio = (/** @type {Quantity} */ quantity) => medianOf(own, quantity) / medianOf(peer, quantity);
  const shown = (/** @type {Quantity} */ quantity) =>
    client === PEER || Number.isNaN(ratio(quantity)) ? '' : ratio(quantity).toFixed(2);
  return [
    scenario,
    client,
    medianOf(own, 'wallMs').toFixed(0),
    Math.min(...own.map(({ wallMs }) => wallMs)).toFixed(0),
    shown('wallMs'),
    medianOf(own, 'cpuMs').toFixed(0),
    shown('cpuMs'),
    medianOf(own, 'peakMemoryMib').toFixed(0),
    shown('peakMemoryMib'),
    client === 'quire'
      ? formatTargets(SCENARIOS[scenario]?.targets ?? {}, { ratio, peakMib: medianOf(own, 'peakMemoryMib') })
      : '',
  ];
}

/**
 * @param {import('./scenarios.js').Targets} targets
 * @param {{ ratio: (quantity: Quantity) => number, peakMib: number }} measured
 */
function formatTargets(targets, { ratio, peakMib }) {
  const judge = (/** @type {string} */ name, /** @type {number | undefined} */ limit, /** @type {number} */ value) =>
    limit === undefined || Number.isNaN(value) ? [] : [`${name} ≤ ${limit} ${value <= limit ? 'met' : 'MISSED'}`];
  return [
    ...judge('wall', targets.wall, ratio('wallMs')),
    ...judge('CPU', targets.cpu, ratio('cpuMs')),
    ...judge('memory', targets.memory, ratio('peakMemoryMib')),
    ...judge('peak MiB', targets.peakMib, peakMib),
  ].join(', ');
}

/** @param {string} cell @param {{ column: number, widths: readonly number[] }} layout */
function alignCell(cell, { column, widths }) {
  const width = widths[column] ?? 0;
  return isText(column) ? cell.padEnd(width) : cell.padStart(width);
}

/** @param {number} column */
function isText(column) {
  return column < 2 || column === COLUMNS.length - 1;
}

/** The machine and the fixtures: results with another one are not comparable. */
export function describeCircumstances() {
  const cpus = os.cpus();
  return {
    date: new Date().toISOString(),
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGib: Math.round(os.totalmem() / 1024 ** 3),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    commit: readCommit(),
    loadAverage: os.loadavg().map((load) => Math.round(load * 100) / 100),
    fixture: FIXTURE,
    fixtureHash: createHash('sha256').update(JSON.stringify(FIXTURE)).digest('hex').slice(0, 16),
  };
}

/** @type {import('node:child_process').ExecFileSyncOptionsWithStringEncoding} */
const GIT_OPTIONS = { encoding: 'utf8', cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'ignore'] };

function readCommit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], GIT_OPTIONS).trim();
  } catch {
    return 'unknown'; // a copy without its repository still has results
  }
}
