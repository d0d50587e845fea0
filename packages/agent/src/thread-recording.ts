import type { LoginLog } from '@quire/auth';
import type { CatalogTiming, Telemetry, TelemetryAttributes, ThreadSettings } from '@quire/core';
import { describeHost, systemClock, systemEntropy } from '@quire/host';
import { approvalPolicyName, type Credentials, type ThreadId } from '@quire/protocol';
import { type Config, changedFeatures, createRedactor, type KnownValues } from '@quire/store';
import { TelemetryExport, type ThreadTelemetry } from '@quire/telemetry';
import type { Environment } from './environment.ts';
import { TelemetryObserver } from './telemetry-observer.ts';
import { VERSION } from './version.ts';

/** For the records of the last moments, when somebody waits for the program to end. Milliseconds. */
const FLUSH_MS = 2_000;

/** Whose records they are. */
export interface RecordingOrder {
  readonly threadId: ThreadId;
  /** When the opening of the thread began. Unix milliseconds. */
  readonly startedAtMs: number;
  readonly config: Config;
  /** Values that must not be sent. */
  readonly secrets: KnownValues;
  /** What made the thread, for records. */
  readonly source: string;
}

type ProblemListener = (message: string) => void;

interface SharedExport {
  readonly exported: TelemetryExport;
  readonly listeners: Set<ProblemListener>;
  users: number;
}

const CATALOG_NAMES = {
  'load-cache': ['codex.remote_models.load_cache.duration_ms', 'catalog.load'],
  'fetch-update': ['codex.remote_models.fetch_update.duration_ms', 'catalog.fetch'],
} as const;

/** Makes the recordings of threads; those with the same settings share one export. */
export class Recorder {
  readonly #environment: Environment;
  readonly #originator: string;
  readonly #onProblem: ProblemListener | undefined;
  readonly #shared = new Map<string, SharedExport>();
  readonly #recordings = new Set<ThreadRecording>();

  constructor(environment: Environment, originator: string, onProblem: ProblemListener | undefined) {
    this.#environment = environment;
    this.#originator = originator;
    this.#onProblem = onProblem;
  }

  /** @param parent of the thread that opens this one */
  begin(order: RecordingOrder, parent?: ThreadTelemetry): ThreadRecording {
    const shared = this.#share(order);
    const { terminal } = describeHost(this.#environment);
    const recording: ThreadRecording = new ThreadRecording({
      order,
      recorder: this,
      shared,
      parent,
      originator: this.#originator,
      terminal,
      release: () => {
        this.#recordings.delete(recording);
        return this.#release(shared);
      },
    });
    this.#recordings.add(recording);
    return recording;
  }

  noteCatalog({ step, durationMs }: CatalogTiming): void {
    const [metric, span] = CATALOG_NAMES[step];
    const telemetry = this.#latest;
    telemetry?.duration(metric, durationMs);
    telemetry?.startSpan(span, { startedAtMs: systemClock.now() - durationMs }).end();
  }

  noteLogin(record: LoginLog): void {
    const telemetry = this.#latest;
    const outcome =
      record.kind === 'login-renewed' ? 'renewed' : record.permanent ? 'failed_permanent' : 'failed_transient';
    const facts = { reason: record.reason, outcome };
    telemetry?.count('quire.auth_refresh', facts);
    telemetry?.event('quire.auth_refresh', facts);
  }

  get #latest(): Telemetry | undefined {
    return [...this.#recordings].at(-1)?.telemetry;
  }

  #share({ config, secrets }: RecordingOrder): SharedExport {
    const key = JSON.stringify(config.telemetry);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      const listeners = new Set<ProblemListener>();
      const { telemetry } = config;
      const exported = new TelemetryExport({
        exporters: telemetry,
        logsPrompts: telemetry.logUserPrompt,
        serviceName: this.#originator,
        serviceVersion: VERSION,
        resource: { 'deployment.environment.name': telemetry.environment, env: telemetry.environment },
        environment: this.#environment,
        redact: createRedactor(secrets).redactText,
        clock: systemClock,
        entropy: systemEntropy,
        onProblem: (message) => (this.#onProblem ?? [...listeners][0])?.(message),
      });
      shared = { exported, listeners, users: 0 };
      this.#shared.set(key, shared);
    }
    shared.users += 1;
    return shared;
  }

  /** The last one waits for what is still to be sent. */
  async #release(shared: SharedExport): Promise<void> {
    shared.users -= 1;
    if (shared.users > 0) return;
    for (const [key, candidate] of this.#shared) if (candidate === shared) this.#shared.delete(key);
    await shared.exported.close({ timeoutMs: FLUSH_MS });
  }
}

/** What is recorded of one thread, from before it is open until it is closed. */
export class ThreadRecording {
  readonly telemetry: Telemetry;
  readonly observer: TelemetryObserver;
  readonly #parts: RecordingParts;
  readonly #thread: ThreadTelemetry;
  #common: TelemetryAttributes;
  #currentSettings: (() => ThreadSettings) | undefined;
  #accountId: string | undefined;
  #onProblem: ProblemListener | undefined;
  #released: Promise<void> | undefined;

  constructor(parts: RecordingParts) {
    const { order, shared, parent, originator, terminal } = parts;
    this.#parts = parts;
    this.#common = { 'app.version': VERSION, originator, session_source: order.source };
    this.#thread = shared.exported.thread(
      {
        common: () => this.#current(),
        thread: { 'conversation.id': order.threadId, 'terminal.type': terminal },
        person: () => ({ slug: this.#current()['model'], 'user.account_id': this.#accountId }),
      },
      { name: 'thread.start', startedAtMs: order.startedAtMs, parent },
    );
    this.telemetry = this.#thread;
    this.observer = new TelemetryObserver(this.#thread, systemClock);
  }

  /** The thread is open. */
  opened(thread: {
    /** Of the turn that runs, or of the last one. */
    readonly currentSettings: () => ThreadSettings;
    readonly credentials: Credentials | undefined;
    readonly isResumed: boolean;
    readonly onProblem: ProblemListener;
  }): void {
    const { order, shared } = this.#parts;
    const { currentSettings, credentials } = thread;
    const settings = currentSettings();
    this.#currentSettings = currentSettings;
    this.#common = { ...this.#common, auth_mode: authModeOf(credentials) };
    this.#accountId = credentials?.kind === 'chatgpt' ? credentials.accountId : undefined;
    this.#onProblem = thread.onProblem;
    shared.listeners.add(thread.onProblem);
    const facts = openingFacts(settings, order.config);
    this.#thread.span.end({ attributes: { ...facts, 'thread.resumed': thread.isResumed } });
    this.#thread.count('codex.thread.started', { resumed: thread.isResumed });
    this.#thread.event('codex.conversation_starts', facts);
    for (const [feature, value] of changedFeatures(order.config.features)) {
      this.#thread.count('codex.feature.state', { feature, value: String(value) });
    }
  }

  /** The same object as long as the model is the same. */
  #current(): TelemetryAttributes {
    const model = this.#currentSettings?.().model.slug;
    if (model !== this.#common['model']) this.#common = { ...this.#common, model };
    return this.#common;
  }

  /** Of a thread that this one opens. */
  child(order: Pick<RecordingOrder, 'startedAtMs' | 'threadId' | 'source'>): ThreadRecording {
    return this.#parts.recorder.begin({ ...this.#parts.order, ...order }, this.#thread);
  }

  /** The thread could not be opened. */
  failed(code: string): Promise<void> {
    this.#thread.span.end({ error: code });
    return this.release();
  }

  async #release(): Promise<void> {
    await this.#parts.release();
    // Last, as what can not be sent at the end is a problem too.
    if (this.#onProblem !== undefined) this.#parts.shared.listeners.delete(this.#onProblem);
  }

  /** Never rejects; takes two seconds at most. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }
}

interface RecordingParts {
  readonly order: RecordingOrder;
  readonly recorder: Recorder;
  readonly shared: SharedExport;
  readonly parent: ThreadTelemetry | undefined;
  readonly originator: string;
  readonly terminal: string;
  readonly release: () => Promise<void>;
}

function openingFacts(settings: ThreadSettings, { provider }: Config): TelemetryAttributes {
  return {
    provider_name: provider.id,
    reasoning_effort: settings.reasoningEffort ?? settings.model.defaultReasoningEffort,
    reasoning_summary: settings.reasoningSummary,
    context_window: settings.model.contextWindow,
    approval_policy: approvalPolicyName(settings.approvalPolicy),
    sandbox_policy: settings.sandbox.mode,
  };
}

/** Source for the words: the peer. */
function authModeOf(credentials: Credentials | undefined): string | undefined {
  switch (credentials?.kind) {
    case 'api-key':
      return 'ApiKey';
    case 'chatgpt':
      return 'Chatgpt';
    default:
      return undefined;
  }
}
