/**
 * The documented table of transport faults, row by row, over each transport it applies to. Where the right side differs
 * from what the peer does, the difference is on purpose: docs/model-requests.md and docs/network.md.
 */
import { join } from 'node:path';
import type { CredentialsSource } from '@quire/model-client';
import type { Credentials } from '@quire/protocol';
import {
  createCertificateAuthority,
  cutAfterEvents,
  errorEvent,
  failed,
  functionCall,
  keepOpen,
  type RecordedRequest,
  rateLimitHeaders,
  refuseUpgrade,
  rehearse,
  respond,
  Simulator,
  type Step,
  status,
  text,
  turnState,
} from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { type LineTransport, TransportClient } from './support/client.ts';
import { OpenSockets } from './support/open-sockets.ts';

const BOTH: readonly LineTransport[] = ['http', 'websocket'];
const COMPLETED = { kind: 'completed', lastAgentMessage: 'Done.' };
const DONE = respond(text('Done.', { id: 'msg-done' }));

const INTERNAL_ERROR = 'the provider had an internal error';

/** What a person reads before an attempt of the turn is repeated. */
function retryLine(reason: string, retry: { readonly attempt: number; readonly gap: string; readonly cause: string }) {
  return `↻ ${reason}; trying again (${retry.attempt} of 5) in ${retry.gap}: ${retry.cause}`;
}

/** Over what each request came. */
function carriers(simulator: Simulator): readonly string[] {
  return simulator.requests.map(({ transport }) => transport);
}

function previousIds(requests: readonly RecordedRequest[]): readonly unknown[] {
  return requests.map(({ body }) => body['previous_response_id']);
}

/** The sticky token as the request carries it, over either transport. */
function sentTurnState({ headers, body }: RecordedRequest): unknown {
  const metadata = Object(body['client_metadata']);
  return headers['x-codex-turn-state'] ?? metadata['x-codex-turn-state'];
}

describe('an upgrade answered with 426', () => {
  test('is asked once, and the thread goes on over HTTP in the same request, without a word [TRANSPORT-01]', async () => {
    await using simulator = await Simulator.start({
      handshakes: [refuseUpgrade(/* code */ 426)],
      steps: [DONE, DONE, DONE],
    });
    await using client = new TransportClient({ url: simulator.url, transport: 'websocket' });
    client.warmUp();
    const turns = [await client.turn('One.'), await client.turn('Two.'), await client.turn('Three.')];
    expect(turns.map(({ outcome, notices }) => ({ outcome, notices }))).toEqual(
      Array(3).fill({ outcome: COMPLETED, notices: [] }),
    );
    expect([simulator.handshakes.length, carriers(simulator), client.gapsMs]).toEqual([
      1,
      ['http', 'http', 'http'],
      [],
    ]);
  });
});

describe('an upgrade answered with 500 whenever it is asked', () => {
  // The peer asks seven times before it gives up: docs/model-requests.md.
  test('is asked once, one line names the cause, and one POST gets the answer [TRANSPORT-02]', async () => {
    await using simulator = await Simulator.start({
      transports: { websocket: refuseUpgrade(/* code */ 500) },
      steps: [DONE, DONE],
    });
    await using client = new TransportClient({ url: simulator.url, transport: 'websocket' });
    client.warmUp();
    const { outcome, notices } = await client.turn();
    expect({ outcome, notices }).toEqual({
      outcome: COMPLETED,
      notices: [
        '! Going on over HTTP, because the WebSocket did not work: the server answered the WebSocket upgrade with status 500',
      ],
    });
    expect([simulator.handshakes.length, carriers(simulator), client.gapsMs]).toEqual([1, ['http'], []]);
    expect((await client.turn()).notices).toEqual([]);
    expect([simulator.handshakes.length, carriers(simulator)]).toEqual([1, ['http', 'http']]);
  });
});

describe.each(BOTH)('a connection that drops in the middle of an answer (%s)', (transport) => {
  test('is replaced after 200 ms with the whole input, and nothing is shown twice [TRANSPORT-03]', async () => {
    await using simulator = await Simulator.start({
      steps: [cutAfterEvents(/* eventCount */ 3, respond(text('Done.', { id: 'msg-done', chunks: 3 }))), DONE],
    });
    await using client = new TransportClient({ url: simulator.url, transport });
    client.warmUp();
    const { outcome, notices, items } = await client.turn();
    const cause =
      transport === 'http'
        ? 'stream closed before response.completed'
        : '127.0.0.1:PORT broke the connection before response.completed';
    // The peer keeps its first notice over WebSocket to itself; here each retry is told: FAULT-26 in docs/requirements.
    expect({ outcome, notices, items, gapsMs: client.gapsMs }).toEqual({
      outcome: COMPLETED,
      notices: [retryLine('the stream broke off', { attempt: 1, gap: '200 ms', cause })],
      items: ['message Done.'],
      gapsMs: [200],
    });
    const [first, second] = simulator.requests;
    expect(second?.input).toEqual(first?.input);
    expect([second?.inheritedItems, second?.body['previous_response_id']]).toEqual([0, undefined]);
    expect(first?.connection).not.toBe(second?.connection);
    expect(simulator.handshakes.length).toBe(transport === 'http' ? 0 : 2);
  });
});

describe.each(BOTH)('a response that failed with invalid_prompt (%s)', (transport) => {
  test('is one request, and its message is what is shown [TRANSPORT-04]', async () => {
    await using simulator = await Simulator.start({
      steps: [respond(failed({ code: 'invalid_prompt', message: 'This prompt is not allowed.' }))],
    });
    await using client = new TransportClient({ url: simulator.url, transport });
    client.warmUp();
    const { outcome, notices } = await client.turn();
    expect({ outcome, notices, gapsMs: client.gapsMs }).toEqual({
      outcome: {
        kind: 'failed',
        failure: { code: 'invalid-request', message: 'This prompt is not allowed.', retryable: false },
      },
      notices: ['ERROR: This prompt is not allowed.'],
      gapsMs: [],
    });
    expect(carriers(simulator)).toEqual([transport]);
  });
});

describe.each(BOTH)('a response that failed with rate_limit_exceeded (%s)', (transport) => {
  test.each([
    ['Please try again in 1.5s.', 1500, '1.5 s'],
    ['please TRY AGAIN IN 120ms', 120, '120 ms'],
    ['Try again in 2 seconds', 2000, '2.0 s'],
  ])('that says "%s" is repeated after that time [TRANSPORT-05]', async (message, gapMs, shown) => {
    await using simulator = await Simulator.start({
      steps: [respond(failed({ code: 'rate_limit_exceeded', message })), DONE],
    });
    await using client = new TransportClient({ url: simulator.url, transport });
    client.warmUp();
    const { outcome, notices } = await client.turn();
    expect({ outcome, notices, gapsMs: client.gapsMs }).toEqual({
      outcome: COMPLETED,
      notices: [retryLine('the provider limits the rate of requests', { attempt: 1, gap: shown, cause: message })],
      gapsMs: [gapMs],
    });
    expect(carriers(simulator)).toEqual([transport, transport]);
  });
});

/** Noon of a day far away: the same day in every time zone but the easternmost. Unix seconds. */
const RESETS_AT = Date.UTC(2100, 5, 15, 12) / 1000;
const LIMIT_LINE = /^ERROR: The usage limit is reached: buy credits; try again at Jun 1[56]th, 2100 \d+:\d\d [AP]M\.$/;
const USAGE_LIMIT = { type: 'usage_limit_reached', message: 'The usage limit has been reached', plan_type: 'pro' };
const LIMITS = { primary: { usedPercent: 100, windowMinutes: 300, resetAt: RESETS_AT } };
const LIMIT_HEADERS = rateLimitHeaders(LIMITS);

describe('an allowance that is used up', () => {
  const refusal = status(/* code */ 429, {
    headers: LIMIT_HEADERS,
    body: { error: { ...USAGE_LIMIT, resets_at: RESETS_AT } },
  });
  const steps: Readonly<Record<string, { readonly transport: LineTransport; readonly step: Step }>> = {
    'status 429': { transport: 'http', step: refusal },
    'an error event': {
      transport: 'websocket',
      step: respond(errorEvent({ ...USAGE_LIMIT, resets_at: RESETS_AT }, { status: 429, headers: LIMIT_HEADERS })),
    },
  };

  test.each(Object.entries(steps))(
    'as %s is one request whose limits are told before the turn fails [TRANSPORT-06]',
    async (_, { transport, step }) => {
      await using simulator = await Simulator.start({ steps: [step] });
      await using client = new TransportClient({ url: simulator.url, transport });
      client.warmUp();
      const { outcome, notices, events } = await client.turn();
      expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'usage-limit-reached', retryable: false } });
      expect(notices).toEqual([expect.stringMatching(LIMIT_LINE)]);
      expect(limitsOf(events)).toEqual([
        { limitId: 'codex', primary: { usedPercent: 100, windowMinutes: 300, resetsAtSeconds: RESETS_AT } },
      ]);
      expect([carriers(simulator), client.gapsMs]).toEqual([[transport], []]);
    },
  );

  test('as answer to the upgrade fails the turn without asking over HTTP [TRANSPORT-06]', async () => {
    await using simulator = await Simulator.start({ handshakes: [refusal] });
    await using client = new TransportClient({ url: simulator.url, transport: 'websocket' });
    client.warmUp();
    const { outcome, notices } = await client.turn();
    expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'usage-limit-reached', retryable: false } });
    expect(notices).toEqual([expect.stringMatching(LIMIT_LINE)]);
    expect([simulator.handshakes.length, simulator.requests.length]).toEqual([1, 0]);
  });
});

describe('status 500 whatever is asked', () => {
  test('over HTTP is 30 POSTs: five each time, six times [TRANSPORT-07]', async () => {
    await using simulator = await Simulator.start({
      rules: rehearse(() => status(/* code */ 500, { body: { error: { message: 'Broken.' } } })),
    });
    await using client = new TransportClient({ url: simulator.url, transport: 'http' });
    const { outcome, notices } = await client.turn();
    const request = [200, 400, 800, 1600];
    const between = [200, 400, 800, 1600, 3200];
    expect(client.gapsMs).toEqual([...between.flatMap((gapMs) => [...request, gapMs]), ...request]);
    expect(simulator.requests).toHaveLength(30);
    const cause =
      'the provider failed to answer, perhaps because of high demand: unexpected status 500 Internal Server Error: Broken., url: http://127.0.0.1:PORT/v1/responses';
    expect(notices).toEqual([
      ...['200 ms', '400 ms', '800 ms', '1.6 s', '3.2 s'].map((gap, index) =>
        retryLine(INTERNAL_ERROR, { attempt: index + 1, gap, cause }),
      ),
      `ERROR: ${cause}`,
    ]);
    expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'internal-server-error', retryable: true } });
  });

  test('as error events over WebSocket is asked twice there, and then over HTTP [TRANSPORT-08]', async () => {
    const broken = respond(errorEvent({ type: 'server_error', message: 'Broken.' }, { status: 500 }));
    await using simulator = await Simulator.start({
      rules: rehearse(({ transport }) => (transport === 'websocket' ? broken : DONE)),
    });
    await using client = new TransportClient({ url: simulator.url, transport: 'websocket' });
    client.warmUp();
    const { outcome, notices } = await client.turn();
    const cause =
      'the provider failed to answer, perhaps because of high demand: unexpected status 500 Internal Server Error: Broken., url: http://127.0.0.1:PORT/v1/responses';
    expect({ outcome, notices, gapsMs: client.gapsMs }).toEqual({
      outcome: COMPLETED,
      notices: [
        retryLine(INTERNAL_ERROR, { attempt: 1, gap: '200 ms', cause }),
        `! Going on over HTTP, because the WebSocket did not work: ${cause}`,
      ],
      gapsMs: [200],
    });
    expect(carriers(simulator)).toEqual(['websocket', 'websocket', 'http']);
  });
});

describe.each(BOTH)('a failed response behind which the connection stays open (%s)', (transport) => {
  // The peer waits for the end of the body, up to the idle timeout: docs/model-requests.md.
  test('fails at once, and its connection is given up [TRANSPORT-09]', async () => {
    using sockets = new OpenSockets();
    await using simulator = await Simulator.start({
      steps: [keepOpen(respond(failed({ code: 'invalid_prompt', message: 'No.' })))],
    });
    await using client = new TransportClient({
      url: simulator.url,
      transport,
      provider: { streamIdleTimeoutMs: 60_000 },
    });
    client.warmUp();
    const { outcome } = await client.turn();
    expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'invalid-request', message: 'No.' } });
    expect(sockets.acceptedAt(simulator.port)).toBe(1);
    // The thread is still open: nothing but the failure can have closed it.
    await sockets.noneAt(simulator.port, { withinMs: 5_000 });
  });
});

describe('two turns', () => {
  test('over WebSocket use one upgrade; the second continues the first and carries no turn state [TRANSPORT-10]', async () => {
    await using simulator = await Simulator.start({
      steps: [respond(turnState('ts-1'), text('One.')), respond(text('Two.'))],
    });
    await using client = new TransportClient({ url: simulator.url, transport: 'websocket' });
    client.warmUp();
    await client.turn('First.');
    const { notices } = await client.turn('Second.');
    const [first, second] = simulator.requests;
    expect([simulator.handshakes.length, simulator.prewarms.length, notices]).toEqual([1, 1, []]);
    expect(previousIds(simulator.requests)).toEqual([expect.stringMatching(/./), 'resp_0']);
    expect(second?.inheritedItems).toBe((first?.input.length ?? 0) + 1);
    expect(second?.body['input']).toEqual([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Second.' }] },
    ]);
    expect(simulator.requests.map(sentTurnState)).toEqual([undefined, undefined]);
  });

  test('over HTTP use one connection, and the second sends everything [TRANSPORT-10]', async () => {
    await using simulator = await Simulator.start({
      steps: [respond(text('One.'), { headers: { 'x-codex-turn-state': 'ts-1' } }), respond(text('Two.'))],
    });
    await using client = new TransportClient({ url: simulator.url, transport: 'http' });
    await client.turn('First.');
    await client.turn('Second.');
    expect(new Set(simulator.requests.map(({ connection }) => connection)).size).toBe(1);
    expect(previousIds(simulator.requests)).toEqual([undefined, undefined]);
    expect(simulator.requests.map(sentTurnState)).toEqual([undefined, undefined]);
  });
});

test('a turn with an output schema sends everything although the line was warmed without [TRANSPORT-11]', async () => {
  await using simulator = await Simulator.start({ steps: [respond(text('{}')), respond(text('Plain.'))] });
  await using client = new TransportClient({ url: simulator.url, transport: 'websocket' });
  client.warmUp();
  await client.turn('One.', { outputSchema: { type: 'object', properties: {}, additionalProperties: false } });
  await client.turn('Two.');
  expect(simulator.prewarms.map(({ body }) => body['generate'])).toEqual([false]);
  expect(simulator.handshakes).toHaveLength(1);
  expect(previousIds(simulator.requests)).toEqual([undefined, undefined]);
});

describe.each(BOTH)('the turn state of a tool loop (%s)', (transport) => {
  test('is absent, echoed, echoed, and absent in the next turn; the first value wins [TRANSPORT-12]', async () => {
    const call = (id: string) => functionCall(id, 'shell_command', { command: `echo ${id}`, login: false });
    const state = (value: string) => ({ headers: { 'x-codex-turn-state': value } });
    await using simulator = await Simulator.start({
      steps: [
        respond(call('c1'), state('ts-1')),
        respond(call('c2'), state('ts-2')),
        respond(text('Done.'), state('ts-3')),
        respond(text('Next.')),
      ],
    });
    await using client = new TransportClient({ url: simulator.url, transport });
    client.warmUp();
    await client.turn();
    await client.turn('Next.');
    expect(simulator.requests.map(sentTurnState)).toEqual([undefined, 'ts-1', 'ts-1', undefined]);
    expect(client.commands).toEqual(['echo c1', 'echo c2']);
    expect(client.record).toEqual(['call c1', 'output c1', 'call c2', 'output c2', 'message Done.', 'message Next.']);
  });

  test('is echoed by the retry of a request, too [TRANSPORT-12]', async () => {
    await using simulator = await Simulator.start({
      steps: [
        cutAfterEvents(
          /* eventCount */ 3,
          respond(text('Done.', { id: 'm1', chunks: 3 }), { headers: { 'x-codex-turn-state': 'ts-1' } }),
        ),
        respond(text('Done.', { id: 'm1' })),
      ],
    });
    await using client = new TransportClient({ url: simulator.url, transport });
    await client.turn();
    expect(simulator.requests.map(sentTurnState)).toEqual([undefined, 'ts-1']);
  });
});

/** A login whose stored token was renewed by another process: the first step of the recovery reads it again. */
function renewedLogin(steps: string[]): CredentialsSource {
  const login = (accessToken: string): Credentials => ({ kind: 'chatgpt', accessToken, accountId: 'account-1' });
  return {
    current: () => Promise.resolve(login('stale')),
    async *recover() {
      steps.push('reload');
      yield { mode: 'managed', phase: 'reload', credentials: login('fresh'), changed: true };
      steps.push('refresh');
    },
  };
}

describe.each(BOTH)('a ChatGPT login that is not accepted once (%s)', (transport) => {
  test('is read again and the request repeated in the same turn, without a word or a wait [TRANSPORT-13]', async () => {
    const refused = status(/* code */ 401, { body: { error: { message: 'Token expired.' } } });
    await using simulator = await Simulator.start(
      transport === 'http' ? { steps: [refused, DONE] } : { handshakes: [refused], steps: [DONE] },
    );
    const steps: string[] = [];
    const credentials = renewedLogin(steps);
    await using client = new TransportClient({ url: simulator.url, transport, credentials });
    const { outcome, notices } = await client.turn();
    expect({ outcome, notices, gapsMs: client.gapsMs, steps }).toEqual({
      outcome: COMPLETED,
      notices: [],
      gapsMs: [],
      steps: ['reload'],
    });
    const asked = transport === 'http' ? simulator.requests : simulator.handshakes;
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer stale', 'Bearer fresh']);
  });
});

describe.each(BOTH)('an API key that is not accepted (%s)', (transport) => {
  // The peer repeats a refused key as any unexpected status: docs/model-requests.md.
  test('fails the turn after one request over HTTP, and the line names the variable [TRANSPORT-14]', async () => {
    const refused = status(/* code */ 401, { body: { error: { message: 'Incorrect API key provided.' } } });
    await using simulator = await Simulator.start({
      transports: { websocket: refused, http: refused },
      rules: rehearse(() => DONE),
    });
    await using client = new TransportClient({ url: simulator.url, transport });
    client.warmUp();
    const { outcome, notices } = await client.turn();
    expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'unauthorized', retryable: false } });
    expect(notices.at(-1)).toMatch(/^ERROR: .*CODEX_API_KEY/);
    expect([simulator.handshakes.length, client.gapsMs]).toEqual([transport === 'http' ? 0 : 1, []]);
  });
});

describe('a file of certificates that is not there', () => {
  const missing = join('/nonexistent', 'company-root.pem');

  test.each(BOTH)('does not concern plain http (%s) [TRANSPORT-15]', async (transport) => {
    await using simulator = await Simulator.start({ steps: [DONE] });
    const environment = { CODEX_CA_CERTIFICATE: missing };
    await using client = new TransportClient({ url: simulator.url, transport, environment });
    expect((await client.turn()).outcome).toEqual(COMPLETED);
  });

  // The peer's HTTP client goes on with the system's roots in silence: docs/network.md.
  test.each(BOTH)(
    'fails a turn over TLS once, naming variable, path and remedy (%s) [TRANSPORT-15]',
    async (transport) => {
      await using ca = await createCertificateAuthority();
      await using simulator = await Simulator.start({ tls: { ca } });
      const environment = { CODEX_CA_CERTIFICATE: missing };
      await using client = new TransportClient({ url: simulator.url, transport, environment });
      const { outcome, notices } = await client.turn();
      expect(outcome).toMatchObject({ kind: 'failed', failure: { retryable: false } });
      expect({ notices, gapsMs: client.gapsMs }).toEqual({
        notices: [
          `ERROR: the certificate file ${missing}, selected by CODEX_CA_CERTIFICATE, cannot be read (ENOENT); set CODEX_CA_CERTIFICATE or SSL_CERT_FILE to a PEM file with one or more CERTIFICATE blocks, or unset both to use the system roots`,
        ],
        gapsMs: [],
      });
    },
  );
});

function limitsOf(events: Awaited<ReturnType<TransportClient['turn']>>['events']): readonly unknown[] {
  return events.flatMap((event) =>
    event.kind === 'rate-limits' ? [{ limitId: event.snapshot.limitId, primary: event.snapshot.primary }] : [],
  );
}
