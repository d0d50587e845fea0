import type { ServerResponse } from 'node:http';
import type { JsonObject } from '@quire/protocol';
import { checkRequest } from './invariants/check-request.ts';
import { type AllowRewrite, ThreadHistory } from './invariants/thread-history.ts';
import { createAnswerContext } from './item-ids.ts';
import {
  type ReceivedRequest,
  type RecordedModelsRequest,
  type RecordedRequest,
  recordRequest,
} from './recorded-request.ts';
import { status } from './script/faults.ts';
import { type Rehearsal, Script } from './script/script.ts';
import { type Answer, resolveStep, type Step } from './script/step.ts';
import { deliver, type Outcome } from './server/deliver.ts';
import { type LoopbackServer, startLoopbackServer } from './server/loopback-server.ts';
import { SimulatorError } from './simulator-error.ts';
import { Waiting, type WaitOptions } from './waiting.ts';

export interface SimulatorOptions {
  /** Answers in order; each is used once. */
  readonly steps?: readonly Step[];
  /** Answers what no step takes. */
  readonly rules?: Rehearsal;
  /** Entries of `GET …/models`. */
  readonly models?: readonly JsonObject[];
  /** The `ETag` of `GET …/models`. */
  readonly etag?: string;
  /** 0 or absent takes a free one. */
  readonly port?: number;
  /** Violations are recorded but the request is answered as the script says, instead of with status 400. */
  readonly lenient?: boolean;
  /** The exact `authorization` header every sampling request must carry. */
  readonly expectAuthorization?: string;
  /** Tells when a thread's history may be something else than the previous one with more at its end. */
  readonly allowRewrite?: AllowRewrite;
}

const DEFAULT_ETAG = '"simulator-models-1"';

/** A provider on loopback: `POST …/responses` as server-sent events, `GET …/models`. */
export class Simulator {
  readonly #script: Script;
  readonly #history: ThreadHistory;
  readonly #options: SimulatorOptions;
  readonly #requests: RecordedRequest[] = [];
  readonly #modelsRequests: RecordedModelsRequest[] = [];
  readonly #outcomes: Map<number, Outcome> = new Map();
  readonly #violations: string[] = [];
  readonly #unexpected: string[] = [];
  readonly #deliveries: Set<Promise<void>> = new Set();
  readonly #waiting = new Waiting();
  readonly #closing = new AbortController();
  #models: { readonly list: readonly JsonObject[]; readonly etag: string };
  #server: LoopbackServer | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: SimulatorOptions) {
    this.#options = options;
    this.#script = new Script(options.steps ?? [], { rules: options.rules });
    this.#history = new ThreadHistory({ allowRewrite: options.allowRewrite });
    this.#models = { list: options.models ?? [], etag: options.etag ?? DEFAULT_ETAG };
  }

  /** Rejects with `SimulatorError` 'not-started' when the port cannot be had. */
  static async start(options: SimulatorOptions = {}): Promise<Simulator> {
    const simulator = new Simulator(options);
    simulator.#server = await startLoopbackServer(
      {
        onRequest: (received, response) => simulator.#route(received, response),
        onUnparsable: (reason) => {
          simulator.#violations.push(`bytes that are no HTTP request (${reason}): a body longer than declared?`);
        },
      },
      { port: options.port ?? 0 },
    );
    return simulator;
  }

  /** The base URL for a provider: `http://127.0.0.1:<port>/v1`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Every `POST …/responses`, in order of arrival; the array grows. */
  get requests(): readonly RecordedRequest[] {
    return this.#requests;
  }

  /** Every `GET …/models`. */
  get modelsRequests(): readonly RecordedModelsRequest[] {
    return this.#modelsRequests;
  }

  /** Broken invariants, as sentences that name the request. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Requests no step was left for, and requests to other paths. */
  get unexpectedRequests(): readonly string[] {
    return this.#unexpected;
  }

  /** From now on `GET …/models` answers this. */
  setModels(list: readonly JsonObject[], options: { readonly etag: string }): void {
    this.#models = { list, etag: options.etag };
  }

  /** The n-th sampling request (0 is the first), at once if it is here already. */
  request(index: number, options: WaitOptions = {}): Promise<RecordedRequest> {
    return this.#waiting.until(() => this.#requests[index], { what: `request ${index}`, ...options });
  }

  /** The first sampling request, past or coming, for which `predicate` holds. */
  waitFor(predicate: (request: RecordedRequest) => boolean, options: WaitOptions = {}): Promise<RecordedRequest> {
    return this.#waiting.until(() => this.#requests.find(predicate), { what: 'a matching request', ...options });
  }

  /** How the answer to the n-th sampling request ended, once it has. */
  outcome(index: number, options: WaitOptions = {}): Promise<Outcome> {
    return this.#waiting.until(() => this.#outcomes.get(index), { what: `the end of answer ${index}`, ...options });
  }

  /** What `refuse()` does: drops every connection and refuses new ones, as a killed provider does. */
  refuseConnections(): void {
    this.#server?.stopListening();
  }

  /**
   * Drops every connection, frees the port, and throws `SimulatorError` 'expectations-not-met' if there were
   * violations, unexpected requests or unused steps. Only the first call judges.
   */
  async close(): Promise<void> {
    const isFirst = this.#closed === undefined;
    await this.stop();
    if (!isFirst) return;
    const problems = [...this.#violations, ...this.#unexpected, ...this.#script.unusedSteps()];
    if (problems.length === 0) return;
    const message = `the simulator saw ${problems.length} problem(s):\n${problems.map((line) => `- ${line}`).join('\n')}`;
    throw new SimulatorError('expectations-not-met', message, { problems });
  }

  /** Like `close`, without judging. Never rejects. */
  stop(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(): Promise<void> {
    this.#closing.abort();
    this.#waiting.close();
    await this.#server?.close();
    await Promise.all(this.#deliveries);
  }

  #route(received: ReceivedRequest, response: ServerResponse): void {
    // Split by hand: a path such as `//` is no URL.
    const [pathname = '', query = ''] = received.path.split('?', 2);
    if (received.method === 'POST' && pathname.endsWith('/responses')) {
      const delivery = this.#answer(received, response).finally(() => this.#deliveries.delete(delivery));
      this.#deliveries.add(delivery);
    } else if (received.method === 'GET' && pathname.endsWith('/models')) {
      const { path, headers, receivedAtMs } = received;
      const clientVersion = new URLSearchParams(query).get('client_version') ?? undefined;
      this.#modelsRequests.push({ path, headers, clientVersion, receivedAtMs });
      response.writeHead(200, { 'content-type': 'application/json', etag: this.#models.etag });
      response.end(JSON.stringify({ models: this.#models.list }));
    } else {
      this.#unexpected.push(`unexpected ${received.method} ${pathname}`);
      sendError(response, /* code */ 404, {
        code: 'unknown_path',
        message: `the simulator has no ${received.method} ${pathname}`,
      });
    }
  }

  /** Records, checks, answers. Never rejects. */
  async #answer(received: ReceivedRequest, response: ServerResponse): Promise<void> {
    const request = recordRequest(received, { index: this.#requests.length });
    this.#requests.push(request);
    const step = this.#choose(request);
    this.#waiting.notify();
    try {
      const outcome = await this.#play(request, step, response);
      this.#outcomes.set(request.index, outcome);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#violations.push(`request ${request.index}: the script threw: ${reason}`);
      this.#outcomes.set(request.index, 'cut');
      if (response.headersSent) response.destroy();
      else sendError(response, /* code */ 500, { code: 'script_failed', message: `the script threw: ${reason}` });
    }
    this.#waiting.notify();
  }

  /** Synchronous, so that steps go to requests in order of arrival. */
  #choose(request: RecordedRequest): Step {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      this.#violations.push(`request ${request.index}: the content-encoding ${encoding} is not supported`);
      return errorStep(/* code */ 415, { code: 'unsupported_encoding', message: `cannot decode ${encoding}` });
    }
    const problems = checkRequest(request, {
      expectAuthorization: this.#options.expectAuthorization,
      history: this.#history,
    });
    this.#violations.push(...problems.map((problem) => `request ${request.index}: ${problem}`));
    if (problems.length > 0 && this.#options.lenient !== true) {
      return errorStep(/* code */ 400, { code: 'invariant_violated', message: problems.join('; ') });
    }
    this.#history.accept(request);
    const step = this.#script.take(request);
    if (step !== undefined) return step;
    this.#unexpected.push(`unexpected request ${request.index}: no step is left for it`);
    return errorStep(/* code */ 400, { code: 'script_exhausted', message: 'the script has no step for this request' });
  }

  async #play(request: RecordedRequest, step: Step, response: ServerResponse): Promise<Outcome> {
    const answer = await resolveStep(step, request);
    return deliver(response, answer, {
      context: createAnswerContext(request),
      stopListening: () => this.refuseConnections(),
      signal: this.#closing.signal,
    });
  }
}

interface ErrorBody {
  readonly code: string;
  readonly message: string;
}

function errorStep(code: number, error: ErrorBody): Answer {
  return status(code, { body: { error: { type: 'invalid_request_error', ...error } } });
}

function sendError(response: ServerResponse, code: number, error: ErrorBody): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { type: 'invalid_request_error', ...error } }));
}
