/** The peer and `quire` do the same work, and what they export is compared by its names. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { OtlpCollector } from '@quire/simulator';
import { addExports, differencesOf, emptyInventory } from './inventory.js';
import { play, SCENARIOS } from './scenarios.js';

/**
 * @typedef {import('../run.js').Case} Case
 * @typedef {import('../homes/programs.js').ProgramPaths} ProgramPaths
 * @typedef {{ reason: string, records: string[] }} Reasoned
 * @typedef {{ peer: Reasoned[], quire: Reasoned[], dependsOnTheRun: Reasoned[] }} KnownDifferences
 */

const PROGRAMS = /** @type {const} */ (['peer', 'quire']);

/** Two starts of programs per scenario, and some need a login first. Milliseconds. */
const TIMEOUT_MS = 300_000;

/**
 * [CONF-90] [CONF-91]
 * @param {ProgramPaths & { openLab: () => Promise<import('../lab.js').Lab> }} parts
 * @returns {readonly Case[]}
 */
export function createTelemetryCases({ openLab, ...paths }) {
  /** @type {Case} */
  async function telemetryHasTheNamesThatThePeerHas(_lab) {
    const inventories = { peer: emptyInventory(), quire: emptyInventory() };
    for (const program of PROGRAMS) {
      for (const scenario of SCENARIOS) {
        const [collector, lab] = await Promise.all([OtlpCollector.start(), openLab()]);
        try {
          await play(lab, paths, { program, scenario, collector: collector.url });
          addExports(inventories[program], collector);
        } catch (cause) {
          throw new Error(`${program}, ${scenario.title}`, { cause });
        } finally {
          await Promise.all([lab.abandon(), collector[Symbol.asyncDispose]()]);
        }
      }
    }
    const found = differencesOf(inventories.peer, inventories.quire);
    const known = await readKnown();
    assert.deepEqual(judge(found, known), { unlisted: [], vanished: [] });
  }
  /** @type {Case} */
  async function telemetryThatDiffersInAnotherWayFails(_lab) {
    /** @param {string} record */
    const reasoned = (record) => [{ reason: 'a reason', records: [record] }];
    const known = { peer: reasoned('metric a'), quire: reasoned('metric b'), dependsOnTheRun: reasoned('metric c') };
    assert.deepEqual(judge({ peer: ['metric a', 'metric c'], quire: ['metric b'] }, known), {
      unlisted: [],
      vanished: [],
    });
    assert.deepEqual(judge({ peer: ['metric d'], quire: ['metric b', 'metric a'] }, known), {
      unlisted: ['only peer: metric d', 'only quire: metric a'],
      vanished: ['only peer: metric a'],
    });
    const family = { peer: [], quire: [], dependsOnTheRun: reasoned('metric own.*') };
    assert.deepEqual(judge({ peer: ['metric own.a'], quire: ['metric own.b'] }, family), {
      unlisted: ['only quire: metric own.b'],
      vanished: [],
    });
    const one = new Map([['metric a', new Map([['unit', new Set(['ms'])]])]]);
    const other = new Map([['metric a', new Map([['unit', new Set(['s'])]])]]);
    assert.deepEqual(differencesOf(one, other), { peer: ['metric a, unit: ms'], quire: ['metric a, unit: s'] });
  }
  return [
    telemetryThatDiffersInAnotherWayFails,
    Object.assign(telemetryHasTheNamesThatThePeerHas, { timeoutMs: TIMEOUT_MS }),
  ];
}

/** @returns {Promise<KnownDifferences>} */
async function readKnown() {
  return JSON.parse(await readFile(new URL('differences.json', import.meta.url), 'utf8'));
}

/**
 * A record of `dependsOnTheRun` that ends in `*` stands for all of the peer's that begin so, and for none of ours.
 * @param {{ peer: string[], quire: string[] }} found
 * @param {KnownDifferences} known
 */
function judge(found, known) {
  const sometimes = known.dependsOnTheRun.flatMap(({ records }) => records);
  /** @type {string[]} */
  const unlisted = [];
  /** @type {string[]} */
  const vanished = [];
  for (const program of PROGRAMS) {
    const listed = new Set(known[program].flatMap(({ records }) => records));
    /** @param {string} line */
    const dependsOnTheRun = (line) =>
      sometimes.some((record) =>
        record.endsWith('*') ? program === 'peer' && line.startsWith(record.slice(0, -1)) : line === record,
      );
    const here = new Set(found[program]);
    unlisted.push(
      ...found[program]
        .filter((line) => !listed.has(line) && !dependsOnTheRun(line))
        .map((line) => `only ${program}: ${line}`),
    );
    vanished.push(
      ...[...listed]
        .filter((line) => !here.has(line) && !dependsOnTheRun(line))
        .map((line) => `only ${program}: ${line}`),
    );
  }
  return { unlisted, vanished };
}
