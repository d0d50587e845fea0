import { type Clock, millisecondsText, type Span, type Telemetry, type TelemetryAttributes } from '@quire/core';
import type {
  AuthTags,
  ModelClientObserver,
  RecoveryReport,
  RequestAttempt,
  RequestAuthorization,
  SocketConnect,
  SocketRequest,
  StreamPoll,
  WarmUpOutcome,
  WarmUpUse,
} from '@quire/model-client';
import type { JsonObject, ModelTransport } from '@quire/protocol';

/** Members of the timing event, and the metrics that keep them. Source: peer behaviour. */
const SERVER_TIMINGS: readonly (readonly [member: string, metric: string])[] = [
  ['responses_duration_excl_engine_and_client_tool_time_ms', 'codex.responses_api_overhead.duration_ms'],
  ['engine_service_total_ms', 'codex.responses_api_inference_time.duration_ms'],
  ['engine_iapi_ttft_total_ms', 'codex.responses_api_engine_iapi_ttft.duration_ms'],
  ['engine_service_ttft_total_ms', 'codex.responses_api_engine_service_ttft.duration_ms'],
  ['engine_iapi_tbt_across_engine_calls_ms', 'codex.responses_api_engine_iapi_tbt.duration_ms'],
  ['engine_service_tbt_across_engine_calls_ms', 'codex.responses_api_engine_service_tbt.duration_ms'],
];

/** Source for the first and the last: the peer. It has no word for the second, as far as is known. */
const CONTINUATION_REASONS: Readonly<Record<NonNullable<SocketRequest['reason']>, string>> = {
  'new-connection': 'no_previous_request',
  'fields-changed': 'fields_changed',
  'history-changed': 'input_mismatch',
};

/** Beyond what servers are known to send. */
const MAX_POLL_KINDS = 200;

/** Names of events that servers send; anything else may be anything. */
const EVENT_NAME = /^[a-z_.]{1,80}$/;

interface PollTags {
  readonly tags: TelemetryAttributes;
  readonly isLogged: boolean;
}

type RefusalListener = Pick<ModelClientObserver, 'authRecovery' | 'authTags'>;

/** Tells of the line to the provider what its observer is told, under the names that the peer has for it. */
export class TelemetryObserver implements ModelClientObserver {
  readonly #telemetry: Telemetry;
  readonly #clock: Pick<Clock, 'now'>;
  /** By type of event: there are many events and few types. */
  readonly #pollTags: Readonly<Record<ModelTransport, Map<string, PollTags>>> = {
    http: new Map(),
    websocket: new Map(),
  };
  readonly #environmentFacts: TelemetryAttributes;
  #span: Span | undefined;
  #authorization: TelemetryAttributes = {};
  #isAgain = false;
  #refusals: RefusalListener | undefined;

  /** @param environmentFacts what the environment offers for credentials, no values */
  constructor(telemetry: Telemetry, clock: Pick<Clock, 'now'>, environmentFacts: TelemetryAttributes) {
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#environmentFacts = environmentFacts;
  }

  /** Who else hears of refused credentials. */
  alsoTell(refusals: RefusalListener | undefined): void {
    this.#refusals = refusals;
  }

  authTags(tags: AuthTags): void {
    this.#refusals?.authTags?.(tags);
  }

  requestStart(span: Span | undefined): void {
    this.#span = span;
  }

  requestAuthorization({ attached, after }: RequestAuthorization): void {
    this.#isAgain = after !== undefined;
    this.#authorization = {
      'auth.header_attached': attached,
      'auth.header_name': attached ? 'authorization' : undefined,
      'auth.retry_after_unauthorized': this.#isAgain,
      'auth.recovery_mode': after?.mode,
      'auth.recovery_phase': after?.phase,
      ...this.#environmentFacts,
    };
  }

  requestAttempt({ attempt, endpoint, status, error, durationMs }: RequestAttempt): void {
    const success = error === undefined;
    const tags = { status: status === undefined ? 'none' : String(status), success };
    this.#timed('codex.api_request', durationMs, tags);
    const facts = { attempt, endpoint, 'http.response.status_code': status, success };
    this.#event('codex.api_request', {
      ...facts,
      ...this.#authorization,
      duration_ms: millisecondsText(durationMs),
      'error.message': reason(status, error),
    });
    this.#finished('model.attempt', durationMs, {
      error,
      attributes: { attempt, 'http.response.status_code': status, 'url.path': endpoint, 'model.transport': 'http' },
    });
  }

  streamPoll(poll: StreamPoll, transport: ModelTransport = 'http'): void {
    const { durationMs } = poll;
    const { tags, isLogged } = this.#tagsOfPoll(poll, transport);
    const count = poll.result === 'event' ? poll.count : 1;
    const metric = transport === 'websocket' ? 'codex.websocket.event' : 'codex.sse_event';
    this.#telemetry.timed(metric, { count, durationMs }, tags);
    if (transport === 'websocket' || !isLogged) return;
    this.#event('codex.sse_event', { 'event.kind': tags['kind'], duration_ms: millisecondsText(durationMs) });
    for (let others = count - 1; others > 0; others -= 1) {
      this.#event('codex.sse_event', { 'event.kind': tags['kind'], duration_ms: '0' });
    }
  }

  socketConnect({ durationMs, status, error, phase }: SocketConnect): void {
    const success = error === undefined;
    this.#timed('codex.websocket.connect', durationMs, { success, reauth: this.#isAgain });
    this.#event('codex.websocket_connect', {
      ...this.#authorization,
      duration_ms: millisecondsText(durationMs),
      success: String(success),
      'http.response.status_code': success ? undefined : status,
      endpoint: '/responses',
      'auth.connection_reused': false,
      'auth.reauth': this.#isAgain,
      'error.message': reason(status, error),
    });
    // The warm-up belongs to no request.
    if (phase === 'warm-up') return;
    this.#finished('model.connect', durationMs, { error, attributes: { 'http.response.status_code': status } });
  }

  socketRequest(request: SocketRequest): void {
    const { phase, reusedConnection, mode, durationMs, error, mismatch } = request;
    const success = error === undefined;
    this.#timed('codex.websocket.request', durationMs, { success });
    this.#telemetry.count('codex.websocket.continuation', {
      mode,
      reason: request.reason === undefined ? mode : CONTINUATION_REASONS[request.reason],
      phase: phase === 'warm-up' ? 'warmup' : 'generation',
      after_prewarm: request.afterWarmUp,
      previous_item_type: mismatch?.previous ?? 'none',
      current_item_type: mismatch?.current ?? 'none',
    });
    this.#event('codex.websocket_request', {
      ...this.#environmentFacts,
      duration_ms: millisecondsText(durationMs),
      success: String(success),
      'auth.connection_reused': reusedConnection,
      'error.message': error,
    });
    if (phase === 'turn')
      this.#span?.set({ 'model.transport': 'websocket', 'model.incremental': mode === 'incremental' });
  }

  serverTiming(metrics: JsonObject): void {
    for (const [member, metric] of SERVER_TIMINGS) {
      const value = metrics[member];
      if (typeof value === 'number') this.#telemetry.duration(metric, value);
    }
  }

  warmUp({ outcome, durationMs }: { readonly outcome: WarmUpOutcome; readonly durationMs: number }): void {
    // The peer warms up with what a thread is based on alone, and so does this one.
    this.#telemetry.duration('codex.startup_prewarm.duration_ms', durationMs, { status: outcome, input: 'base' });
    noteStartupPhase(this.#telemetry, { phase: 'startup_prewarm_total', status: outcome, durationMs });
  }

  warmUpUsed({ isReady, ageMs, waitedMs }: WarmUpUse): void {
    const status = isReady ? 'consumed' : 'unavailable';
    this.#telemetry.duration('codex.startup_prewarm.age_at_first_turn_ms', ageMs, { status });
    const resolved = isReady ? 'ready' : 'failed';
    noteStartupPhase(this.#telemetry, { phase: 'startup_prewarm_resolve', status: resolved, durationMs: waitedMs });
  }

  transportFallback(): void {
    this.#telemetry.count('codex.transport.fallback_to_http', { from_wire_api: 'responses_websocket' });
  }

  authRecovery(report: RecoveryReport): void {
    this.#refusals?.authRecovery?.(report);
    const { mode, step, outcome, reason: why, evidence, stateChanged, durationMs } = report;
    const facts = {
      'auth.mode': mode,
      'auth.step': step,
      'auth.outcome': outcome,
      'auth.recovery_reason': why,
      'auth.state_changed': stateChanged,
    };
    this.#event('codex.auth_recovery', {
      ...facts,
      'auth.request_id': evidence.requestId,
      'auth.cf_ray': evidence.cfRay,
      'auth.error': evidence.error,
      'auth.error_code': evidence.errorCode,
    });
    const isFailure = outcome === 'recovery_failed_permanent' || outcome === 'recovery_failed_transient';
    this.#finished('auth.recover', durationMs, { error: isFailure ? outcome : undefined, attributes: facts });
  }

  #tagsOfPoll(poll: StreamPoll, transport: ModelTransport): PollTags {
    const known = this.#pollTags[transport];
    const type = poll.result === 'event' ? poll.type : poll.result;
    let tags = known.get(type);
    if (tags === undefined) {
      const kind = poll.result === 'event' ? eventName(type) : type;
      const success = poll.result === 'event' || (poll.result === 'end' && transport === 'http');
      // Pieces of an answer come by the thousand.
      tags = { tags: { kind, success }, isLogged: !kind.endsWith('.delta') };
      if (known.size < MAX_POLL_KINDS) known.set(type, tags);
    }
    return tags;
  }

  #timed(metric: string, durationMs: number, tags: TelemetryAttributes): void {
    this.#telemetry.timed(metric, { count: 1, durationMs }, tags);
  }

  #event(name: string, attributes: TelemetryAttributes): void {
    this.#telemetry.event(name, attributes, { span: this.#span });
  }

  /** A part of the current request that is over already. */
  #finished(
    name: string,
    durationMs: number,
    result: { readonly error: string | undefined; readonly attributes: TelemetryAttributes },
  ): void {
    const startedAtMs = this.#clock.now() - durationMs;
    this.#span?.startSpan(name, { startedAtMs, isRemoteCall: true }).end(result);
  }
}

/** A part of what happens before a model is asked for the first time. */
export function noteStartupPhase(
  telemetry: Telemetry,
  part: { readonly phase: string; readonly status: string; readonly durationMs: number },
): void {
  const { phase, status, durationMs } = part;
  telemetry.duration('codex.startup.phase.duration_ms', durationMs, { phase, status });
  telemetry.event('codex.startup_phase', {
    'startup.phase': phase,
    'startup.status': status,
    duration_ms: millisecondsText(durationMs),
  });
}

/** What the peer tells of an error: the status, and never what the server said. */
function reason(status: number | undefined, error: string | undefined): string | undefined {
  if (error === undefined) return undefined;
  return status === undefined ? error : `http ${status}`;
}

function eventName(type: string): string {
  return EVENT_NAME.test(type) ? type : 'unknown';
}
