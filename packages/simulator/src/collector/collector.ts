import type { AddressInfo, Server, Socket } from 'node:net';
import { type JsonObject, parseJsonObject } from '@quire/protocol';
import { SimulatorError } from '../simulator-error.ts';
import type { ServerCertificate } from '../tls/certificate-authority.ts';
import { Waiting, type WaitOptions } from '../waiting.ts';
import type { CollectorAnswer, CollectorDesk, ReceivedExport } from './collector-desk.ts';
import { decodeMessage } from './decode-message.ts';
import { createGrpcServer } from './grpc-server.ts';
import { createHttpCollector } from './http-server.ts';
import { EXPORT_REQUESTS } from './otlp-fields.ts';
import {
  type ReceivedLog,
  type ReceivedMetric,
  type ReceivedRecords,
  type ReceivedSpan,
  readRecords,
  type TelemetrySignal,
} from './read-records.ts';

export interface CollectorOptions {
  readonly protocol?: 'http' | 'grpc';
  /** 0 takes a free one. */
  readonly port?: number;
  /** Serves TLS. */
  readonly certificate?: ServerCertificate;
  /** PEM of the authority whose certificates clients must show. */
  readonly clientAuthority?: string;
}

/** An OpenTelemetry collector on loopback: decodes and checks what it gets, and answers as it is told. */
export class OtlpCollector implements AsyncDisposable, CollectorDesk {
  readonly spans: ReceivedSpan[] = [];
  readonly logs: ReceivedLog[] = [];
  readonly metrics: ReceivedMetric[] = [];
  /** Every request, also one that was answered with an error; the records are those of all that were taken. */
  readonly exports: ReceivedExport[] = [];
  readonly violations: string[] = [];
  readonly #waiting = new Waiting();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #scheme: string;
  readonly #first = new Map<TelemetrySignal, CollectorAnswer>();
  #always: CollectorAnswer | undefined;
  #connections = 0;

  private constructor(server: (desk: CollectorDesk) => Server, scheme: string) {
    this.#server = server(this);
    this.#scheme = scheme;
  }

  static async start(options: CollectorOptions = {}): Promise<OtlpCollector> {
    const { certificate, clientAuthority } = options;
    const tls = certificate && {
      ...certificate,
      ...(clientAuthority === undefined ? {} : { ca: clientAuthority, requestCert: true, rejectUnauthorized: true }),
    };
    const create = options.protocol === 'grpc' ? createGrpcServer : createHttpCollector;
    const make = await create(tls);
    const collector = new OtlpCollector(make, tls === undefined ? 'http' : 'https');
    await collector.#listen(options.port ?? 0);
    return collector;
  }

  /** The origin. */
  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  /** Connections that were accepted since the start. */
  get connections(): number {
    return this.#connections;
  }

  /** The next request of each kind of records is answered so. */
  answerNext(answer: CollectorAnswer): void {
    for (const signal of ['traces', 'logs', 'metrics'] as const) this.#first.set(signal, answer);
  }

  /** Every request that has no answer of its own is answered so. */
  answerAlways(answer: CollectorAnswer | undefined): void {
    this.#always = answer;
  }

  /** Resolves with the first value of `find` that is there. */
  until<Value>(find: (collector: this) => Value | undefined, options: WaitOptions = {}): Promise<Value> {
    return this.#waiting.until(() => find(this), { ...options, what: 'telemetry' });
  }

  /** How much of this metric was counted in all. */
  total(metric: string): number {
    return this.metrics.filter(({ name }) => name === metric).reduce((sum, { count }) => sum + count, 0);
  }

  receive(received: Pick<ReceivedExport, 'path' | 'headers' | 'body'>): ReturnType<CollectorDesk['receive']> {
    const signal = signalOf(received.path);
    const message = signal && this.#decode(signal, received);
    if (signal === undefined || message === undefined) {
      this.violations.push(`${received.path}: not an export`);
      this.#waiting.notify();
      return { signal, answer: { kind: 'http', status: 400 } };
    }
    const answer = this.#first.get(signal) ?? this.#always;
    this.#first.delete(signal);
    const records = readRecords(signal, message);
    this.exports.push({ ...received, signal, message, records });
    if (answer === undefined || answer.kind === 'partial') this.#keep(records);
    this.#waiting.notify();
    return { signal, answer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting.close();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #keep(records: ReceivedRecords): void {
    this.spans.push(...records.spans);
    this.logs.push(...records.logs);
    this.metrics.push(...records.metrics);
    this.violations.push(...records.violations);
    const ids = this.spans.map(({ spanId }) => spanId);
    if (new Set(ids).size !== ids.length) this.violations.push('a span was sent twice');
  }

  #decode(
    signal: TelemetrySignal,
    { headers, body }: Pick<ReceivedExport, 'headers' | 'body'>,
  ): JsonObject | undefined {
    if (headers['content-type'] === 'application/json') return parseJsonObject(body.toString('utf8'));
    try {
      return decodeMessage(body, EXPORT_REQUESTS[signal]);
    } catch (error) {
      this.violations.push(`an export can not be decoded: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port; // an object: it listens on an address, not on a pipe
  }

  async #listen(port: number): Promise<void> {
    this.#server.on('connection', (socket: Socket) => {
      this.#connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => this.#sockets.delete(socket));
      this.#waiting.notify();
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) => {
        const message = `the collector cannot listen on 127.0.0.1:${port}: ${cause.message}`;
        reject(new SimulatorError('not-started', message, { cause }));
      });
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }
}

function signalOf(path: string): TelemetrySignal | undefined {
  const [, name] = /(?:\/v1\/|collector\.)(traces?|logs|metrics)(?:$|\.v1\.\w+Service\/Export$)/.exec(path) ?? [];
  return name === 'trace' ? 'traces' : (name as TelemetrySignal | undefined);
}
