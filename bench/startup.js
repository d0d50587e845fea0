/**
 * How much `quire` adds to a bare start of Node.
 *
 *   node bench/startup.js [ROUNDS]       rounds from 1; 15 when absent
 *
 * `node -e 0` is the floor: nothing that runs on Node starts faster. `quire --version` adds the entry of the command,
 * `quire exec --help` the argument table.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { REPOSITORY_ROOT } from '../tools/lib/tool.js';
import { findMissingTool, runTimed } from './measure.js';
import { median } from './report.js';

const QUIRE = path.join(REPOSITORY_ROOT, 'packages/cli/bin/quire.js');
const DEFAULT_ROUNDS = 15;

/** @type {Readonly<Record<string, readonly string[]>>} */
const COMMANDS = {
  'node -e 0': [process.execPath, '-e', '0'],
  'quire --version': [process.execPath, QUIRE, '--version'],
  'quire exec --help': [process.execPath, QUIRE, 'exec', '--help'],
};

/** @param {number} rounds */
async function measure(rounds) {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-startup-'));
  /** @type {Record<string, import('./measure.js').Sample[]>} */
  const samples = Object.fromEntries(Object.keys(COMMANDS).map((name) => [name, []]));
  try {
    // The first round fills caches and does not count.
    for (let round = -1; round < rounds; round += 1) {
      for (const [name, command] of Object.entries(COMMANDS)) {
        const env = { PATH: process.env['PATH'] ?? '', HOME: folder };
        const { exitCode, sample, stderr } = await runTimed(command, { cwd: folder, env, folder });
        if (exitCode !== 0) throw new Error(`${name} ended with exit code ${exitCode}: ${stderr}`);
        if (round >= 0) samples[name]?.push(sample);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return samples;
}

const rounds = Number(process.argv[2] ?? DEFAULT_ROUNDS);
const missing = findMissingTool();
if (missing !== undefined || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`bench: ${missing ?? 'ROUNDS is a whole number from 1'}\n`);
  process.exitCode = 2;
} else {
  for (const [name, own] of Object.entries(await measure(rounds))) {
    const wall = median(own.map(({ wallMs }) => wallMs)).toFixed(1);
    const memory = median(own.map(({ peakMemoryMib }) => peakMemoryMib)).toFixed(0);
    process.stdout.write(`${name.padEnd(20)} ${wall.padStart(6)} ms  ${memory.padStart(4)} MiB\n`);
  }
}
