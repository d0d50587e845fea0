/** Failures: failed turns, broken streams, wrong keys. */
import assert from 'node:assert/strict';
import { cutAfterEvents, failed, functionCall, refuse, respond, status, text } from '@quire/simulator';
import { collectEvents, maskThreadId, usageOf } from '../lab.js';

/** @typedef {import('../run.js').Case} Case */

const REFUSAL = 'This prompt is not allowed.';
const INVALID_PROMPT = respond(failed({ code: 'invalid_prompt', message: REFUSAL }));

/** [CONF-50] @type {Case} */
async function runThrowsTheMessageOfAFailedTurn(lab) {
  const provider = await lab.provider([INVALID_PROMPT]);
  await assert.rejects(lab.thread(provider).run('Do it.'), (error) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, /This prompt is not allowed\./);
    assert.doesNotMatch(error.message, /exited with/);
    return true;
  });
}

/** [CONF-51] @type {Case} */
async function runStreamedThrowsTheExitCodeAfterAFailedTurn(lab) {
  const provider = await lab.provider([INVALID_PROMPT]);
  const { events } = await lab.thread(provider).runStreamed('Do it.');
  /** @type {import('../sdk-types.d.ts').SdkEvent[]} */
  const seen = [];
  await assert.rejects(async () => {
    for await (const event of events) seen.push(maskThreadId(event));
  }, /^Error: Codex Exec exited with code 1: /);
  const message = String(seen[2]?.message);
  assert.match(message, /This prompt is not allowed\./);
  assert.deepEqual(seen, [
    { type: 'thread.started', thread_id: '<thread>' },
    { type: 'turn.started' },
    { type: 'error', message },
    { type: 'turn.failed', error: { message } },
  ]);
}

/** [CONF-52] @type {Case} */
async function aBrokenStreamIsRetriedAndReported(lab) {
  const whole = respond(text('An answer in pieces.', { chunks: 5 }));
  const provider = await lab.provider([cutAfterEvents(/* eventCount */ 4, whole), whole]);
  const events = await collectEvents(lab.thread(provider), 'Answer.');
  const notice = String(events[2]?.message);
  assert.match(notice, /^Reconnecting\.\.\. 1\/5 \(.+\)$/s);
  assert.deepEqual(events, [
    { type: 'thread.started', thread_id: '<thread>' },
    { type: 'turn.started' },
    { type: 'error', message: notice },
    { type: 'item.completed', item: { id: 'item_0', type: 'agent_message', text: 'An answer in pieces.' } },
    { type: 'turn.completed', usage: usageOf(/* count */ 1) },
  ]);
}

/** [CONF-53] @type {Case} */
async function aWrongKeyFailsTheTurnWithoutRetry(lab) {
  const provider = await lab.provider([
    status(/* code */ 401, { body: { error: { message: 'Incorrect API key provided.' } } }),
  ]);
  await assert.rejects(lab.thread(provider).run('Hello?'), /401|unauthorized|key/i);
  assert.equal(provider.requests.length, 1);
}

/** [CONF-54] @type {Case} */
async function aFailedThreadCanBeContinued(lab) {
  const provider = await lab.provider([
    respond(functionCall('call-1', 'shell_command', { command: 'echo done' })),
    INVALID_PROMPT,
    respond(text('Continued.')),
  ]);
  const thread = lab.thread(provider);
  await assert.rejects(thread.run('Work.'));
  assert.equal((await thread.run('Go on.')).finalResponse, 'Continued.');
}

/** [CONF-55] @type {Case} */
async function aKilledProviderFailsTheTurn(lab) {
  const provider = await lab.provider([
    respond(functionCall('call-1', 'shell_command', { command: 'echo done' })),
    refuse(),
  ]);
  const codex = lab.codex({
    config: {
      model_provider: 'lab',
      model_providers: { lab: { name: 'Lab', base_url: provider.url, request_max_retries: 0, stream_max_retries: 0 } },
    },
  });
  const turn = codex.startThread(lab.threadOptions()).run('Work.');
  await assert.rejects(turn, (error) => error instanceof Error && !error.message.includes('    at '));
}

/** @type {readonly Case[]} */
export const CASES = [
  runThrowsTheMessageOfAFailedTurn,
  runStreamedThrowsTheExitCodeAfterAFailedTurn,
  aBrokenStreamIsRetriedAndReported,
  aWrongKeyFailsTheTurnWithoutRetry,
  aFailedThreadCanBeContinued,
  aKilledProviderFailsTheTurn,
];
