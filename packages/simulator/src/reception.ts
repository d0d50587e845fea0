import type { JsonObject } from '@quire/protocol';
import { serverCompaction } from './compact/default-compaction.ts';
import { isCompactionTrigger } from './compact/is-compaction-trigger.ts';
import { errorAnswer } from './error-answer.ts';
import { checkCompaction } from './invariants/check-compaction.ts';
import { checkRequest } from './invariants/check-request.ts';
import { ThreadHistory } from './invariants/thread-history.ts';
import { createAnswerContext } from './item-ids.ts';
import { createLedger, type Ledger, labelOf } from './ledger.ts';
import {
  parseBody,
  type ReceivedRequest,
  type RecordedRequest,
  recordRequest,
  type Transport,
} from './recorded-request.ts';
import { findRefused } from './script/refuse-items.ts';
import { respond, respondExactly } from './script/respond.ts';
import { rehearse, Script } from './script/script.ts';
import { previousResponseNotFound } from './script/side-information.ts';
import { type Answer, resolveStep, type Step } from './script/step.ts';
import type { AnswerLine } from './server/answer-line.ts';
import { deliver, type Outcome } from './server/deliver.ts';
import type { SimulatorOptions, Transports } from './simulator-options.ts';
import type { Waiting } from './waiting.ts';
import type { ReceivedFrame, WebSocketConnection } from './websocket/connection.ts';
import type { RememberedResponse } from './websocket/response-memory.ts';

export interface ReceptionOptions {
  readonly simulator: SimulatorOptions;
  readonly waiting: Waiting;
  /** Fires when the simulator closes. */
  readonly signal: AbortSignal;
  readonly stopListening: () => void;
}

/** A request that was recorded and waits for its answer. */
interface Case {
  readonly ledger: Ledger;
  readonly request: RecordedRequest;
  readonly received: ReceivedRequest;
  readonly body: JsonObject | undefined;
  /** The response it continues; `unknown` is one that this connection does not know. */
  readonly continued: RememberedResponse | 'unknown' | undefined;
}

/** Records, checks and answers requests, whatever they came over. */
export class Reception {
  readonly sampling: Ledger;
  readonly prewarms: Ledger;
  readonly compactions: Ledger;
  /** Broken invariants, as sentences that name the request. */
  readonly violations: string[] = [];
  /** Requests no step was left for, and requests to other paths. */
  readonly unexpected: string[] = [];
  /** Items that stand in a history because this simulator sent them. */
  readonly served: WeakSet<JsonObject> = new WeakSet();
  transports: Transports;
  readonly #options: ReceptionOptions;
  readonly #history: ThreadHistory;
  readonly #textOnlyModels: ReadonlySet<string>;

  constructor(options: ReceptionOptions) {
    const { steps, rules, prewarms, compactions, compaction, transports } = options.simulator;
    const { allowRewrite, expectLocalCompactions = false, textOnlyModels = [] } = options.simulator;
    this.#options = options;
    this.transports = transports ?? {};
    this.#textOnlyModels = new Set(textOnlyModels);
    this.#history = new ThreadHistory({
      allowRewrite,
      served: this.served,
      expectLocalCompactions,
      textOnlyModels: this.#textOnlyModels,
    });
    this.sampling = createLedger('request', new Script(steps ?? [], { rules, stepName: 'step' }));
    this.prewarms = createLedger(
      'prewarm',
      new Script(prewarms ?? [], { rules: rehearse(() => respond({ usage: null })), stepName: 'prewarm step' }),
    );
    this.compactions = createLedger(
      'compaction',
      new Script(compactions ?? [], {
        rules: rehearse(() => (compaction ?? serverCompaction).endpoint),
        stepName: 'compaction step',
      }),
    );
  }

  /** The next request of the thread, or the next one at all, may come with another history. */
  allowRewriteOnce(threadKey: string | undefined): void {
    this.#history.allowRewriteOnce(threadKey);
  }

  unusedSteps(): readonly string[] {
    return [this.sampling, this.prewarms, this.compactions].flatMap((ledger) => ledger.script.unusedSteps());
  }

  /** One `POST` to the responses or the chat endpoint. Never rejects. */
  answerPost(
    received: ReceivedRequest,
    options: { readonly transport: Exclude<Transport, 'websocket'>; readonly line: AnswerLine },
  ): Promise<void> {
    const { transport, line } = options;
    return this.#answer(this.#record(this.sampling, received, { transport }), () => line, this.#chooseSampling);
  }

  /** One `POST` to the compaction endpoint. Never rejects. */
  answerCompaction(received: ReceivedRequest, line: AnswerLine): Promise<void> {
    return this.#answer(
      this.#record(this.compactions, received, { transport: 'http' }),
      () => line,
      this.#chooseCompaction,
    );
  }

  /** One frame of a WebSocket. Never rejects. */
  async answerFrame(frame: ReceivedFrame, from: WebSocketConnection): Promise<void> {
    const body = frame.isBinary ? undefined : parseBody(frame.payload);
    if (body === undefined) {
      const message = frame.isBinary ? 'a binary frame' : 'a frame that is not a JSON object';
      this.violations.push(`WebSocket ${from.handshake}: ${message}`);
      from.sendEvent({ type: 'error', status: 400, error: { type: 'invalid_request_error', code: null, message } });
      return;
    }
    const received: ReceivedRequest = {
      method: 'GET',
      path: from.path,
      headers: from.headers,
      rawBody: frame.payload,
      content: { kind: 'decoded', bytes: frame.payload },
      receivedAtMs: frame.receivedAtMs,
      connection: from.connection,
      bytesReceived: frame.bytesReceived,
    };
    const previousId = body['previous_response_id'];
    const continued = typeof previousId === 'string' ? (from.memory.get(previousId) ?? 'unknown') : undefined;
    const ledger = body['generate'] === false ? this.prewarms : this.sampling;
    const recorded = this.#record(ledger, received, { transport: 'websocket', body, continued });
    await this.#answer(recorded, (request) => from.openLine(request), this.#chooseSampling);
  }

  #record(
    ledger: Ledger,
    received: ReceivedRequest,
    options: { readonly transport: Transport; readonly body?: JsonObject; readonly continued?: Case['continued'] },
  ): Case {
    const { transport, continued } = options;
    const { content } = received;
    const body = options.body ?? (content.kind === 'decoded' ? parseBody(content.bytes) : undefined);
    const inherited = continued === undefined || continued === 'unknown' ? [] : continued.items;
    const request = recordRequest(received, { index: ledger.requests.length, transport, body, inherited });
    ledger.requests.push(request);
    return { ledger, request, received, body, continued };
  }

  async #answer(given: Case, openLine: (request: RecordedRequest) => AnswerLine, choose: Choice): Promise<void> {
    const { ledger, request } = given;
    const { waiting } = this.#options;
    const line = openLine(request);
    let outcome: Outcome;
    try {
      const step = choose(given);
      waiting.notify();
      outcome = await this.#play(given, line, step);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.violations.push(`${ledger.name} ${request.index}: the script threw: ${reason}`);
      outcome = 'cut';
      const failure = errorAnswer(/* code */ 500, { code: 'script_failed', message: `the script threw: ${reason}` });
      if (line.hasStarted) line.destroy();
      else await this.#play(given, line, failure);
    }
    ledger.outcomes.set(request.index, outcome);
    waiting.notify();
  }

  async #play(given: Case, line: AnswerLine, step: Step): Promise<Outcome> {
    const { ledger, request } = given;
    const answer = await resolveStep(step, request);
    if ((ledger === this.compactions || isCompactionTrigger(request)) && mayHoldCompaction(answer)) {
      this.#history.noteCompaction(request);
    }
    return deliver(line, answer, {
      context: createAnswerContext({ label: labelOf(ledger, request), input: request.input }),
      stopListening: this.#options.stopListening,
      signal: this.#options.signal,
    });
  }

  /** Synchronous, so that steps go to requests in order of arrival. */
  readonly #chooseSampling: Choice = (given) => {
    const { ledger, request, body, continued } = given;
    const { simulator } = this.#options;
    const undecoded = this.#refuseEncoding(given);
    if (undecoded !== undefined) return undecoded;
    if (continued === 'unknown') {
      return respondExactly(previousResponseNotFound(String(request.body['previous_response_id'])));
    }
    const problems = checkRequest(request, {
      expectAuthorization: simulator.expectAuthorization,
      history: this.#history,
      body,
      continued: continued?.request,
      acceptsAnyClient: simulator.acceptsAnyClient === true,
      textOnlyModels: this.#textOnlyModels,
    });
    const refusal = this.#judge(given, problems);
    if (refusal !== undefined) return refusal;
    this.#history.accept(request);
    const refused = this.#refuseItem(request);
    if (refused !== undefined) return refused;
    const { websocket: _websocket, ...byTransport } = this.transports;
    const instead = request.transport === 'websocket' ? undefined : byTransport[request.transport];
    const fallback = isCompactionTrigger(request) ? (simulator.compaction ?? serverCompaction).stream : undefined;
    return instead ?? ledger.script.take(request, { fallback }) ?? this.#refuseUnexpected(request);
  };

  readonly #chooseCompaction: Choice = (given) => {
    const { ledger, request, body } = given;
    const { expectAuthorization, acceptsAnyClient } = this.#options.simulator;
    const undecoded = this.#refuseEncoding(given);
    if (undecoded !== undefined) return undecoded;
    const checks = {
      expectAuthorization,
      body,
      acceptsAnyClient: acceptsAnyClient === true,
      textOnlyModels: this.#textOnlyModels,
    };
    const refusal = this.#judge(given, checkCompaction(request, checks)) ?? this.#refuseItem(request);
    if (refusal !== undefined) return refusal;
    return ledger.script.take(request) ?? this.#refuseUnexpected(request);
  };

  /** The service does not take one of the items: the standing rules say so. */
  #refuseItem(request: RecordedRequest): Step | undefined {
    const refused = findRefused(request, this.#options.simulator.refusals ?? []);
    if (refused === undefined) return undefined;
    this.#history.noteRefusal(request, refused.item);
    return refused.answer;
  }

  #refuseEncoding(given: Case): Step | undefined {
    const { content } = given.received;
    if (content.kind === 'decoded') return undefined;
    const isUnknown = content.kind === 'unknown-encoding';
    const message = isUnknown
      ? `the content-encoding ${content.encoding} is not supported`
      : `the body is not ${content.encoding} as its content-encoding says`;
    this.violations.push(`${given.ledger.name} ${given.request.index}: ${message}`);
    return isUnknown
      ? errorAnswer(/* code */ 415, { code: 'unsupported_encoding', message })
      : errorAnswer(/* code */ 400, { code: 'invalid_encoding', message });
  }

  #judge(given: Case, problems: readonly string[]): Step | undefined {
    this.violations.push(...problems.map((problem) => `${given.ledger.name} ${given.request.index}: ${problem}`));
    if (problems.length === 0 || this.#options.simulator.lenient === true) return undefined;
    return errorAnswer(/* code */ 400, { code: 'invariant_violated', message: problems.join('; ') });
  }

  #refuseUnexpected(request: RecordedRequest): Step {
    this.unexpected.push(`unexpected request ${request.index}: no step is left for it`);
    const message = 'the script has no step for this request';
    return errorAnswer(/* code */ 400, { code: 'script_exhausted', message });
  }
}

/** An error, or silence, leaves the history as it was. */
function mayHoldCompaction(answer: Answer): boolean {
  return answer.kind === 'stream' || (answer.kind === 'status' && answer.status < 300);
}

type Choice = (given: Case) => Step;
