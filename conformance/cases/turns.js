/** Turns and threads: run, runStreamed, resume, usage. */
import assert from 'node:assert/strict';
import { customToolCall, functionCall, reasoning, rehearse, respond, text, webSearch } from '@quire/simulator';
import { collectEvents, usageOf } from '../lab.js';

/** @typedef {import('../run.js').Case} Case */

/** [CONF-01] @type {Case} */
async function runReturnsTheFinalAnswer(lab) {
  const provider = await lab.provider([respond(text('A plain answer.'))]);
  const turn = await lab.thread(provider).run('Say something.');
  assert.deepEqual(turn, {
    items: [{ id: 'item_0', type: 'agent_message', text: 'A plain answer.' }],
    finalResponse: 'A plain answer.',
    usage: usageOf(/* count */ 1),
  });
}

/** [CONF-02] @type {Case} */
async function runStreamedYieldsWholeEventsInOrder(lab) {
  const provider = await lab.provider([
    respond(
      reasoning('**Planning**\n\nI look first.'),
      text('I will run a command.', { phase: 'commentary' }),
      functionCall('call-1', 'shell_command', { command: 'echo out; echo err 1>&2', login: false }),
    ),
    respond(webSearch('typed streams', { id: 'ws_1' }), text('All done: **bold**, é, 日本.', { chunks: 7 })),
  ]);
  const events = await collectEvents(lab.thread(provider), 'Go.');
  const command = { id: 'item_2', type: 'command_execution', command: "/bin/bash -c 'echo out; echo err 1>&2'" };
  const search = { id: 'ws_1', type: 'web_search' };
  assert.deepEqual(events, [
    { type: 'thread.started', thread_id: '<thread>' },
    { type: 'turn.started' },
    { type: 'item.completed', item: { id: 'item_0', type: 'reasoning', text: '**Planning**\n\nI look first.' } },
    { type: 'item.completed', item: { id: 'item_1', type: 'agent_message', text: 'I will run a command.' } },
    { type: 'item.started', item: { ...command, aggregated_output: '', exit_code: null, status: 'in_progress' } },
    {
      type: 'item.completed',
      item: { ...command, aggregated_output: 'out\nerr\n', exit_code: 0, status: 'completed' },
    },
    { type: 'item.started', item: { ...search, query: '', action: { type: 'other' } } },
    {
      type: 'item.completed',
      item: { ...search, query: 'typed streams', action: { type: 'search', query: 'typed streams' } },
    },
    { type: 'item.completed', item: { id: 'item_4', type: 'agent_message', text: 'All done: **bold**, é, 日本.' } },
    { type: 'turn.completed', usage: usageOf(/* count */ 2) },
  ]);
}

/** [CONF-03] @type {Case} */
async function aSecondRunContinuesTheThread(lab) {
  const provider = await lab.provider([respond(text('First.')), respond(text('Second.'))]);
  const thread = lab.thread(provider);
  assert.equal(thread.id, null);
  const first = await thread.run('One.');
  const id = thread.id;
  const second = await thread.run('Two.');
  assert.equal(thread.id, id);
  assert.deepEqual([first.finalResponse, second.finalResponse], ['First.', 'Second.']);
  assert.deepEqual(conversationOf(provider.requests[1]), ['user: One.', 'assistant: First.', 'user: Two.']);
}

/** [CONF-04] @type {Case} */
async function resumeThreadContinuesInANewClient(lab) {
  const provider = await lab.provider([respond(text('First.')), respond(text('Second.'))]);
  const started = lab.thread(provider);
  await started.run('One.');
  const id = started.id;
  assert.ok(id !== null);
  const resumed = lab.codexFor(provider).resumeThread(id, lab.threadOptions());
  const events = await collectEvents(resumed, 'Two.');
  assert.equal(resumed.id, id);
  assert.deepEqual(events, [
    { type: 'thread.started', thread_id: '<thread>' },
    { type: 'turn.started' },
    { type: 'item.completed', item: { id: 'item_0', type: 'agent_message', text: 'Second.' } },
    { type: 'turn.completed', usage: usageOf(/* count */ 2) },
  ]);
  assert.deepEqual(conversationOf(provider.requests[1]), ['user: One.', 'assistant: First.', 'user: Two.']);
}

/** [CONF-05] @type {Case} */
async function usageIsTheTotalOfTheThread(lab) {
  const usage = { inputTokens: 1000, cachedInputTokens: 400, outputTokens: 200, reasoningOutputTokens: 50 };
  const provider = await lab.provider([1, 2, 3].map((count) => respond(text(`Answer ${count}.`), { usage })));
  const thread = lab.thread(provider);
  const totals = [];
  for (const prompt of ['One.', 'Two.', 'Three.']) totals.push((await thread.run(prompt)).usage);
  assert.deepEqual(
    totals,
    [1, 2, 3].map((count) => ({
      input_tokens: 1000 * count,
      cached_input_tokens: 400 * count,
      cache_write_input_tokens: 0,
      output_tokens: 200 * count,
      reasoning_output_tokens: 50 * count,
    })),
  );
}

/** [CONF-06] @type {Case} */
async function toolWorkOfAnEarlierRunIsRemembered(lab) {
  const patch = '*** Begin Patch\n*** Add File: note.txt\n+remember\n*** End Patch';
  const provider = await lab.provider([
    respond(functionCall('call-1', 'shell_command', { command: 'echo seen' })),
    respond(customToolCall('call-2', 'apply_patch', patch)),
    respond(text('Done.')),
    respond(text('Still known.')),
  ]);
  const thread = lab.thread(provider);
  await thread.run('Work.');
  await thread.run('What did you do?');
  const outputs = provider.requests[3]?.toolOutputs ?? [];
  assert.deepEqual(
    outputs.map(({ callId }) => callId),
    ['call-1', 'call-2'],
  );
  assert.match(String(outputs[0]?.output), /seen/);
}

/** [CONF-07] @type {Case} */
async function anUnknownThreadIsRefused(lab) {
  const provider = await lab.provider([]);
  const thread = lab.codexFor(provider).resumeThread('01a1fb79-0000-7000-8000-000000000000', lab.threadOptions());
  await assert.rejects(thread.run('Hello?'), /^Error: Codex Exec exited with code 1: .*01a1fb79-0000-7000/s);
  assert.equal(provider.requests.length, 0);
}

/** [CONF-08] @type {Case} */
async function threadsRunSideBySide(lab) {
  const provider = await lab.provider([], {
    rules: rehearse((request) => respond(text(`You said ${lastUserText(request)}`))),
  });
  const prompts = ['alpha', 'beta', 'gamma'];
  const turns = await Promise.all(prompts.map((prompt) => lab.thread(provider).run(prompt)));
  assert.deepEqual(
    turns.map(({ finalResponse }) => finalResponse),
    prompts.map((prompt) => `You said ${prompt}`),
  );
}

/**
 * The messages after the initial context, as `role: text`.
 * @param {import('@quire/simulator').RecordedRequest | undefined} request
 */
function conversationOf(request) {
  const messages = (request?.input ?? []).flatMap((item) =>
    item['type'] === 'message' && Array.isArray(item['content'])
      ? item['content'].map((part) => `${String(item['role'])}: ${String(Object(part)['text'])}`)
      : [],
  );
  const first = messages.indexOf('user: One.');
  return messages.slice(first);
}

/** @param {import('@quire/simulator').RecordedRequest} request */
function lastUserText(request) {
  const content = request.input.at(-1)?.['content'];
  return Array.isArray(content) ? String(Object(content[0])['text']) : '';
}

/** @type {readonly Case[]} */
export const CASES = [
  runReturnsTheFinalAnswer,
  runStreamedYieldsWholeEventsInOrder,
  aSecondRunContinuesTheThread,
  resumeThreadContinuesInANewClient,
  usageIsTheTotalOfTheThread,
  toolWorkOfAnEarlierRunIsRemembered,
  anUnknownThreadIsRefused,
  threadsRunSideBySide,
];
