import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createCertificateAuthority } from '@quire/simulator';
import { expect, test } from 'vitest';
import { inParallel } from '../support/in-parallel.ts';
import { allCells, boundOf, type Cell, type CellResult, isWaiting, runCell } from './support/fault-cells.ts';
import { renderFaultTable } from './support/fault-table.ts';
import { WHOLE_RECORD } from './support/faults.ts';
import { OpenSockets } from './support/open-sockets.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/transport-faults.md', import.meta.url));
/** Cells at a time. Those that wait are not held up by those that work. */
const WORKING = 12;
const WAITING = 24;

/** What is wrong with a cell; a right one gives nothing. */
function problemsOf(cell: Cell, result: CellResult): readonly string[] {
  const problems: string[] = [];
  const { terminalEvents, lastEvent, outcome, record, items, commands, durationMs, violations } = result;
  if (terminalEvents !== 1 || lastEvent !== 'turn-end') problems.push(`${terminalEvents} ends, last ${lastEvent}`);
  if (durationMs > boundOf(cell)) problems.push(`took ${Math.round(durationMs)} ms`);
  // A turn that fails has a part of the record; in no case anything is there twice or out of order.
  const right = outcome.kind === 'completed' ? WHOLE_RECORD : WHOLE_RECORD.slice(0, record.length);
  if (JSON.stringify(record) !== JSON.stringify(right)) problems.push(`record ${JSON.stringify(record)}`);
  const shown = record.filter((entry) => !entry.startsWith('call '));
  if (JSON.stringify(items) !== JSON.stringify(shown)) problems.push(`items ${JSON.stringify(items)}`);
  if (commands.length !== record.filter((entry) => entry.startsWith('output ')).length) {
    problems.push(`${commands.length} commands ran`);
  }
  return [...problems, ...violations];
}

test('every fault at every moment ends in one terminal event in time, with nothing lost, doubled or left open [TRANSPORT-20, TRANSPORT-21, TRANSPORT-22, TRANSPORT-23]', async () => {
  using sockets = new OpenSockets();
  await using ca = await createCertificateAuthority();
  const certificate = await ca.issue();
  const authority = { ...ca, issue: () => Promise.resolve(certificate) };
  const cells = allCells();
  const found = new Map<Cell, CellResult>();
  const run = async (cell: Cell) => found.set(cell, await runCell(cell, { sockets, authority }));
  const working = cells.filter((cell) => !isWaiting(cell));
  await inParallel(working, WORKING, run);
  await inParallel(cells.filter(isWaiting), WAITING, run);
  const results = cells.flatMap((cell) => {
    const result = found.get(cell);
    return result === undefined ? [] : [{ cell, result }];
  });
  const wrong = results.flatMap(({ cell, result }) => {
    const problems = problemsOf(cell, result);
    return problems.length === 0 ? [] : [{ ...cell, summary: result.summary, problems }];
  });
  expect(wrong).toEqual([]);
  const document = renderFaultTable(results);
  if (process.env['QUIRE_UPDATE_DOCS'] === '1') await writeFile(DOCUMENT, document);
  expect(await readFile(DOCUMENT, 'utf8')).toBe(document);
}, /* timeoutMs */ 120_000);
