import { randomBytes } from 'node:crypto';

/** Where a span stands in its trace. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Somebody records the trace. */
  readonly isSampled: boolean;
  /** Of other vendors; passed on as it came. */
  readonly state: string | undefined;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Bytes, of which a state must allow at least so many. Source: W3C Trace Context. */
const MAX_STATE_LENGTH = 512;

/** What another program handed over. `undefined`: nothing, or nothing that can be understood. */
export function parseTraceContext(
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(traceparent?.trim() ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const state = tracestate?.trim() ?? '';
  const isUsable = state !== '' && state.length <= MAX_STATE_LENGTH && /^[\x20-\x7e]*$/.test(state);
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, isSampled, state: isUsable ? state : undefined };
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** Of a span below `parent`, or of the first one of a new trace. */
export function childContext(parent: TraceContext | undefined): TraceContext {
  const spanId = randomId(/* bytes */ 8);
  if (parent === undefined) return { traceId: randomId(/* bytes */ 16), spanId, isSampled: true, state: undefined };
  return { ...parent, spanId };
}

/** All zeros are no id. */
function randomId(bytes: number): string {
  const id = randomBytes(bytes);
  if (id.every((byte) => byte === 0)) id[0] = 1;
  return id.toString('hex');
}
