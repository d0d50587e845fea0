/** What WebSocket saves beside time and processor: bytes that need not be sent, and a handshake that nobody waits for. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Quire } from '@quire/agent';
import { acceptUpgrade, delay, rehearse, respond, Simulator, text } from '@quire/simulator';
import { observeRun } from './measure.js';
import { median } from './report.js';
import { SCENARIOS } from './scenarios.js';

/** @typedef {import('./clients.js').Client} Client */
/** @typedef {import('./findings.js').Finding} Finding */

const LARGEST_SHARE_OF_BYTES = 0.1;
const SMALLEST_HIDDEN_SHARE = 0.9;
const HANDSHAKE_DELAY_MS = 300;

/**
 * Bytes that `quire` and the peer send in fifty rounds over either transport, as the provider counted them, and for `quire`
 * as its receipts tell.
 * @param {readonly Client[]} clients
 * @param {{ homesFolder: string, provider: import('./provider-process.js').ProviderProcess }} tools
 * @returns {Promise<Finding[]>}
 */
export async function measureBytes(clients, tools) {
  /** @type {Finding[]} */
  const findings = [];
  for (const client of clients) {
    const tellsReceipts = client.name === 'quire';
    const sent = async (/** @type {string} */ name) => {
      const scenario = SCENARIOS[name];
      if (scenario === undefined) throw new Error(`no scenario ${name}`);
      const extraArguments = tellsReceipts ? ['--receipt'] : [];
      const { result, seen } = await observeRun(client, { name, scenario, ...tools, extraArguments });
      return { provider: seen.bytesReceived, receipts: bytesOfReceipts(result.stdout) };
    };
    const sse = await sent('fifty-tool-rounds');
    const webSocket = await sent('websocket-fifty-tool-rounds');
    findings.push(
      compareBytes(`${client.name}: bytes of 50 rounds, by the provider`, sse.provider, webSocket.provider),
    );
    if (tellsReceipts) {
      findings.push(compareBytes('quire: bytes of 50 rounds, by its receipts', sse.receipts, webSocket.receipts));
    }
  }
  return findings;
}

/** @param {string} measure @param {number} sse @param {number} webSocket @returns {Finding} */
function compareBytes(measure, sse, webSocket) {
  const share = webSocket / sse;
  const judged = `share ≤ ${LARGEST_SHARE_OF_BYTES} ${share <= LARGEST_SHARE_OF_BYTES ? 'met' : 'MISSED'}`;
  return {
    measure,
    value: `SSE ${sse.toLocaleString('en')}, WebSocket ${webSocket.toLocaleString('en')}, share ${share.toFixed(3)}`,
    target: measure.startsWith('quire') ? judged : '',
  };
}

/** @param {string} stdout */
function bytesOfReceipts(stdout) {
  return stdout
    .split('\n')
    .flatMap((line) => (line.includes('"turn.receipt"') ? JSON.parse(line).requests : []))
    .reduce((sum, request) => sum + request.bytes_sent, 0);
}

/**
 * How much of a slow handshake a first turn does not feel that begins when the warm-up is done, as after a person typed.
 * @param {{ rounds: number }} options
 * @returns {Promise<Finding>}
 */
export async function measureWarmUp({ rounds }) {
  /** @type {Record<'fast' | 'hidden' | 'felt', number[]>} */
  const samples = { fast: [], hidden: [], felt: [] };
  for (let round = -1; round < rounds; round += 1) {
    const fast = await timeFirstAnswer({ delayMs: 0, afterWarmUp: true });
    const hidden = await timeFirstAnswer({ delayMs: HANDSHAKE_DELAY_MS, afterWarmUp: true });
    const felt = await timeFirstAnswer({ delayMs: HANDSHAKE_DELAY_MS, afterWarmUp: false });
    if (round < 0) continue;
    samples.fast.push(fast);
    samples.hidden.push(hidden);
    samples.felt.push(felt);
  }
  const [fast, hidden, felt] = [median(samples.fast), median(samples.hidden), median(samples.felt)];
  const share = 1 - (hidden - fast) / HANDSHAKE_DELAY_MS;
  return {
    measure: `quire: share of a ${HANDSHAKE_DELAY_MS} ms handshake that warm-up hides`,
    value: `${(share * 100).toFixed(1)} % (first answer after ${hidden.toFixed(1)} ms; ${fast.toFixed(1)} ms without the delay; ${felt.toFixed(1)} ms when the turn begins with the thread)`,
    target: `share ≥ ${SMALLEST_HIDDEN_SHARE} ${share >= SMALLEST_HIDDEN_SHARE ? 'met' : 'MISSED'}`,
  };
}

/**
 * Milliseconds from the start of a thread's first turn to the first piece of its answer.
 * @param {{ delayMs: number, afterWarmUp: boolean }} options
 */
async function timeFirstAnswer({ delayMs, afterWarmUp }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-warm-up-'));
  const simulator = await Simulator.start({
    handshakes: [delay(delayMs, acceptUpgrade())],
    rules: rehearse(() => respond(text('Done.'))),
  });
  try {
    const provider = `{name="bench", base_url="${simulator.url}", supports_websockets=true}`;
    const quire = new Quire({
      home: folder,
      environment: { PATH: process.env['PATH'], SHELL: '/bin/sh', HOME: folder },
      configOverrides: [`model_providers.bench=${provider}`, 'model_provider=bench'],
    });
    const thread = await quire.startThread({ workingDirectory: folder, skipGitRepoCheck: true, ephemeral: true });
    if (afterWarmUp) {
      await simulator.prewarm(/* index */ 0);
      // The answer to the prewarm is on its way through this very process.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const startedAt = performance.now();
    let firstAt = Number.NaN;
    await thread.runPushed('Say something.', {
      onEvent: ({ kind }) => {
        if (kind === 'text-delta' && Number.isNaN(firstAt)) firstAt = performance.now();
      },
    });
    await thread.close();
    if (simulator.handshakes.length !== 1) throw new Error(`${simulator.handshakes.length} handshakes instead of one`);
    if (Number.isNaN(firstAt)) throw new Error('the turn had no answer');
    return firstAt - startedAt;
  } finally {
    await simulator.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
