/** Abort: the SDK ends the command with SIGTERM and reports an AbortError. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { functionCall, respond, stall, text } from '@quire/simulator';
import { CAN_LIST_PROCESSES, listMarkedProcesses, POLL_MS } from '../processes.js';

/** @typedef {import('../run.js').Case} Case */

/** [CONF-60] @type {Case} */
async function anAbortBeforeTheTurnAsksNobody(lab) {
  const provider = await lab.provider([]);
  const turn = lab.thread(provider).run('Hello?', { signal: AbortSignal.abort() });
  await assert.rejects(turn, { name: 'AbortError' });
  await lab.assertNoProcessLeft();
  assert.equal(provider.requests.length, 0);
}

/** [CONF-61] @type {Case} */
async function anAbortDuringACommandEndsItToo(lab) {
  const provider = await lab.provider([
    respond(functionCall('call-1', 'shell_command', { command: 'sleep 4321 & sleep 1234; wait' })),
    respond(text('Continued.')),
  ]);
  const controller = new AbortController();
  const thread = lab.thread(provider);
  const { events } = await thread.runStreamed('Wait.', { signal: controller.signal });
  await assert.rejects(
    async () => {
      for await (const event of events) {
        if (event.type !== 'item.started') continue;
        await waitForCommands(lab, ['sleep 4321', 'sleep 1234']);
        controller.abort();
      }
    },
    { name: 'AbortError' },
  );
  await lab.assertNoProcessLeft();
  // The call was settled, else the simulator would refuse this request.
  assert.equal((await thread.run('Go on.')).finalResponse, 'Continued.');
}

/** [CONF-62] @type {Case} */
async function anAbortDuringAnAnswerClosesTheConnection(lab) {
  const provider = await lab.provider([stall({ afterEvents: 3 }, respond(text('Never finished.', { chunks: 4 })))]);
  const controller = new AbortController();
  const turn = lab.thread(provider).run('Hello?', { signal: controller.signal });
  const rejected = assert.rejects(turn, { name: 'AbortError' });
  await provider.request(/* index */ 0);
  controller.abort();
  await rejected;
  assert.equal(await provider.outcome(/* index */ 0), 'client-left');
  await lab.assertNoProcessLeft();
}

/** [CONF-61] @type {Case} */
async function anAbortedRunIsAnAbortErrorToo(lab) {
  const provider = await lab.provider([
    respond(functionCall('call-1', 'shell_command', { command: 'sleep 4321 & wait' })),
  ]);
  const controller = new AbortController();
  const turn = lab.thread(provider).run('Wait.', { signal: controller.signal });
  const rejected = assert.rejects(turn, { name: 'AbortError' });
  await waitForCommands(lab, ['sleep 4321']);
  controller.abort();
  await rejected;
  await lab.assertNoProcessLeft();
}

/** [CONF-63] @type {Case} */
async function leavingTheEventsEndsTheCommand(lab) {
  const provider = await lab.provider([respond(functionCall('call-1', 'shell_command', { command: 'sleep 4321' }))]);
  const { events } = await lab.thread(provider).runStreamed('Wait.');
  for await (const event of events) {
    if (event.type === 'item.started') break;
  }
  await lab.assertNoProcessLeft();
}

/** How long a command may take to appear. Milliseconds. */
const START_LIMIT_MS = 30_000;

/**
 * Resolves when every command runs; nothing announces that, so this looks again and again.
 * @param {import('../lab.js').Lab} lab
 * @param {readonly string[]} commands
 */
async function waitForCommands(lab, commands) {
  if (!CAN_LIST_PROCESSES) return;
  const deadlineMs = performance.now() + START_LIMIT_MS;
  for (;;) {
    const isLast = performance.now() >= deadlineMs;
    const running = await listMarkedProcesses(lab.mark);
    if (commands.every((wanted) => running.some(({ command }) => command === wanted))) return;
    if (isLast) break;
    await sleep(POLL_MS);
  }
  assert.fail(`${commands.join(' and ')} did not start within ${START_LIMIT_MS} ms`);
}

/** @type {readonly Case[]} */
export const CASES = [
  anAbortBeforeTheTurnAsksNobody,
  anAbortDuringACommandEndsItToo,
  anAbortedRunIsAnAbortErrorToo,
  anAbortDuringAnAnswerClosesTheConnection,
  leavingTheEventsEndsTheCommand,
];
