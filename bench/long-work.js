/** Memory over a thousand turns, each with a command that prints ten megabytes. */
import { fork } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { median } from './report.js';
import { LONG_WORK } from './sizes.js';

/** @typedef {import('./long-work-process.js').Progress} Progress */

/** Largest accepted growth from the first third of the samples to the last. */
const LARGEST_GROWTH = 1.2;

/**
 * @param {{ homesFolder: string, provider: import('./provider-process.js').ProviderProcess }} tools
 * @returns {Promise<import('./findings.js').Finding>}
 */
export async function measureLongWork({ homesFolder, provider }) {
  await mkdir(homesFolder, { recursive: true });
  const home = await mkdtemp(path.join(homesFolder, 'home-'));
  const repository = await realpath(await mkdtemp(path.join(tmpdir(), 'bench-repository-')));
  try {
    await mkdir(path.join(repository, '.git'));
    const url = await provider.start('long-work');
    const samples = await watch({ url, home, repository });
    const { isRight } = await provider.finish();
    if (!isRight) throw new Error('long-work: a request lacks what it should carry');
    return finding(samples);
  } finally {
    for (const folder of [home, repository]) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** @param {readonly number[]} samples MiB @returns {import('./findings.js').Finding} */
function finding(samples) {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const growth = median(samples.slice(-third)) / median(samples.slice(0, third));
  const gigabytes = (LONG_WORK.turns * LONG_WORK.outputBytes) / 1e9;
  return {
    measure: `quire: resident memory over ${LONG_WORK.turns.toLocaleString('en')} turns with ${gigabytes.toFixed(1)} GB of tool output`,
    value: `${samples.map((mib) => mib.toFixed(0)).join(', ')} MiB; growth ${growth.toFixed(2)}`,
    target: `growth ≤ ${LARGEST_GROWTH} ${growth <= LARGEST_GROWTH ? 'met' : 'MISSED'}`,
  };
}

/** @param {import('./long-work-process.js').Order} order @returns {Promise<number[]>} */
function watch(order) {
  const child = fork(path.join(import.meta.dirname, 'long-work-process.js'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  /** @type {number[]} */
  const samples = [];
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      const progress = /** @type {Progress} */ (message);
      if (progress.kind === 'sample') samples.push(progress.residentMib);
      if (progress.kind === 'done') resolve(samples);
      if (progress.kind === 'failed') reject(new Error(`long-work: ${progress.reason}`));
    });
    child.once('exit', (code) => reject(new Error(`long-work: the process ended with exit code ${code}`)));
    child.send(order);
  });
}
