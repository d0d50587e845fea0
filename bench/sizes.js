/**
 * How large the fixtures are. `BENCH_SCALE` makes the large ones smaller, for a look whether all works; the result then
 * carries another fixture hash. It is in the environment because the provider and others run in processes of their own.
 */

/** 1 is the real size. */
const SCALE = Number(process.env['BENCH_SCALE'] ?? 1);

/** @param {number} count */
const scaled = (count) => Math.max(2, Math.round(count * SCALE));

/** One item opens a turn, one ends it, the others are pairs of a call and its output. A hundred MB as a rollout. */
export const LONG_HISTORY = { turns: scaled(/* count */ 500), itemsPerTurn: 100, outputBytes: 3700 };

/** Half a gigabyte that a compaction replaced, and a few turns behind it. */
export const COMPACTED_HISTORY = {
  turns: scaled(/* count */ 1250),
  itemsPerTurn: 100,
  outputBytes: 7800,
  turnsBehind: 3,
};

/** Items of a history from which requests are assembled. */
export const ASSEMBLY = { items: 5000, outputBytes: 1000 };

/** Files in which something is searched for. */
export const FILE_SEARCH = { files: scaled(/* count */ 100_000) };

/** Turns with one command each. */
export const LONG_WORK = {
  turns: scaled(/* count */ 1000),
  outputBytes: 10 * 1024 * 1024,
  sampleEvery: scaled(/* count */ 100),
};
