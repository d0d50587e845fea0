/** Items: what each tool looks like in the event stream. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { customToolCall, functionCall, respond, text } from '@quire/simulator';
import { collectEvents, usageOf } from '../lab.js';

/** @typedef {import('../run.js').Case} Case */

/** [CONF-10] @type {Case} */
async function aFailingCommandIsAFailedItem(lab) {
  const provider = await lab.provider([
    respond(functionCall('call-1', 'shell_command', { command: 'echo boom; exit 3', login: false })),
    respond(text('It failed.')),
  ]);
  const turn = await lab.thread(provider).run('Try it.');
  assert.deepEqual(turn.items, [
    {
      id: 'item_0',
      type: 'command_execution',
      command: "/bin/bash -c 'echo boom; exit 3'",
      aggregated_output: 'boom\n',
      exit_code: 3,
      status: 'failed',
    },
    { id: 'item_1', type: 'agent_message', text: 'It failed.' },
  ]);
}

/** [CONF-11] @type {Case} */
async function aPatchIsAFileChange(lab) {
  await writeFile(path.join(lab.repository, 'old.txt'), 'gone soon\n');
  await writeFile(path.join(lab.repository, 'kept.txt'), 'before\n');
  const patch = [
    '*** Begin Patch',
    '*** Add File: new.txt',
    '+hello',
    '*** Update File: kept.txt',
    '@@',
    '-before',
    '+after',
    '*** Delete File: old.txt',
    '*** End Patch',
  ].join('\n');
  const provider = await lab.provider([
    respond(customToolCall('call-1', 'apply_patch', patch)),
    respond(text('Patched.')),
  ]);
  const events = await collectEvents(lab.thread(provider), 'Patch it.');
  const change = {
    id: 'item_0',
    type: 'file_change',
    changes: [
      { path: path.join(lab.repository, 'kept.txt'), kind: 'update' },
      { path: path.join(lab.repository, 'new.txt'), kind: 'add' },
      { path: path.join(lab.repository, 'old.txt'), kind: 'delete' },
    ],
  };
  assert.deepEqual(events.map(sortChanges), [
    { type: 'thread.started', thread_id: '<thread>' },
    { type: 'turn.started' },
    { type: 'item.started', item: { ...change, status: 'in_progress' } },
    { type: 'item.completed', item: { ...change, status: 'completed' } },
    { type: 'item.completed', item: { id: 'item_1', type: 'agent_message', text: 'Patched.' } },
    { type: 'turn.completed', usage: usageOf(/* count */ 2) },
  ]);
  assert.equal(await readFile(path.join(lab.repository, 'kept.txt'), 'utf8'), 'after\n');
}

/** [CONF-12] @type {Case} */
async function aPlanIsATodoList(lab) {
  const plan = (/** @type {string} */ second) => ({
    plan: [
      { step: 'first', status: 'completed' },
      { step: 'second', status: second },
    ],
  });
  const provider = await lab.provider([
    respond(functionCall('call-1', 'update_plan', plan('in_progress'))),
    respond(functionCall('call-2', 'update_plan', plan('completed'))),
    respond(text('Planned.')),
  ]);
  const events = await collectEvents(lab.thread(provider), 'Plan it.');
  const list = (/** @type {boolean} */ completed) => ({
    id: 'item_0',
    type: 'todo_list',
    items: [
      { text: 'first', completed: true },
      { text: 'second', completed },
    ],
  });
  assert.deepEqual(events, [
    { type: 'thread.started', thread_id: '<thread>' },
    { type: 'turn.started' },
    { type: 'item.started', item: list(/* completed */ false) },
    { type: 'item.updated', item: list(/* completed */ true) },
    { type: 'item.completed', item: { id: 'item_1', type: 'agent_message', text: 'Planned.' } },
    { type: 'item.completed', item: list(/* completed */ true) },
    { type: 'turn.completed', usage: usageOf(/* count */ 3) },
  ]);
}

/** [CONF-13] @type {Case} */
async function aWarningIsAnErrorItemBeforeTheTurn(lab) {
  const provider = await lab.provider([respond(text('Hello.'))]);
  const thread = lab.thread(provider, { model: 'a-model-nobody-knows' });
  const events = await collectEvents(thread, 'Hello?');
  const warning = events[1]?.item;
  assert.match(String(warning?.['message']), /a-model-nobody-knows/);
  assert.deepEqual(events, [
    { type: 'thread.started', thread_id: '<thread>' },
    { type: 'item.completed', item: { id: 'item_0', type: 'error', message: warning?.['message'] } },
    { type: 'turn.started' },
    { type: 'item.completed', item: { id: 'item_1', type: 'agent_message', text: 'Hello.' } },
    { type: 'turn.completed', usage: usageOf(/* count */ 1) },
  ]);
  assert.equal(provider.requests[0]?.body['model'], 'a-model-nobody-knows');
}

/** [CONF-14] @type {Case} */
async function parallelCommandsKeepTheirIds(lab) {
  const provider = await lab.provider([
    respond(
      functionCall('call-1', 'shell_command', { command: 'echo one', login: false }),
      functionCall('call-2', 'shell_command', { command: 'echo two', login: false }),
    ),
    respond(text('Both done.')),
  ]);
  const turn = await lab.thread(provider).run('Both.');
  const commands = turn.items.filter((item) => item.type === 'command_execution');
  assert.deepEqual(commands.map(({ id, aggregated_output: output }) => `${id}: ${output}`).sort(), [
    'item_0: one\n',
    'item_1: two\n',
  ]);
  assert.equal(provider.requests[1]?.toolOutputs.length, 2);
}

/**
 * The order of the files in one change is nobody's promise.
 * @param {import('../sdk-types.d.ts').SdkEvent} event
 */
function sortChanges(event) {
  const changes = event.item?.['changes'];
  if (!Array.isArray(changes)) return event;
  return { ...event, item: { ...event.item, changes: changes.toSorted((a, b) => a.path.localeCompare(b.path)) } };
}

/** @type {readonly Case[]} */
export const CASES = [
  aFailingCommandIsAFailedItem,
  aPatchIsAFileChange,
  aPlanIsATodoList,
  aWarningIsAnErrorItemBeforeTheTurn,
  parallelCommandsKeepTheirIds,
];
