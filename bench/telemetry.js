/** What exporting telemetry adds to a run. */
import { createServer } from 'node:http';
import { OtlpCollector } from '@quire/simulator';
import { observeRun } from './measure.js';
import { median } from './report.js';
import { SCENARIOS } from './scenarios.js';

/** Of a turn with many tiny events. */
const LARGEST_SHARE = 0.05;
const WAYS = /** @type {const} */ (['off', 'on']);
const MEASURED = /** @type {const} */ (['cold-one-tool', 'hundred-thousand-deltas']);

/**
 * The same runs with nothing configured, which loads and connects nothing, and with everything exported to a collector on loopback.
 * @param {import('./clients.js').Client} client
 * @param {{ rounds: number, homesFolder: string, provider: import('./provider-process.js').ProviderProcess }} options
 * @returns {Promise<import('./findings.js').Finding[]>}
 */
export async function measureTelemetry(client, { rounds, homesFolder, provider }) {
  /** @type {import('./findings.js').Finding[]} */
  const findings = [];
  for (const name of MEASURED) {
    const scenario = SCENARIOS[name];
    if (scenario === undefined) throw new Error(`no scenario ${name}`);
    /** @type {Record<'off' | 'on', import('./measure.js').Sample[]>} */
    const samples = { off: [], on: [] };
    for (let round = -1; round < rounds; round += 1) {
      for (const way of round % 2 === 0 ? WAYS : WAYS.toReversed()) {
        const inbox = await openInbox();
        try {
          const extraArguments = way === 'off' ? [] : exportTo(inbox.url);
          const run = { name, scenario, homesFolder, provider, extraArguments };
          const { sample } = (await observeRun(client, run)).result;
          await judge(inbox, way);
          if (round >= 0) samples[way].push(sample);
        } finally {
          await inbox.close();
        }
      }
    }
    findings.push(findingOf(name, samples));
  }
  return findings;
}

/** @param {string} url */
function exportTo(url) {
  return ['exporter', 'trace_exporter', 'metrics_exporter'].flatMap((key) => [
    '-c',
    `otel.${key}={otlp-http={endpoint="${url}"}}`,
  ]);
}

/** @typedef {Parameters<OtlpCollector['receive']>[0]} Post */

/**
 * Takes everything at once, as a collector near by does. What it got is read when the clock has stopped.
 * @returns {Promise<{ url: string, posts: Post[], connections: () => number, close: () => Promise<void> }>}
 */
async function openInbox() {
  /** @type {Post[]} */
  const posts = [];
  let connections = 0;
  const server = createServer((request, response) => {
    /** @type {Buffer[]} */
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      posts.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    posts,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(() => resolve(undefined)));
    },
  };
}

/** A run that exported nothing, or too much, has no time. @param {Awaited<ReturnType<typeof openInbox>>} inbox @param {'off' | 'on'} way */
async function judge({ posts, connections }, way) {
  const collector = await OtlpCollector.start();
  for (const post of posts) collector.receive(post);
  const { spans, logs, metrics, violations } = collector;
  await collector[Symbol.asyncDispose]();
  const isWhole = spans.length > 0 && logs.length > 0 && metrics.length > 0 && violations.length === 0;
  if (way === 'off' ? connections() === 0 : isWhole) return;
  throw new Error(`telemetry ${way}: ${connections()} connections; ${violations.join('; ')}`);
}

/** @param {string} name @param {Record<'off' | 'on', import('./measure.js').Sample[]>} samples */
function findingOf(name, { off, on }) {
  const of = (/** @type {import('./measure.js').Sample[]} */ list, /** @type {'wallMs' | 'cpuMs'} */ what) =>
    median(list.map((sample) => sample[what]));
  const [wallOff, wallOn, cpuOff, cpuOn] = [of(off, 'wallMs'), of(on, 'wallMs'), of(off, 'cpuMs'), of(on, 'cpuMs')];
  const share = wallOn / wallOff - 1;
  const more = `${(wallOn - wallOff).toFixed(0)} ms wall (${(share * 100).toFixed(1)} %), ${(cpuOn - cpuOff).toFixed(0)} ms CPU more`;
  const isBound = name !== 'cold-one-tool';
  return {
    measure: `quire: ${name} with telemetry`,
    value: `${wallOn.toFixed(0)} ms; ${wallOff.toFixed(0)} ms without`,
    target: isBound ? `${more}, ≤ ${LARGEST_SHARE * 100} % ${share <= LARGEST_SHARE ? 'met' : 'MISSED'}` : more,
  };
}
