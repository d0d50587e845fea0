import { assertNever, type ModelError, type ModelErrorCode, type TransportFailure } from '@quire/protocol';
import { asksForNewConnection } from '../ws/error-event.ts';

/** The decision to go on over HTTP. */
export interface Verdict {
  /** For a person. */
  readonly cause: string;
  readonly failure: TransportFailure;
  /** The server asked for it politely: nobody has to know. */
  readonly silent: boolean;
  /** Holds only once HTTP got an answer: until then the network as a whole may be at fault. */
  readonly provisional: boolean;
  /** How long the host is remembered. Milliseconds; 0 is not at all. */
  readonly rememberForMs: number;
}

export type NextStep =
  /** Again at once, on a new connection and with the whole request. */
  | { readonly kind: 'reconnect' }
  | { readonly kind: 'http'; readonly verdict: Verdict }
  /** The error goes to the turn. `lost`: the line was at fault. `verdict`: the next attempt is over HTTP. */
  | { readonly kind: 'fail'; readonly lost: boolean; readonly verdict: Verdict | undefined };

export interface FailureSituation {
  /** The turn has seen output of this response: it can not be begun again behind its back. */
  readonly delivered: boolean;
  /** The connection had served an earlier request. */
  readonly reusedConnection: boolean;
  /** New connections made for this request already. */
  readonly reconnects: number;
  /** Lost responses in a row before this one. */
  readonly lossesBefore: number;
  /** Number of losses in a row at which WebSocket is given up. At least 1. */
  readonly lossLimit: number;
}

const MINUTE_MS = 60_000;
const SHORT_MS = 5 * MINUTE_MS;
const LONG_MS = 60 * MINUTE_MS;

/** Close codes that say: not here, not like this. The same would happen on the next connection. */
const FINAL_CLOSE_CODES: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009, 1010]);

/** Refusals that concern the account, not the transport. */
const ACCOUNT_CODES: ReadonlySet<ModelErrorCode> = new Set([
  'usage-limit-reached',
  'usage-not-included',
  'quota-exceeded',
]);

/**
 * What to do after a WebSocket attempt failed. What can not succeed on WebSocket goes to HTTP after one
 * attempt (the peer makes seven); what may succeed on a new connection gets one. The table of this is
 * docs/model-requests.md.
 */
export function afterFailure(error: ModelError, situation: FailureSituation): NextStep {
  const failure = error.transportFailure;
  const fail: NextStep = { kind: 'fail', lost: false, verdict: undefined };
  if (failure === undefined) return fail;
  switch (failure.kind) {
    case 'dns':
    case 'tcp':
    case 'tls':
    case 'proxy':
    case 'connect-timeout':
      return { kind: 'http', verdict: verdict(error, failure, { provisional: true, rememberForMs: SHORT_MS }) };
    case 'upgrade-protocol':
      return { kind: 'http', verdict: verdict(error, failure, { rememberForMs: LONG_MS }) };
    case 'upgrade-status':
      return ACCOUNT_CODES.has(error.code) ? fail : { kind: 'http', verdict: refused(error, failure, failure.status) };
    case 'close-code':
      return FINAL_CLOSE_CODES.has(failure.closeCode)
        ? giveUp(verdict(error, failure, { rememberForMs: LONG_MS }), situation)
        : afterLoss(error, failure, situation);
    case 'in-band':
      if (asksForNewConnection(error)) return reconnects(situation) ? { kind: 'reconnect' } : fail;
      return isServersFault(error) ? afterLoss(error, failure, situation) : fail;
    case 'reset':
    case 'dead-peer':
    case 'bad-frame':
    case 'silence':
      return afterLoss(error, failure, situation);
    default:
      return assertNever(failure, 'afterFailure');
  }
}

/** A response was lost on the way. */
function afterLoss(error: ModelError, failure: TransportFailure, situation: FailureSituation): NextStep {
  const stale = situation.reusedConnection && (failure.kind === 'reset' || failure.kind === 'close-code');
  if (stale && reconnects(situation)) return { kind: 'reconnect' };
  if (situation.lossesBefore + 1 < situation.lossLimit) return { kind: 'fail', lost: true, verdict: undefined };
  return giveUp(verdict(error, failure, { rememberForMs: SHORT_MS }), situation);
}

function giveUp(decision: Verdict, { delivered }: FailureSituation): NextStep {
  return delivered ? { kind: 'fail', lost: true, verdict: decision } : { kind: 'http', verdict: decision };
}

function reconnects({ delivered, reconnects: made }: FailureSituation): boolean {
  return !delivered && made === 0;
}

/** Errors that another way to the same server may avoid. */
function isServersFault(error: ModelError): boolean {
  return error.code === 'internal-server-error' || error.code === 'unexpected-status';
}

function refused(error: ModelError, failure: TransportFailure, status: number): Verdict {
  const cause = `the server answered the WebSocket upgrade with status ${status}`;
  const rememberForMs = status === 401 ? 0 : status === 429 || status >= 500 ? SHORT_MS : LONG_MS;
  return { ...verdict(error, failure, { rememberForMs }), cause, silent: status === 426 };
}

function verdict(
  error: ModelError,
  failure: TransportFailure,
  options: { readonly provisional?: boolean; readonly rememberForMs: number },
): Verdict {
  return { cause: error.message, failure, silent: false, provisional: false, ...options };
}
