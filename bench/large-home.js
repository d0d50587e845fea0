/** What a home folder of years costs until the first request. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { REPOSITORY_ROOT } from '../tools/lib/tool.js';
import { median } from './report.js';

const QUIRE = path.join(REPOSITORY_ROOT, 'packages/cli/bin/quire.js');
const SCALE = Number(process.env['BENCH_SCALE'] ?? '1');
const ROLLOUTS = Math.ceil(4_096 * SCALE);
const ROLLOUT_BYTES = 512 * 1024;
const PROJECTS = 3_000;
const PROVIDERS = 100;
/** Milliseconds. */
const LARGEST_DIFFERENCE = 50;
const WAYS = /** @type {const} */ (['empty', 'large']);

/**
 * From the start of the process to the first request, with an empty home and with one of 2 GB of recorded threads and a
 * configuration of thousands of tables. No list of models is kept in either.
 * @param {{ rounds: number }} options
 * @returns {Promise<import('./findings.js').Finding>}
 */
export async function measureLargeHome({ rounds }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-large-home-'));
  const provider = await openProvider();
  try {
    const homes = { empty: path.join(folder, 'empty'), large: path.join(folder, 'large') };
    for (const home of Object.values(homes)) await mkdir(home);
    await writeFile(path.join(homes.empty, 'config.toml'), configOf(provider.url));
    await writeFile(path.join(homes.large, 'config.toml'), configOf(provider.url) + manyTables());
    await writeRollouts(homes.large);
    /** @type {Record<'empty' | 'large', number[]>} */
    const samples = { empty: [], large: [] };
    for (let round = -1; round < rounds; round += 1) {
      for (const way of round % 2 === 0 ? WAYS : WAYS.toReversed()) {
        const tookMs = await timeToRequest(homes[way], provider);
        if (round >= 0) samples[way].push(tookMs);
      }
    }
    const [empty, large] = [median(samples.empty), median(samples.large)];
    const verdict = large - empty <= LARGEST_DIFFERENCE ? 'met' : 'MISSED';
    return {
      measure: `quire: first request with ${ROLLOUTS} recorded threads of 512 KiB, ${PROJECTS} projects and ${PROVIDERS} providers`,
      value: `${Math.round(large)} ms; ${Math.round(empty)} ms with an empty home`,
      target: `${Math.round(large - empty)} ms more, ≤ ${LARGEST_DIFFERENCE} ${verdict}`,
    };
  } finally {
    provider.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * @param {string} home
 * @param {Awaited<ReturnType<typeof openProvider>>} provider
 */
async function timeToRequest(home, provider) {
  const asked = provider.nextRequest();
  const startedAt = performance.now();
  const child = spawn(process.execPath, [QUIRE, 'exec', '--skip-git-repo-check', '--json', 'Go.'], {
    cwd: path.dirname(home),
    env: { PATH: process.env['PATH'] ?? '', HOME: home, QUIRE_HOME: home },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 60_000,
  });
  const ended = once(child, 'exit');
  const askedAt = await Promise.race([asked, ended.then(() => undefined)]);
  const [code] = await ended;
  if (askedAt === undefined || code !== 0) throw new Error(`the run ended with ${code}`);
  return askedAt - startedAt;
}

async function openProvider() {
  /** @type {(atMs: number) => void} */
  let onRequest = () => undefined;
  const server = createServer((request, response) => {
    onRequest(performance.now());
    request.resume().once('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const item = { type: 'message', role: 'assistant', id: 'm', content: [{ type: 'output_text', text: 'Done.' }] };
      const events = [
        { type: 'response.created', response: { id: 'r' } },
        { type: 'response.output_item.done', output_index: 0, item },
        { type: 'response.completed', response: { id: 'r' } },
      ];
      response.end(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}/v1`,
    /** When it comes, as `performance.now()`. @returns {Promise<number>} */
    nextRequest: () =>
      new Promise((resolve) => {
        onRequest = resolve;
      }),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** @param {string} url */
function configOf(url) {
  return `model = "gpt-5.1"\nmodel_provider = "bench"\n[model_providers.bench]\nname = "Bench"\nbase_url = "${url}"\n`;
}

function manyTables() {
  const projects = Array.from(
    { length: PROJECTS },
    (_, index) => `[projects."/work/${index}"]\ntrust_level = "trusted"\n`,
  );
  const providers = Array.from(
    { length: PROVIDERS },
    (_, index) => `[model_providers.p${index}]\nname = "P ${index}"\nbase_url = "http://127.0.0.1:${index + 1}/v1"\n`,
  );
  return [...projects, ...providers].join('');
}

/** @param {string} home */
async function writeRollouts(home) {
  const text = 'What was said, again and again. '.repeat(128);
  for (let index = 0; index < ROLLOUTS; index += 1) {
    const id = randomUUID();
    const day = String(1 + (index % 28)).padStart(2, '0');
    const month = String(1 + (Math.floor(index / 28) % 12)).padStart(2, '0');
    const folder = path.join(home, 'sessions/2025', month, day);
    await mkdir(folder, { recursive: true });
    const timestamp = `2025-${month}-${day}T10:00:00.000Z`;
    const meta = { id, timestamp, cwd: '/work', originator: 'bench', cli_version: '0', source: 'exec' };
    const said = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
    const line = `${JSON.stringify({ timestamp, type: 'response_item', payload: said })}\n`;
    const head = `${JSON.stringify({ timestamp, type: 'session_meta', payload: meta })}\n`;
    const body = line.repeat(Math.ceil(ROLLOUT_BYTES / line.length));
    await writeFile(path.join(folder, `rollout-2025-${month}-${day}T10-00-00-${id}.jsonl`), head + body);
  }
}
