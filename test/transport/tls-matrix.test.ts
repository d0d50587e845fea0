/** Real TLS on loopback through the whole client: way × certificate × transport. */
import { Quire } from '@quire/agent';
import type { ThreadEvent, TurnOutcome } from '@quire/protocol';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  rehearse,
  respond,
  type ServerCertificate,
  Simulator,
  text,
} from '@quire/simulator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWorkspace } from '../support/workspace.ts';
import { type LineTransport, readEvents } from './support/client.ts';
import { WAYS } from './support/ways.ts';

const TRANSPORTS: readonly LineTransport[] = ['http', 'websocket'];
const CELLS = WAYS.flatMap((entry) => TRANSPORTS.map((transport) => ({ ...entry, transport })));

let trusted: CertificateAuthority;
let other: CertificateAuthority;
let certificates: Readonly<Record<'valid' | 'expired', ServerCertificate>>;
beforeAll(async () => {
  [trusted, other] = [
    await createCertificateAuthority(),
    await createCertificateAuthority({ name: 'Other Authority' }),
  ];
  certificates = { valid: await trusted.issue(), expired: await trusted.issue({ expired: true }) };
});
afterAll(() => Promise.all([trusted[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]));

/** Two turns of one thread. */
async function runTurns(
  { open, transport }: (typeof CELLS)[number],
  options: { readonly certificate: ServerCertificate; readonly trust: CertificateAuthority },
) {
  const ca = { ...trusted, issue: () => Promise.resolve(options.certificate) };
  await using simulator = await Simulator.start({ tls: { ca }, rules: rehearse(() => respond(text('Done.'))) });
  await using way = await open();
  await using workspace = await createWorkspace();
  const supports = transport === 'websocket';
  const quire = new Quire({
    home: workspace.home,
    apiKey: 'test-key',
    environment: {
      PATH: process.env['PATH'],
      SHELL: '/bin/sh',
      CODEX_CA_CERTIFICATE: options.trust.file,
      ...way.environment,
    },
    configOverrides: [
      `model_providers.mock={name="mock",base_url="${simulator.url}",supports_websockets=${supports}}`,
      'model_provider=mock',
    ],
  });
  await using thread = await quire.startThread({ workingDirectory: workspace.project, skipGitRepoCheck: true });
  const outcomes: TurnOutcome[] = [];
  const notices: string[] = [];
  for (const prompt of ['One.', 'Two.']) {
    const events: ThreadEvent[] = [];
    await thread.runPushed(prompt, { onEvent: (event) => events.push(event) });
    notices.push(...readEvents(events).notices);
    const last = events.at(-1);
    if (last?.kind === 'turn-end') outcomes.push(last.outcome);
    if (last?.kind !== 'turn-end' || last.outcome.kind !== 'completed') break;
  }
  const target = `CONNECT 127.0.0.1:${simulator.port}`;
  return {
    outcomes,
    notices,
    carriers: simulator.requests.map((request) => request.transport),
    handshakes: simulator.handshakes.length,
    targets: [...new Set(way.targets().map((entry) => (entry === target ? 'the provider' : entry)))],
  };
}

const failedWith = (message: string) => [
  { kind: 'failed', failure: { code: 'tls', retryable: false, message: expect.stringContaining(message) } },
];

describe.each(CELLS)('$transport, $way', (cell) => {
  const { way, transport } = cell;

  test('a provider with a certificate of the private authority answers, over WebSocket with one handshake [TRANSPORT-40]', async () => {
    const result = await runTurns(cell, { certificate: certificates.valid, trust: trusted });
    expect(result).toEqual({
      outcomes: Array(2).fill({ kind: 'completed', lastAgentMessage: 'Done.' }),
      notices: [],
      carriers: [transport, transport],
      handshakes: transport === 'websocket' ? 1 : 0,
      targets: way === 'direct' ? [] : ['the provider'],
    });
  });

  test.each([
    {
      name: 'of another authority',
      of: () => ({ certificate: certificates.valid, trust: other }),
      message:
        "is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE); if an organisation's own authority signed it, name its file in CODEX_CA_CERTIFICATE",
    },
    {
      name: 'that has expired',
      of: () => ({ certificate: certificates.expired, trust: trusted }),
      message: 'is not trusted (CERT_HAS_EXPIRED); whoever runs it must renew or correct it',
    },
  ])(
    'a certificate $name fails the turn at once with one line and no request [TRANSPORT-41]',
    async ({ of, message }) => {
      const { outcomes, notices, carriers } = await runTurns(cell, of());
      expect(outcomes).toEqual(failedWith(message));
      expect(notices).toEqual([`ERROR: the TLS certificate of 127.0.0.1:PORT ${message}`]);
      expect(carriers).toEqual([]);
    },
  );
});
