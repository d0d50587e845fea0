import type { JsonObject } from '@quire/protocol';
import { status } from './faults.ts';
import type { AcceptUpgrade, Headers, StatusAnswer } from './step.ts';

export interface AcceptOptions {
  readonly headers?: Headers;
  /** True when absent. */
  readonly answerPings?: boolean;
  readonly pingEveryMs?: number;
  /** `accept` when absent. */
  readonly deflate?: 'decline' | 'accept' | 'compress';
}

export function acceptUpgrade(options: AcceptOptions = {}): AcceptUpgrade {
  return {
    kind: 'accept',
    headers: options.headers ?? {},
    answerPings: options.answerPings ?? true,
    ...(options.pingEveryMs === undefined ? {} : { pingEveryMs: options.pingEveryMs }),
    deflate: options.deflate ?? 'accept',
    delivery: {},
  };
}

/** The refusals that servers and gateways give, with a body of the usual shape; `status` makes any other. */
export function refuseUpgrade(
  code: number,
  options: { readonly headers?: Headers; readonly error?: JsonObject } = {},
): StatusAnswer {
  const error = {
    type: 'invalid_request_error',
    code: null,
    message: `upgrade refused with ${code}`,
    ...options.error,
  };
  return status(code, { body: { error }, ...(options.headers === undefined ? {} : { headers: options.headers }) });
}
