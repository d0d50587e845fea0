/** The peer's own binary against our provider: over WebSocket, over HTTP, and from one to the other. */
import assert from 'node:assert/strict';
import { functionCall, respond, text } from '@quire/simulator';
import { runCommand } from '../../tools/lib/run-command.js';
import { startSimulateCommand } from './simulate-command.js';

/** @typedef {import('../run.js').Case} Case */
/** @typedef {import('../lab.js').Lab} Lab */

const COMMAND = { cmd: 'echo hello', login: false };
const STATE = 'ts-1';

/** A command, then a final text; as a script file and as steps. */
const SCRIPT = {
  steps: [
    {
      respond: [{ functionCall: { callId: 'c1', name: 'exec_command', arguments: COMMAND } }],
      headers: { 'x-codex-turn-state': STATE },
    },
    { respond: [{ text: 'done.' }] },
  ],
};
const STEPS = [
  respond(functionCall('c1', 'exec_command', COMMAND), { headers: { 'x-codex-turn-state': STATE } }),
  respond(text('done.')),
];

/**
 * @param {{ peerPath: string, quirePath: string }} programs
 * @returns {readonly Case[]}
 */
export function createPeerCases({ peerPath, quirePath }) {
  /**
   * A turn of the peer; its items as they completed.
   * @param {Lab} lab
   * @param {{ url: string, webSocket: boolean }} provider
   */
  async function runTurn(lab, { url, webSocket }) {
    const address = `name="lab", base_url=${JSON.stringify(url)}, wire_api="responses", supports_websockets=${webSocket}`;
    const options = ['--json', '-m', 'mock-model', '-s', 'danger-full-access'];
    const settings = ['-c', `model_providers.lab={${address}}`, '-c', 'model_provider=lab'];
    const command = [peerPath, 'exec', ...options, ...settings, 'Run it.'];
    const { exitCode, output } = await runCommand(['/bin/sh', '-c', 'exec "$@" 2>/dev/null', 'sh', ...command], {
      cwd: lab.repository,
      env: lab.environment,
    });
    assert.equal(exitCode, 0, output);
    const events = output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    return {
      outputs: events.flatMap(({ type, item }) =>
        type === 'item.completed' && item.type === 'command_execution' ? [item.aggregated_output] : [],
      ),
      answer: events.findLast(({ item }) => item?.type === 'agent_message')?.item.text,
      warnings: events.filter(({ item }) => /falling back/i.test(item?.message ?? '')).length,
    };
  }

  const RIGHT = { outputs: ['hello\n'], answer: 'done.', warnings: 0 };

  /**
   * The whole of it with the real command.
   * @param {Lab} lab
   * @param {{ webSocket: boolean, more?: object, transport: string }} expected
   */
  async function againstTheCommand(lab, { webSocket, more = {}, transport }) {
    const { folder, environment } = lab;
    const command = await startSimulateCommand({ quirePath, folder, environment, script: { ...SCRIPT, ...more } });
    try {
      assert.deepEqual(await runTurn(lab, { url: command.url, webSocket }), RIGHT);
    } finally {
      assert.equal(await command.stop(), 0);
    }
    const requests = command.lines
      .filter((line) => /^(#| {3}#)/.test(line))
      .map((line) => line.replace(/, \d+ items/, ''));
    assert.deepEqual(requests, [
      `#1 ${transport} /v1/responses mock-model, last: message`,
      `#2 ${transport} /v1/responses mock-model, last: function_call_output`,
    ]);
  }

  /** [TRANSPORT-50] @type {Case} */
  async function thePeerRunsAToolTurnAgainstTheCommandOverWebSocket(lab) {
    await againstTheCommand(lab, { webSocket: true, transport: 'websocket' });
  }

  /** [TRANSPORT-51] @type {Case} */
  async function thePeerRunsAToolTurnAgainstTheCommandOverHttp(lab) {
    await againstTheCommand(lab, { webSocket: false, transport: 'http' });
  }

  /** [TRANSPORT-52] @type {Case} */
  async function thePeerLeavesWebSocketWhenTheUpgradeIsRefused(lab) {
    await againstTheCommand(lab, { webSocket: true, more: { handshakes: [{ status: 426 }] }, transport: 'http' });
  }

  /** [TRANSPORT-53] @type {Case} */
  async function thePeerUsesOneHandshakeOnePrewarmAndContinuesItsResponse(lab) {
    const provider = await lab.provider(STEPS);
    assert.deepEqual(await runTurn(lab, { url: provider.url, webSocket: true }), RIGHT);
    assert.deepEqual([provider.handshakes.length, provider.prewarms.length, provider.requests.length], [1, 1, 2]);
    const [first, second] = provider.requests;
    assert.deepEqual(second?.body['previous_response_id'], 'resp_0');
    assert.ok(
      (second?.inheritedItems ?? 0) > (first?.input.length ?? Number.NaN),
      'the second request sends only what is new',
    );
    const states = provider.requests.map(({ body }) => Object(body['client_metadata'])['x-codex-turn-state']);
    assert.deepEqual(states, [undefined, STATE]);
  }

  return [
    thePeerRunsAToolTurnAgainstTheCommandOverWebSocket,
    thePeerRunsAToolTurnAgainstTheCommandOverHttp,
    thePeerLeavesWebSocketWhenTheUpgradeIsRefused,
    thePeerUsesOneHandshakeOnePrewarmAndContinuesItsResponse,
  ];
}
