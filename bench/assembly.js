/** What a request of a long thread costs beside writing its JSON. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { findModel } from '@quire/core';
import { REPOSITORY_ROOT } from '../tools/lib/tool.js';
import { median } from './report.js';
import { ASSEMBLY } from './sizes.js';

/**
 * @typedef {import('../packages/protocol/src/response-item.ts').ResponseItem} ResponseItem
 * @typedef {import('../packages/core/src/thread/settings.ts').ThreadSettings} ThreadSettings
 */

const LARGEST_COST_MS = 5;
/** @type {import('@quire/model-client').HostTraits} */
const TRAITS = { storeItems: false, itemIds: false, searchesWeb: true, losesItemEnds: true };
const TURN = { tools: [], outputSchema: undefined };

/**
 * For a history that was just read, and for one that then grew by a call and its output, as in a tool loop: the time from the
 * history to a request, and with its body as bytes, beside `JSON.stringify` for the same body.
 * @param {{ rounds: number }} options
 * @returns {Promise<import('./findings.js').Finding[]>}
 */
export async function measureAssembly({ rounds }) {
  const { History, buildModelRequest, BodyEncoder } = await loadParts();
  /** @type {Record<'first' | 'next', Record<'request' | 'body' | 'json', number[]>>} */
  const samples = { first: { request: [], body: [], json: [] }, next: { request: [], body: [], json: [] } };
  for (let round = -1; round < rounds; round += 1) {
    const history = new History(createItems(ASSEMBLY.items));
    const encoder = new BodyEncoder({ threadId: 'thread', traits: TRAITS });
    for (const which of /** @type {const} */ (['first', 'next'])) {
      if (which === 'next')
        for (const item of createItems(/* count */ 2, { from: ASSEMBLY.items })) history.append(item);
      const request = timed(() => buildModelRequest(settings(), history, TURN));
      const body = timed(() => encoder.encode(request.result));
      const value = JSON.parse(body.result.toString('utf8'));
      if (value.input.length !== history.items.length) throw new Error(`${value.input.length} items in the request`);
      const json = timed(() => Buffer.from(JSON.stringify(value)));
      if (!json.result.equals(body.result)) throw new Error('the body is not what JSON.stringify makes of it');
      if (round < 0) continue;
      samples[which].request.push(request.tookMs);
      samples[which].body.push(body.tookMs);
      samples[which].json.push(json.tookMs);
    }
  }
  return [
    finding('the first request of a thread that was read', samples.first),
    finding('the next one of a tool loop', samples.next),
  ];
}

/**
 * @param {string} what
 * @param {Record<'request' | 'body' | 'json', number[]>} samples
 * @returns {import('./findings.js').Finding}
 */
function finding(what, samples) {
  const [requestMs, bodyMs, jsonMs] = [median(samples.request), median(samples.body), median(samples.json)];
  const beyondMs = requestMs + Math.max(0, bodyMs - jsonMs);
  const isMet = beyondMs <= LARGEST_COST_MS;
  return {
    measure: `quire: ${what}, ${ASSEMBLY.items.toLocaleString('en')} items`,
    value: `assembled in ${requestMs.toFixed(2)} ms, its body written in ${bodyMs.toFixed(1)} ms; JSON.stringify takes ${jsonMs.toFixed(1)} ms`,
    target: `${beyondMs.toFixed(1)} ms beyond JSON.stringify, ≤ ${LARGEST_COST_MS} ${isMet ? 'met' : 'MISSED'}`,
  };
}

/** @template Result @param {() => Result} work */
function timed(work) {
  const startedAt = performance.now();
  const result = work();
  return { result, tookMs: performance.now() - startedAt };
}

/** Parts that no package exports, as they were built. */
async function loadParts() {
  const load = (/** @type {string} */ file) => import(pathToFileURL(path.join(REPOSITORY_ROOT, 'packages', file)).href);
  const [history, request, body] = await Promise.all(
    ['core/dist/history/history.js', 'core/dist/thread/model-request.js', 'model-client/dist/request/body.js'].map(
      load,
    ),
  );
  return {
    History: /** @type {typeof import('../packages/core/src/history/history.ts').History} */ (history.History),
    buildModelRequest: /** @type {typeof import('../packages/core/src/thread/model-request.ts').buildModelRequest} */ (
      request.buildModelRequest
    ),
    BodyEncoder: /** @type {typeof import('../packages/model-client/src/request/body.ts').BodyEncoder} */ (
      body.BodyEncoder
    ),
  };
}

/**
 * Calls with their outputs.
 * @param {number} count even
 * @param {{ from?: number }} [options]
 * @returns {ResponseItem[]}
 */
function createItems(count, { from = 0 } = {}) {
  const line = 'one line of what a command printed\n';
  return Array.from({ length: count / 2 }, (_entry, index) => `call_${from + index}`).flatMap((callId) => [
    { type: 'function_call', name: 'shell_command', arguments: '{"command":"ls"}', call_id: callId },
    { type: 'function_call_output', call_id: callId, output: line.repeat(ASSEMBLY.outputBytes / line.length) },
  ]);
}

/** What a request reads of them. @returns {ThreadSettings} */
function settings() {
  const read = {
    model: findModel('mock-model'),
    baseInstructions: 'Work.',
    reasoning: undefined,
    verbosity: undefined,
    serviceTier: undefined,
  };
  return /** @type {ThreadSettings} */ (/** @type {unknown} */ (read));
}
