import type { ServerResponse } from 'node:http';
import type { JsonObject } from '@quire/protocol';
import { errorAnswer } from './error-answer.ts';
import { createAnswerContext } from './item-ids.ts';
import type { RecordedOAuthRequest } from './oauth/oauth-options.ts';
import { OAuthServer } from './oauth/oauth-server.ts';
import { Reception } from './reception.ts';
import type {
  ReceivedRequest,
  RecordedHandshake,
  RecordedModelsRequest,
  RecordedRequest,
  RecordedUsageRequest,
} from './recorded-request.ts';
import { status } from './script/faults.ts';
import type { Answer } from './script/step.ts';
import { usageReport } from './script/usage-report.ts';
import type { AnswerLine } from './server/answer-line.ts';
import { deliver, type Outcome } from './server/deliver.ts';
import { createHttpLine } from './server/http-line.ts';
import {
  type Connection,
  type LoopbackServer,
  type ReceivedUpgrade,
  startLoopbackServer,
} from './server/loopback-server.ts';
import { SimulatorError } from './simulator-error.ts';
import type { SimulatorOptions, Transports } from './simulator-options.ts';
import { Waiting, type WaitOptions } from './waiting.ts';
import { Upgrades } from './websocket/upgrades.ts';
import type { SimulatedWebSocket } from './websocket/web-socket-handle.ts';

const DEFAULT_ETAG = '"simulator-models-1"';

/**
 * A provider on loopback: `POST …/responses` as server-sent events and the same over WebSocket,
 * `POST …/chat/completions`, `POST …/responses/compact`, `GET …/models`, and the usage endpoint.
 */
export class Simulator {
  readonly #options: SimulatorOptions;
  readonly #reception: Reception;
  readonly #upgrades: Upgrades;
  readonly #modelsRequests: RecordedModelsRequest[] = [];
  readonly #usageRequests: RecordedUsageRequest[] = [];
  readonly #refusedAuthorizations: (string | undefined)[] = [];
  readonly #deliveries: Set<Promise<void>> = new Set();
  readonly #waiting = new Waiting();
  readonly #closing = new AbortController();
  /** The authorization server at `issuer`. */
  readonly oauth: OAuthServer;
  #models: { readonly list: readonly JsonObject[]; readonly etag: string };
  #modelsAnswer: Answer | undefined;
  #usage: Answer;
  #server: LoopbackServer | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: SimulatorOptions) {
    this.#options = options;
    const shared = {
      simulator: options,
      waiting: this.#waiting,
      signal: this.#closing.signal,
      stopListening: () => this.refuseConnections(),
    };
    this.#reception = new Reception(shared);
    this.#upgrades = new Upgrades({
      ...shared,
      served: this.#reception.served,
      violations: this.#reception.violations,
      onFrame: (frame, from) => this.#reception.answerFrame(frame, from),
      fallback: () => this.#reception.transports.websocket,
    });
    this.oauth = new OAuthServer(options.oauth ?? {}, {
      issuer: () => this.issuer,
      notify: () => this.#waiting.notify(),
    });
    this.#models = { list: options.models ?? [], etag: options.etag ?? DEFAULT_ETAG };
    this.#usage = options.usage ?? usageReport();
  }

  /** Rejects with `SimulatorError` 'not-started' when the port cannot be had. */
  static async start(options: SimulatorOptions = {}): Promise<Simulator> {
    const simulator = new Simulator(options);
    simulator.#server = await startLoopbackServer(
      {
        onRequest: (received, response, connection) => {
          simulator.#keep(simulator.#answer(received, response, connection));
        },
        onUpgrade: (upgrade) => simulator.#routeUpgrade(upgrade),
        onUnparsable: (reason) => {
          simulator.#reception.violations.push(
            `bytes that are no HTTP request (${reason}): a body longer than declared?`,
          );
        },
      },
      { port: options.port ?? 0, certificate: await options.tls?.ca.issue(options.tls.certificate) },
    );
    return simulator;
  }

  /** The base URL for a provider: `http://127.0.0.1:<port>/v1`, with `https` when it serves TLS. */
  get url(): string {
    return `${this.issuer}/v1`;
  }

  /** The origin, where the endpoints of the authorization server begin. */
  get issuer(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#server?.port ?? 0;
  }

  /** Every sampling request over any transport, in order of arrival; the array grows. */
  get requests(): readonly RecordedRequest[] {
    return this.#reception.sampling.requests;
  }

  /** Every request with `generate: false`. */
  get prewarms(): readonly RecordedRequest[] {
    return this.#reception.prewarms.requests;
  }

  /** Every `POST …/responses/compact`. */
  get compactions(): readonly RecordedRequest[] {
    return this.#reception.compactions.requests;
  }

  /** Every attempt to open a WebSocket. */
  get handshakes(): readonly RecordedHandshake[] {
    return this.#upgrades.handshakes;
  }

  /** Every `GET …/models`. */
  get modelsRequests(): readonly RecordedModelsRequest[] {
    return this.#modelsRequests;
  }

  /** Every `GET` of the usage endpoint. */
  get usageRequests(): readonly RecordedUsageRequest[] {
    return this.#usageRequests;
  }

  /** The `authorization` of each request to a model that was answered 401 because its access token is not good. */
  get refusedAuthorizations(): readonly (string | undefined)[] {
    return this.#refusedAuthorizations;
  }

  /** Broken invariants, as sentences that name the request. */
  get violations(): readonly string[] {
    return this.#reception.violations;
  }

  /** Requests no step was left for, and requests to other paths. */
  get unexpectedRequests(): readonly string[] {
    return this.#reception.unexpected;
  }

  /** From now on `GET …/models` answers this. */
  setModels(list: readonly JsonObject[], options: { readonly etag: string }): void {
    this.#models = { list, etag: options.etag };
    this.#modelsAnswer = undefined;
  }

  /** From now on `GET …/models` answers this, whatever the list is. */
  setModelsAnswer(answer: Answer): void {
    this.#modelsAnswer = answer;
  }

  /** From now on the usage endpoint answers this. */
  setUsage(answer: Answer): void {
    this.#usage = answer;
  }

  /** From now on whole transports are refused, or open again. */
  setTransports(transports: Transports): void {
    this.#reception.transports = transports;
  }

  /**
   * The next request may come with another history, as after a rollback or a crash: that of the thread with this
   * `prompt_cache_key` (or session id), or without one the next that comes. Instructions and tools stay checked.
   */
  allowRewriteOnce(threadKey?: string): void {
    this.#reception.allowRewriteOnce(threadKey);
  }

  /** The n-th sampling request (0 is the first), at once if it is here already. */
  request(index: number, options: WaitOptions = {}): Promise<RecordedRequest> {
    return this.#waiting.until(() => this.requests[index], { what: `request ${index}`, ...options });
  }

  /** The n-th request with `generate: false`. */
  prewarm(index: number, options: WaitOptions = {}): Promise<RecordedRequest> {
    return this.#waiting.until(() => this.prewarms[index], { what: `prewarm ${index}`, ...options });
  }

  /** The n-th compaction. */
  compaction(index: number, options: WaitOptions = {}): Promise<RecordedRequest> {
    return this.#waiting.until(() => this.compactions[index], { what: `compaction ${index}`, ...options });
  }

  /** The n-th attempt to open a WebSocket, before it is answered. */
  handshake(index: number, options: WaitOptions = {}): Promise<RecordedHandshake> {
    return this.#waiting.until(() => this.handshakes[index], { what: `handshake ${index}`, ...options });
  }

  /** The WebSocket that the n-th handshake opened, once it has. */
  webSocket(handshake: number, options: WaitOptions = {}): Promise<SimulatedWebSocket> {
    const what = `the WebSocket of handshake ${handshake}`;
    return this.#waiting.until<SimulatedWebSocket>(() => this.#upgrades.connection(handshake), { what, ...options });
  }

  /** The n-th request to the authorization server for which `predicate` holds, past or coming. */
  oauthRequest(
    predicate: (request: RecordedOAuthRequest) => boolean,
    options: WaitOptions & { readonly index?: number } = {},
  ): Promise<RecordedOAuthRequest> {
    const { index = 0 } = options;
    const what = 'a matching request to the authorization server';
    return this.#waiting.until(() => this.oauth.requests.filter(predicate)[index], { what, ...options });
  }

  /** The n-th `GET …/models`. */
  modelsRequest(index: number, options: WaitOptions = {}): Promise<RecordedModelsRequest> {
    return this.#waiting.until(() => this.modelsRequests[index], { what: `models request ${index}`, ...options });
  }

  /** The n-th `GET` of the usage endpoint. */
  usageRequest(index: number, options: WaitOptions = {}): Promise<RecordedUsageRequest> {
    return this.#waiting.until(() => this.usageRequests[index], { what: `usage request ${index}`, ...options });
  }

  /** The first sampling request, past or coming, for which `predicate` holds. */
  waitFor(predicate: (request: RecordedRequest) => boolean, options: WaitOptions = {}): Promise<RecordedRequest> {
    return this.#waiting.until(() => this.requests.find(predicate), { what: 'a matching request', ...options });
  }

  /** How the answer to the n-th sampling request ended, once it has. */
  outcome(index: number, options: WaitOptions = {}): Promise<Outcome> {
    const { outcomes } = this.#reception.sampling;
    return this.#waiting.until(() => outcomes.get(index), { what: `the end of answer ${index}`, ...options });
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
    const unused = [...this.#reception.unusedSteps(), ...this.#upgrades.unusedSteps()];
    const problems = [...this.violations, ...this.unexpectedRequests, ...unused];
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
    this.oauth.close();
    await this.#server?.close();
    await Promise.all(this.#deliveries);
  }

  /** Never rejects. */
  #answer(received: ReceivedRequest, response: ServerResponse, connection: Connection): Promise<void> {
    // Split by hand: a path such as `//` is no URL.
    const [pathname = '', query = ''] = received.path.split('?', 2);
    const dialect = pathname.endsWith('/chat/completions') ? 'chat' : 'responses';
    const line = createHttpLine(response, { dialect, resetConnection: () => connection.reset() });
    const request = `${received.method} ${endpointOf(pathname)}`;
    if (this.#isUnauthorized(request, received)) {
      if (received.method === 'POST') this.#refusedAuthorizations.push(received.headers.authorization);
      return this.#send(UNAUTHORIZED, line);
    }
    switch (request) {
      case 'POST responses':
        return this.#reception.answerPost(received, { transport: 'http', line });
      case 'POST chat':
        return this.#reception.answerPost(received, { transport: 'chat', line });
      case 'POST compact':
        return this.#reception.answerCompaction(received, line);
      case 'GET models':
        return this.#answerModels(received, line, query);
      case 'GET usage':
        return this.#answerUsage(received, line);
      default:
        return this.#answerOAuth(received, pathname, line);
    }
  }

  /** Only what a client of the API asks for is guarded, never the authorization server itself. */
  #isUnauthorized(request: string, { headers }: ReceivedRequest): boolean {
    if (this.#options.oauth?.guardsModels !== true || request.endsWith('undefined')) return false;
    return !this.oauth.accepts((headers.authorization ?? '').replace(/^Bearer /, ''));
  }

  async #answerOAuth(received: ReceivedRequest, pathname: string, line: AnswerLine): Promise<void> {
    const answer = this.#options.oauth === undefined ? undefined : await this.oauth.answer(received);
    if (answer === undefined) return this.#answerUnexpected(received.method, pathname, line);
    await this.#send(answer, line);
  }

  #routeUpgrade(upgrade: ReceivedUpgrade): void {
    const [pathname = ''] = (upgrade.request.url ?? '').split('?', 1);
    if (endpointOf(pathname) !== 'responses') {
      this.#reception.unexpected.push(`unexpected upgrade of ${pathname}`);
      upgrade.socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.#keep(this.#upgrades.answer(upgrade));
  }

  /** @param delivery never rejects */
  #keep(delivery: Promise<void>): void {
    const kept = delivery.finally(() => this.#deliveries.delete(kept));
    this.#deliveries.add(kept);
  }

  async #answerModels(received: ReceivedRequest, line: AnswerLine, query: string): Promise<void> {
    const { path, headers, receivedAtMs } = received;
    const clientVersion = new URLSearchParams(query).get('client_version') ?? undefined;
    this.#modelsRequests.push({ path, headers, clientVersion, receivedAtMs });
    this.#waiting.notify();
    const { list, etag } = this.#models;
    const isKnown = headers['if-none-match'] === etag;
    const answer = isKnown
      ? status(/* code */ 304, { headers: { etag } })
      : status(/* code */ 200, { headers: { etag }, body: { models: list } });
    await this.#send(this.#modelsAnswer ?? answer, line);
  }

  async #answerUsage(received: ReceivedRequest, line: AnswerLine): Promise<void> {
    const { path, headers, receivedAtMs } = received;
    this.#usageRequests.push({ path, headers, receivedAtMs });
    this.#waiting.notify();
    await this.#send(this.#usage, line);
  }

  async #answerUnexpected(method: string, pathname: string, line: AnswerLine): Promise<void> {
    this.#reception.unexpected.push(`unexpected ${method} ${pathname}`);
    const message = `the simulator has no ${method} ${pathname}`;
    await this.#send(errorAnswer(/* code */ 404, { code: 'unknown_path', message }), line);
  }

  async #send(answer: Answer, line: AnswerLine): Promise<void> {
    await deliver(line, answer, {
      context: createAnswerContext({ label: 'side', input: [] }),
      stopListening: () => this.refuseConnections(),
      signal: this.#closing.signal,
    });
  }
}

const UNAUTHORIZED = errorAnswer(/* code */ 401, { code: 'token_expired', message: 'the access token is not good' });

const ENDPOINTS = [
  ['/responses/compact', 'compact'],
  ['/responses', 'responses'],
  ['/chat/completions', 'chat'],
  ['/models', 'models'],
  ['/wham/usage', 'usage'],
  ['/api/codex/usage', 'usage'],
] as const;

/** Whatever stands before it, so that any base URL does. */
function endpointOf(pathname: string): (typeof ENDPOINTS)[number][1] | undefined {
  return ENDPOINTS.find(([ending]) => pathname.endsWith(ending))?.[1];
}
