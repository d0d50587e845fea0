import {
  type CertificateAuthority,
  type RecordedRequest,
  rehearse,
  respondExactly,
  Simulator,
  type SimulatorOptions,
} from '@quire/simulator';
import { type LineTransport, TransportClient, type TurnReport } from './client.ts';
import { answerEvents, FAULTS, type Fault, type FaultKind, finalEvents, MOMENTS, type Moment } from './faults.ts';
import { openGate } from './faulty-gate.ts';
import type { OpenSockets } from './open-sockets.ts';

export interface Cell {
  readonly transport: LineTransport;
  readonly fault: string;
  readonly moment: Moment;
  /** `once`: the first connection or request only. `always`: whatever is tried. */
  readonly occurrence: 'once' | 'always';
}

/** What a cell came to. */
export interface CellResult {
  /** As the table shows it. */
  readonly summary: string;
  readonly outcome: TurnReport['outcome'];
  /** Kinds of the events with which a turn may end. */
  readonly terminalEvents: number;
  readonly lastEvent: string | undefined;
  readonly items: readonly string[];
  readonly record: readonly string[];
  readonly commands: readonly string[];
  readonly durationMs: number;
  readonly violations: readonly string[];
}

/** The settings of every cell. */
export const LIMITS = {
  requestMaxRetries: 1,
  streamMaxRetries: 2,
  /** Silence of the model, and the wait for headers. A busy machine does not reach it by itself. */
  idleTimeoutMs: 2_000,
  handshakeTimeoutMs: 2_000,
  pingIntervalMs: 200,
  /** Once the thread has left WebSocket, a black hole is only silence. */
  blackHoleIdleTimeoutMs: 2_000,
} as const;

/** For cells in which nothing is to be waited for: no cell ends by a limit that is not its subject. */
const LONG_MS = 30_000;
/** What a busy machine may add. */
const SLACK_MS = 10_000;
/** While it is not sure that WebSocket is at fault, each attempt of the turn may try both transports. */
export const LONGEST_WAITS = 2 * (LIMITS.streamMaxRetries + 1);
/** How long after the end of the thread a connection may stay. */
const SOCKET_LINGER_MS = 10_000;

export function allCells(): readonly Cell[] {
  return FAULTS.flatMap((fault) =>
    MOMENTS.flatMap((moment) =>
      (['http', 'websocket'] as const).flatMap((transport) =>
        fault.at(moment, transport) === undefined
          ? []
          : (fault.onlyOnce === true ? (['once'] as const) : (['once', 'always'] as const)).map((occurrence) => ({
              transport,
              fault: fault.name,
              moment,
              occurrence,
            })),
      ),
    ),
  );
}

/** Whether the client has to wait in this cell, and not only to work. */
export function isWaiting(cell: Cell): boolean {
  return kindOf(cell).patience !== undefined;
}

/** How long a turn of this cell may take. Milliseconds. */
export function boundOf(cell: Cell): number {
  const { patience = 'none' } = kindOf(cell);
  switch (patience) {
    case 'none':
      return SLACK_MS;
    case 'pong':
      return cell.occurrence === 'once'
        ? 2 * LIMITS.pingIntervalMs + SLACK_MS
        : LONGEST_WAITS * LIMITS.blackHoleIdleTimeoutMs + SLACK_MS;
    default:
      return LONGEST_WAITS * Math.max(LIMITS.idleTimeoutMs, LIMITS.handshakeTimeoutMs) + SLACK_MS;
  }
}

/** Runs one turn against one fault. Rejects when a connection outlives the thread. */
export async function runCell(
  cell: Cell,
  tools: { readonly sockets: OpenSockets; readonly authority: CertificateAuthority },
): Promise<CellResult> {
  const kind = kindOf(cell);
  const fault = kind.at(cell.moment, cell.transport);
  if (fault === undefined) throw new Error(`no such cell: ${cell.fault}, ${cell.moment}`);
  const tls = fault.tls === true ? { tls: { ca: tools.authority } } : {};
  const simulator = await Simulator.start({ ...scriptOf(cell, fault), ...tls });
  const gate =
    fault.place === 'gate'
      ? await openGate({
          targetPort: simulator.port,
          fault: fault.gate,
          faulty: cell.occurrence === 'once' ? 1 : Infinity,
        })
      : undefined;
  try {
    const port = gate?.port ?? simulator.port;
    const client = new TransportClient({
      url: `${fault.tls === true ? 'https' : 'http'}://127.0.0.1:${port}/v1`,
      transport: cell.transport,
      provider: providerOf(kind, cell),
      environment: { CODEX_CA_CERTIFICATE: tools.authority.file },
      pingIntervalMs: kind.patience === 'pong' ? LIMITS.pingIntervalMs : LONG_MS,
    });
    const startedAtMs = performance.now();
    const report = await client.turn();
    const durationMs = performance.now() - startedAtMs;
    client.close();
    // A connection that is reset as soon as it is accepted is gone before it is announced.
    const announced = fault.place !== 'gate' || fault.gate.how !== 'reset' || fault.gate.when !== 'accepted';
    if (announced && tools.sockets.acceptedAt(port) === 0) throw new Error('connections of this cell are not seen');
    await tools.sockets.noneAt(port, { withinMs: SOCKET_LINGER_MS });
    await tools.sockets.noneAt(simulator.port, { withinMs: SOCKET_LINGER_MS });
    const { events, items, outcome } = report;
    return {
      summary: summaryOf(cell, report),
      outcome,
      terminalEvents: events.filter((event) => event.kind === 'turn-end').length,
      lastEvent: events.at(-1)?.kind,
      items,
      record: client.record,
      commands: client.commands,
      durationMs,
      violations: simulator.violations,
    };
  } finally {
    await gate?.[Symbol.asyncDispose]();
    await simulator.stop();
  }
}

function kindOf({ fault }: Cell): FaultKind {
  const kind = FAULTS.find(({ name }) => name === fault);
  if (kind === undefined) throw new Error(`no such fault: ${fault}`);
  return kind;
}

function providerOf({ patience = 'none' }: FaultKind, { occurrence }: Cell) {
  // A black hole that is met once must be known by its missing pongs: its bound is far below this silence.
  const blackHole = occurrence === 'once' ? LONG_MS : LIMITS.blackHoleIdleTimeoutMs;
  const silence = { none: LONG_MS, silence: LIMITS.idleTimeoutMs, pong: blackHole };
  return {
    requestMaxRetries: LIMITS.requestMaxRetries,
    streamMaxRetries: LIMITS.streamMaxRetries,
    streamIdleTimeoutMs: silence[patience],
    websocketConnectTimeoutMs: patience === 'none' ? LONG_MS : LIMITS.handshakeTimeoutMs,
  };
}

function scriptOf(cell: Cell, fault: Fault): SimulatorOptions {
  const isFaulty = ({ index }: RecordedRequest): boolean => cell.occurrence === 'always' || index === 0;
  const rules = rehearse((request) => {
    const events = rightEvents(request);
    if (!isFaulty(request)) return respondExactly(...events);
    if (fault.place === 'stream') return fault.step(events);
    const concerns = fault.place === 'answer' && (cell.transport === 'http' || cell.occurrence === 'always');
    return concerns ? fault.answer : respondExactly(...events);
  });
  if (fault.place !== 'answer' || cell.transport === 'http') return { rules };
  return cell.occurrence === 'once'
    ? { rules, handshakes: [fault.answer] }
    : { rules, transports: { websocket: fault.answer } };
}

/** What the model would answer: it goes on from what the request carries, and repeats what was lost under the same ids. */
function rightEvents(request: RecordedRequest) {
  const id = `resp-${request.index}`;
  return request.toolOutputs.length === 0 ? answerEvents(id) : finalEvents(id);
}

/** Such as `✓ after 1, then HTTP` or `✗ idle-timeout after 3`. */
function summaryOf({ moment }: Cell, { outcome, receipts }: TurnReport): string {
  // A failed receipt is part of the next one of the same request.
  const whole = receipts.filter(({ outcome: end }, index) => end === 'completed' || index === receipts.length - 1);
  const attempts = whole.flatMap((receipt) => receipt.attempts);
  const failures = attempts.filter(({ cause }) => cause !== undefined).length;
  const changed = attempts.some(({ transport }) => transport === 'websocket') && attempts.at(-1)?.transport === 'http';
  const tail = changed ? ', then HTTP' : '';
  // Whether the next request still meets a connection that breaks behind the answer is a matter of microseconds.
  if (outcome.kind === 'completed' && moment === 'after the end' && failures <= 1) return '✓';
  if (outcome.kind === 'completed') return failures === 0 ? '✓' : `✓ after ${failures}${tail}`;
  const code = outcome.kind === 'failed' ? outcome.failure.code : outcome.kind;
  return `✗ ${code} after ${failures}${tail}`;
}
