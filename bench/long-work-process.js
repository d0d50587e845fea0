/** A program that works on one thread for long, in a process of its own: what it tells is its own memory. */
import { Quire } from '@quire/agent';
import { LONG_WORK } from './sizes.js';

/**
 * @typedef {{ url: string, home: string, repository: string }} Order
 * @typedef {{ kind: 'sample', turns: number, residentMib: number } | { kind: 'done' } | { kind: 'failed', reason: string }} Progress
 */

/** Tokens after which the thread makes itself shorter: it does so again and again here. */
const COMPACT_AT_TOKENS = 60_000;
const MIB = 1024 ** 2;

process.once('message', (order) => {
  void work(/** @type {Order} */ (order)).then(
    () => tell({ kind: 'done' }),
    (error) =>
      tell({ kind: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

/** @param {Order} order */
async function work({ url, home, repository }) {
  const quire = new Quire({
    home,
    environment: { PATH: process.env['PATH'], HOME: home, SHELL: '/bin/sh' },
    configOverrides: [
      `model_providers.bench={name="bench", base_url=${JSON.stringify(url)}, wire_api="responses"}`,
      'model_provider=bench',
      `model_auto_compact_token_limit=${COMPACT_AT_TOKENS}`,
    ],
  });
  const options = { workingDirectory: repository, model: 'mock-model' };
  const thread = await quire.startThread({ ...options, sandboxMode: 'danger-full-access' });
  try {
    for (let turn = 1; turn <= LONG_WORK.turns; turn += 1) {
      await thread.run(`Turn ${turn}: run the command.`);
      if (turn % LONG_WORK.sampleEvery !== 0) continue;
      tell({ kind: 'sample', turns: turn, residentMib: process.memoryUsage.rss() / MIB });
    }
  } finally {
    await thread.close();
  }
}

/** @param {Progress} progress */
function tell(progress) {
  process.send?.(progress, undefined, {}, () => {
    if (progress.kind !== 'sample') process.disconnect();
  });
}
