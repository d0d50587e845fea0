import { lstatSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Account, LoginLog } from '@quire/auth';
import {
  type CatalogTiming,
  millisecondsText,
  type Telemetry,
  type TelemetryAttributes,
  type ThreadSettings,
} from '@quire/core';
import { describeHost, systemClock, systemEntropy } from '@quire/host';
import { environmentTags } from '@quire/model-client';
import { approvalPolicyName, type Credentials, type ThreadId } from '@quire/protocol';
import { type Config, changedFeatures, createRedactor, type KnownValues } from '@quire/store';
import { TelemetryExport, type ThreadTelemetry } from '@quire/telemetry';
import type { Environment } from './environment.ts';
import { noteStartupPhase, TelemetryObserver } from './telemetry-observer.ts';
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
    const recording: ThreadRecording = new ThreadRecording({
      order,
      recorder: this,
      shared,
      parent,
      originator: this.#originator,
      environment: this.#environment,
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
    const tags = step === 'fetch-update' ? { auth_mode: this.#newest?.authMode?.toLowerCase() } : {};
    for (const { exported } of this.#shared.values()) exported.duration(metric, durationMs, tags);
    telemetry?.startSpan(span, { startedAtMs: systemClock.now() - durationMs }).end();
  }

  noteLogin(record: LoginLog): void {
    const telemetry = this.#latest;
    const outcome =
      record.kind === 'login-renewed' ? 'renewed' : record.permanent ? 'failed_permanent' : 'failed_transient';
    const facts = { reason: record.reason, outcome };
    const { durationMs } = record;
    telemetry?.count('quire.auth_refresh', facts);
    telemetry?.duration('quire.auth_refresh.duration_ms', durationMs, facts);
    telemetry?.event('quire.auth_refresh', { ...facts, duration_ms: millisecondsText(durationMs) });
    const error = record.kind === 'login-renewed' ? undefined : outcome;
    telemetry
      ?.startSpan('auth.refresh', { startedAtMs: systemClock.now() - durationMs })
      .end({ error, attributes: facts });
  }

  get #newest(): ThreadRecording | undefined {
    return [...this.#recordings].at(-1);
  }

  get #latest(): Telemetry | undefined {
    return this.#newest?.telemetry;
  }

  #share({ config, secrets }: RecordingOrder): SharedExport {
    const key = JSON.stringify(config.telemetry);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      const listeners = new Set<ProblemListener>();
      const { telemetry } = config;
      const { osName, osVersion } = describeHost(this.#environment);
      const exported = new TelemetryExport({
        exporters: telemetry,
        logsPrompts: telemetry.logUserPrompt,
        serviceName: this.#originator,
        serviceVersion: VERSION,
        resource: { 'deployment.environment.name': telemetry.environment, env: telemetry.environment },
        resources: { logs: { 'host.name': hostname() }, metrics: { os: osName, os_version: osVersion } },
        environment: this.#environment,
        redact: createRedactor(secrets).redactText,
        clock: systemClock,
        entropy: systemEntropy,
        onProblem: (message) => (this.#onProblem ?? [...listeners][0])?.(message),
      });
      exported.count('codex.process.start', { originator: this.#originator });
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
  /** Of the login; `undefined`: there is none, or none is used. */
  authMode: string | undefined;
  readonly #parts: RecordingParts;
  readonly #thread: ThreadTelemetry;
  #common: TelemetryAttributes;
  #currentSettings: (() => ThreadSettings) | undefined;
  readonly #environmentFacts: TelemetryAttributes;
  #account: () => Account | undefined = () => undefined;
  #onProblem: ProblemListener | undefined;
  #released: Promise<void> | undefined;

  constructor(parts: RecordingParts) {
    const { order, shared, parent, originator, environment } = parts;
    this.#parts = parts;
    this.#common = { 'app.version': VERSION, originator, session_source: order.source };
    const { terminal } = describeHost(environment);
    this.#environmentFacts = environmentFacts(environment, order.config);
    this.#thread = shared.exported.thread(
      {
        common: () => this.#current(),
        thread: { 'conversation.id': order.threadId, 'terminal.type': terminal },
        logs: () => {
          const account = this.#account();
          const person = { 'user.account_id': account?.accountId, 'user.email': account?.email };
          return { session_source: undefined, slug: this.#current()['model'], ...person };
        },
      },
      { name: 'thread.start', startedAtMs: order.startedAtMs, parent },
    );
    this.telemetry = this.#thread;
    this.observer = new TelemetryObserver(this.#thread, systemClock, this.#environmentFacts);
  }

  /** The thread is open. */
  opened(thread: {
    /** Of the turn that runs, or of the last one. */
    readonly currentSettings: () => ThreadSettings;
    readonly credentials: Credentials | undefined;
    /** Whose login is used now. */
    readonly account: () => Account | undefined;
    readonly isResumed: boolean;
    readonly onProblem: ProblemListener;
  }): void {
    const { order, shared } = this.#parts;
    const { currentSettings, credentials, account } = thread;
    const settings = currentSettings();
    this.#currentSettings = currentSettings;
    this.#account = account;
    // A key of a provider's own is no login.
    this.authMode = order.config.provider.requiresOpenaiAuth ? authModeOf(credentials) : undefined;
    this.#common = { ...this.#common, auth_mode: this.authMode };
    this.#onProblem = thread.onProblem;
    shared.listeners.add(thread.onProblem);
    const facts = openingFacts(settings, order.config);
    this.#thread.span.end({ attributes: { ...facts, 'thread.resumed': thread.isResumed } });
    this.#thread.count('codex.thread.started', repositoryFacts(settings));
    this.#thread.event('codex.conversation_starts', { ...facts, ...this.#environmentFacts });
    const durationMs = systemClock.now() - order.startedAtMs;
    noteStartupPhase(this.#thread, { phase: 'thread_start_total', status: 'ready', durationMs });
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
  readonly environment: Environment;
  readonly release: () => Promise<void>;
}

/** Source for the names: the peer. */
function environmentFacts(environment: Environment, { provider }: Config): TelemetryAttributes {
  const tags = environmentTags(environment, provider);
  const isTrue = (tag: string | undefined): boolean | undefined =>
    tag === undefined || tag === '' ? undefined : tag === 'true';
  return {
    'auth.env_openai_api_key_present': isTrue(tags.auth_env_openai_api_key_present),
    'auth.env_codex_api_key_present': isTrue(tags.auth_env_codex_api_key_present),
    'auth.env_codex_api_key_enabled': isTrue(tags.auth_env_codex_api_key_enabled),
    'auth.env_provider_key_name': tags.auth_env_provider_key_name === '' ? undefined : 'configured',
    'auth.env_provider_key_present': isTrue(tags.auth_env_provider_key_present),
    'auth.env_refresh_token_url_override_present': isTrue(tags.auth_env_refresh_token_url_override_present),
  };
}

/** Of a work tree beside the repository itself, `.git` is a file. */
function repositoryFacts({ environment: { git } }: ThreadSettings): TelemetryAttributes {
  return { is_git: git !== undefined, is_worktree: git !== undefined && isFile(join(git.root, '.git')) };
}

function isFile(path: string): boolean {
  try {
    return lstatSync(path).isFile();
  } catch {
    return false; // gone, or nobody may look
  }
}

function openingFacts(settings: ThreadSettings, { provider, mcpServers }: Config): TelemetryAttributes {
  const { autoCompactTokenLimit } = settings.compaction;
  return {
    provider_name: provider.name,
    mcp_servers: mcpServers
      .filter(({ enabled }) => enabled)
      .map(({ name }) => name)
      .join(', '),
    ...(autoCompactTokenLimit === undefined ? {} : { auto_compact_token_limit: autoCompactTokenLimit }),
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
