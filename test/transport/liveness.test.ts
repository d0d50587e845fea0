/**
 * What the line promises when it breaks. That ten minutes of pongs without events are no fault, and that a server without
 * pongs is known within two intervals, is tested where the clock can be faked: [ALIVE-01] and [ALIVE-02] in
 * packages/model-client/test/websocket-failures.test.ts.
 */
import { Quire } from '@quire/agent';
import type { ThreadEvent } from '@quire/protocol';
import {
  functionCall,
  type HandshakeStep,
  type RecordedRequest,
  refuseUpgrade,
  rehearse,
  reset,
  respond,
  Simulator,
  type Step,
  stall,
  text,
} from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { historyDigest } from '../support/history-digest.ts';
import { createWorkspace, type Workspace } from '../support/workspace.ts';
import { readEvents, TransportClient, type TurnReport } from './support/client.ts';
import { type GateFault, openGate } from './support/faulty-gate.ts';

const DONE = rehearse(() => respond(text('Done.')));
const COMPLETED = { kind: 'completed', lastAgentMessage: 'Done.' };

/** How long an upgrade may take that nobody answers; enough for the server to see it. */
const SILENT_MS = 2_000;
/** For an upgrade that is answered: more than a busy machine needs. */
const PATIENT_MS = 20_000;

/** A program whose threads share what they learn of a host. */
function openQuire(workspace: Workspace, port: number, connectTimeoutMs = PATIENT_MS): Quire {
  const url = `http://127.0.0.1:${port}/v1`;
  return new Quire({
    home: workspace.home,
    apiKey: 'test-key',
    environment: { PATH: process.env['PATH'], SHELL: '/bin/sh' },
    configOverrides: [
      `model_providers.mock={name="mock",base_url="${url}",supports_websockets=true,websocket_connect_timeout_ms=${connectTimeoutMs}}`,
      'model_provider=mock',
    ],
  });
}

/** One turn in a thread of its own. */
async function turnOf(quire: Quire, workspace: Workspace, turns = 1): Promise<readonly Omit<TurnReport, 'outcome'>[]> {
  await using thread = await quire.startThread({ workingDirectory: workspace.project, skipGitRepoCheck: true });
  const reports = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const events: ThreadEvent[] = [];
    await thread.runPushed('Go.', { onEvent: (event) => events.push(event) });
    expect(events.at(-1)).toMatchObject({ kind: 'turn-end', outcome: COMPLETED });
    reports.push(readEvents(events));
  }
  return reports;
}

/** What a person reads when the WebSocket did not work. */
const line = (cause: string): string => `! Going on over HTTP, because the WebSocket did not work: ${cause}`;
const statusLine = (code: number): string => line(`the server answered the WebSocket upgrade with status ${code}`);

describe('an upgrade that is refused', () => {
  const statuses = [400, 401, 403, 404, 429, 500, 503].map((code) => ({
    name: `with status ${code}`,
    handshake: refuseUpgrade(code) as HandshakeStep,
    lines: [statusLine(code)],
    remembered: code !== 401,
    connectTimeoutMs: PATIENT_MS,
  }));
  const others = [
    {
      name: 'with status 426',
      handshake: refuseUpgrade(/* code */ 426),
      lines: [],
      remembered: true,
      connectTimeoutMs: PATIENT_MS,
    },
    {
      name: 'by silence',
      handshake: stall(),
      lines: [line(`127.0.0.1:PORT did not open a WebSocket within ${SILENT_MS} ms`)],
      remembered: true,
      connectTimeoutMs: SILENT_MS,
    },
    {
      name: 'by a reset',
      handshake: reset(),
      lines: [line('127.0.0.1:PORT closed the connection during the WebSocket handshake (ECONNRESET)')],
      remembered: true,
      connectTimeoutMs: PATIENT_MS,
    },
  ];

  test.each([...statuses, ...others])(
    '$name costs one attempt and one line, once for the thread and for the next one [TRANSPORT-30, TRANSPORT-31]',
    async ({ handshake, lines, remembered, connectTimeoutMs }) => {
      await using simulator = await Simulator.start({ transports: { websocket: handshake }, rules: DONE });
      await using workspace = await createWorkspace();
      const quire = openQuire(workspace, simulator.port, connectTimeoutMs);
      const first = await turnOf(quire, workspace, /* turns */ 2);
      expect(first.map(({ notices }) => notices)).toEqual([lines, []]);
      expect(first[0]?.receipts[0]?.attempts.map(({ transport }) => transport)).toEqual(['websocket', 'http']);
      expect(simulator.handshakes).toHaveLength(1);
      const [next] = await turnOf(quire, workspace);
      expect(next?.notices).toEqual(remembered ? [] : lines);
      expect(simulator.handshakes).toHaveLength(remembered ? 1 : 2);
      expect(simulator.requests.map(({ transport }) => transport)).toEqual(['http', 'http', 'http']);
    },
  );

  const gates: readonly { readonly name: string; readonly fault: GateFault; readonly cause: string }[] = [
    {
      name: 'by bytes that are no HTTP',
      fault: { when: 'asked', how: 'garbage' },
      cause: '127.0.0.1:PORT does not answer as a WebSocket server (HPE_INVALID_CONSTANT)',
    },
    {
      name: 'by a close',
      fault: { when: 'asked', how: 'close' },
      cause: '127.0.0.1:PORT closed the connection during the WebSocket handshake (ECONNRESET)',
    },
    {
      name: 'by a reset of the connection',
      fault: { when: 'asked', how: 'reset' },
      cause: '127.0.0.1:PORT closed the connection during the WebSocket handshake (ECONNRESET)',
    },
  ];

  test.each(gates)(
    '$name costs one attempt and one line, and is remembered [TRANSPORT-30, TRANSPORT-31]',
    async ({ fault, cause }) => {
      await using simulator = await Simulator.start({ rules: DONE });
      await using gate = await openGate({ targetPort: simulator.port, fault, faulty: 1 });
      await using workspace = await createWorkspace();
      const quire = openQuire(workspace, gate.port);
      const [first] = await turnOf(quire, workspace);
      expect(first?.notices).toEqual([line(cause)]);
      const [next] = await turnOf(quire, workspace);
      expect(next?.notices).toEqual([]);
      expect(simulator.handshakes).toHaveLength(0);
      expect(simulator.requests).toHaveLength(2);
    },
  );
});

test('a silent upgrade that the warm-up asked for is the one attempt, also when its credentials took a while [TRANSPORT-30]', async () => {
  await using simulator = await Simulator.start({ transports: { websocket: stall() }, rules: DONE });
  let asked = 0;
  const credentials = {
    current: async () => {
      asked += 1;
      // The handshake of the warm-up begins, and so ends, later than the warm-up as a whole.
      if (asked === 1) await new Promise((resolve) => setTimeout(resolve, 30));
      return { kind: 'api-key', token: 'key-of-the-test' } as const;
    },
  };
  await using client = new TransportClient({
    url: simulator.url,
    transport: 'websocket',
    credentials,
    provider: { websocketConnectTimeoutMs: SILENT_MS },
  });
  client.warmUp();
  const { outcome, notices } = await client.turn();
  expect({ outcome, notices, handshakes: simulator.handshakes.length }).toEqual({
    outcome: COMPLETED,
    notices: [line(`127.0.0.1:PORT did not open a WebSocket within ${SILENT_MS} ms`)],
    handshakes: 1,
  });
});

describe('a socket that was used before', () => {
  test.each(['reset', 'destroy', 'close'] as const)(
    'and meets a %s is replaced within a second, unseen, with the whole input [TRANSPORT-32]',
    async (how) => {
      const brokenAt: number[] = [];
      const breakIt = async (request: RecordedRequest): Promise<Step> => {
        if (request.index !== 1) return respond(text('Done.'));
        brokenAt.push(request.receivedAtMs);
        const socket = await simulator.webSocket(/* handshake */ 0);
        socket[how]();
        return stall();
      };
      const call = functionCall('c1', 'shell_command', { command: 'echo ran', login: false });
      const simulator = await Simulator.start({
        steps: [respond(call), breakIt, respond(text('Done.'))],
      });
      await using client = new TransportClient({ url: simulator.url, transport: 'websocket' });
      client.warmUp();
      const { outcome, notices } = await client.turn();
      expect({ outcome, notices, gapsMs: client.gapsMs }).toEqual({ outcome: COMPLETED, notices: [], gapsMs: [] });
      const again = simulator.requests[2];
      expect((again?.receivedAtMs ?? Infinity) - (brokenAt[0] ?? 0)).toBeLessThan(1_000);
      expect(again?.inheritedItems).toBe(0);
      expect(historyDigest(again?.input ?? [])).toEqual(['call c1', 'output c1']);
      expect(simulator.handshakes).toHaveLength(2);
      expect(client.record).toEqual(['call c1', 'output c1', 'message Done.']);
      await simulator.stop();
    },
  );

  test('and was reset between two turns is replaced before anybody waits for it [TRANSPORT-32]', async () => {
    await using simulator = await Simulator.start({ steps: [respond(text('One.')), respond(text('Done.'))] });
    await using client = new TransportClient({ url: simulator.url, transport: 'websocket' });
    await client.turn('First.');
    const socket = await simulator.webSocket(/* handshake */ 0);
    socket.reset();
    await socket.ended();
    const { outcome, notices } = await client.turn('Second.');
    expect({ outcome, notices, gapsMs: client.gapsMs }).toEqual({ outcome: COMPLETED, notices: [], gapsMs: [] });
    expect(simulator.requests.map(({ connection, inheritedItems }) => [connection, inheritedItems])).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });
});

test('the warm-up tells the provider tools and instructions, and nothing that a person said or a folder holds [TRANSPORT-33]', async () => {
  await using simulator = await Simulator.start({ rules: DONE });
  await using workspace = await createWorkspace();
  const quire = openQuire(workspace, simulator.port);
  {
    await using thread = await quire.startThread({ workingDirectory: workspace.project, skipGitRepoCheck: true });
    const { body, rawBody } = await simulator.prewarm(/* index */ 0);
    expect([body['generate'], body['input'], simulator.requests.length]).toEqual([false, [], 0]);
    expect(rawBody.includes(workspace.project)).toBe(false);
    expect(thread.facts.resumed).toBe(false);
    await thread.run('A secret plan.');
  }
  const [request] = simulator.requests;
  expect(request?.body['previous_response_id']).toBeTypeOf('string');
  expect(simulator.handshakes).toHaveLength(1);
  for (const field of ['tools', 'instructions'])
    expect(request?.body[field]).toEqual(simulator.prewarms[0]?.body[field]);
});
