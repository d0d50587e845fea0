import type { RefreshStrategy } from '@quire/core';
import { createSandbox, type SandboxBackendName, type SandboxReport } from '@quire/host';
import type { ThreadId } from '@quire/protocol';
import type {
  AgentThread,
  DamagedThread,
  ForkOptions,
  ListOptions,
  QuireOptions,
  ResumeTarget,
  ReviewTarget,
  ThreadOptions,
  ThreadSummary,
} from './api.ts';
import { asAgentError } from './convert-error.ts';
import type { Environment } from './environment.ts';
import { McpServersOfProgram } from './mcp-servers-of-program.ts';
import { ModelLines } from './model-line.ts';
import type { ModelListing } from './models/list-models.ts';
import { ModelCatalogs } from './models/model-catalogs.ts';
import { currentDirectory, resolveWorkingDirectory } from './place.ts';
import type { SandboxedCommand } from './sandboxed-command.ts';
import { Sandboxes } from './sandboxes.ts';
import { KnownSecrets } from './secrets.ts';
import { homeOf, readSite } from './site.ts';
import { TelemetryOfProgram } from './telemetry-of-program.ts';
import { ThreadOpener } from './thread-opener.ts';

/**
 * The entry for programs: opens threads. Holds no resources itself; each thread is closed on its own.
 */
export class Quire {
  readonly #options: QuireOptions;
  readonly #environment: Environment;
  readonly #opener: ThreadOpener;
  readonly #lines: ModelLines;
  readonly #catalogs: ModelCatalogs;
  readonly #secrets: KnownSecrets;

  constructor(options: QuireOptions = {}) {
    this.#options = options;
    this.#environment = options.environment ?? process.env;
    const secrets = new KnownSecrets(this.#environment);
    const lines = new ModelLines(this.#environment, {
      ...options,
      secrets,
      onLogin: (record) => telemetry.noteLogin(record),
    });
    this.#secrets = secrets;
    this.#lines = lines;
    const { originator, userAgent } = lines;
    const telemetry = new TelemetryOfProgram({
      environment: this.#environment,
      originator,
      onProblem: options.onTelemetryProblem,
    });
    this.#catalogs = new ModelCatalogs({
      environment: this.#environment,
      originator,
      userAgent,
      onTiming: (timing) => telemetry.noteCatalog(timing),
    });
    this.#opener = new ThreadOpener({
      lines,
      telemetry,
      catalogs: this.#catalogs,
      servers: new McpServersOfProgram({
        environment: this.#environment,
        clientName: lines.originator,
        onTokens: secrets.noteTokens,
      }),
      sandboxes: new Sandboxes(this.#environment),
      secrets,
    });
  }

  /**
   * Begins a thread. When the promise resolves its header is durable on disk.
   * @throws AgentError, or the reason of `options.signal`
   */
  startThread(options: ThreadOptions = {}): Promise<AgentThread> {
    return guarded(async () => {
      const site = await readSite(this.#options, options, this.#environment);
      return this.#opener.open(site, options, /* stored */ undefined);
    });
  }

  /**
   * Opens a thread again from its rollout; later turns are appended to the same file.
   * @throws AgentError, or the reason of `options.signal`
   */
  resumeThread(target: ResumeTarget, options: ThreadOptions = {}): Promise<AgentThread> {
    return guarded(async () => {
      const site = await readSite(this.#options, options, this.#environment);
      const secrets = this.#opener.secrets(site);
      const { openStoredThread } = await import('./stored-thread.ts');
      const stored = await this.#tellingDamage((onDamaged) =>
        openStoredThread(target, { ...site, secrets, onDamaged }),
      );
      return this.#opener.open(site, options, stored);
    });
  }

  /**
   * Begins a thread that goes on from where another one is, or was. The other one is only read.
   * @throws AgentError, or the reason of `options.signal`
   */
  forkThread(target: ResumeTarget, options: ForkOptions = {}): Promise<AgentThread> {
    return guarded(async () => {
      const site = await readSite(this.#options, options, this.#environment);
      const { forkStoredThread } = await import('./stored-threads.ts');
      const { originator } = this.#lines;
      const secrets = this.#opener.secrets(site);
      const forked = await this.#tellingDamage((onDamaged) =>
        forkStoredThread(target, { site, options, originator, secrets, onDamaged }),
      );
      return this.#opener.open(site, options, forked, { isFork: true });
    });
  }

  /**
   * Refuses what can not be reviewed, before anything is written for it.
   * @throws AgentError 'invalid-argument'
   */
  checkReview(target: ReviewTarget, options: ThreadOptions = {}): Promise<void> {
    return guarded(async () => {
      const { readReviewSubject } = await import('./review.ts');
      const cwd = await resolveWorkingDirectory(options.workingDirectory ?? currentDirectory());
      await readReviewSubject(target, { cwd, signal: options.signal ?? new AbortController().signal });
    });
  }

  /**
   * Refuses a thread that is not there, before anything is prepared for it.
   * @param options.use what is to be done with it: one that was put away can be forked, but not resumed
   * @throws AgentError, or the reason of `options.signal`
   */
  checkThread(
    target: ResumeTarget,
    options: Pick<ThreadOptions, 'workingDirectory' | 'signal'> & { readonly use: 'resume' | 'fork' },
  ): Promise<void> {
    return guarded(async () => {
      const { locateThread, locateWritable } = await import('./stored-thread.ts');
      const cwd = await resolveWorkingDirectory(options.workingDirectory ?? currentDirectory());
      const home = homeOf(this.#options, this.#environment);
      const locate = options.use === 'resume' ? locateWritable : locateThread;
      const signal = options.signal ?? new AbortController().signal;
      // What was passed over is told when the thread is opened, which it only is when it was found.
      const seen = { isFound: false };
      await this.#tellingDamage(
        async (onDamaged) => {
          await locate(target, { home, cwd, signal, onDamaged });
          seen.isFound = true;
        },
        () => !seen.isFound,
      );
    });
  }

  /** The threads on disk, the last begun first. */
  listThreads(options: ListOptions = {}): Promise<readonly ThreadSummary[]> {
    return this.#onDisk(async ({ listStoredThreads }, home) =>
      this.#tellingDamage((onDamaged) => listStoredThreads(home, { ...options, onDamaged })),
    );
  }

  /** What is known of one thread without opening it. */
  readThread(target: ResumeTarget, options: ListOptions = {}): Promise<ThreadSummary> {
    return this.#onDisk(async ({ readStoredThread }, home) =>
      this.#tellingDamage((onDamaged) => readStoredThread(home, target, { ...options, onDamaged })),
    );
  }

  /** Gives a thread a name, by which it can be opened again. An empty one takes the name away. */
  setThreadName(id: string, name: string): Promise<void> {
    return this.#onDisk(async ({ nameStoredThread }, home) => {
      return nameStoredThread(home, { id, name, secrets: this.#secrets.list });
    });
  }

  /** Puts a thread away: it is no longer listed, but still found by its id. Gives back its new path. */
  archiveThread(id: string): Promise<{ readonly threadId: ThreadId; readonly path: string }> {
    return this.#onDisk(async ({ archiveStoredThread }, home) => archiveStoredThread(home, id));
  }

  unarchiveThread(id: string): Promise<{ readonly threadId: ThreadId; readonly path: string }> {
    return this.#onDisk(async ({ unarchiveStoredThread }, home) => unarchiveStoredThread(home, id));
  }

  /**
   * The models to choose from, at this place and with the login that is there.
   *
   * @param options.strategy whether the provider is asked. Default: without a list from the last five minutes
   * @throws AgentError, or the reason of `options.signal`
   */
  listModels(
    options: Pick<ThreadOptions, 'workingDirectory' | 'signal'> & { readonly strategy?: RefreshStrategy } = {},
  ): Promise<ModelListing> {
    return guarded(async () => {
      const site = await readSite(this.#options, options, this.#environment);
      const credentials = await this.#lines.credentials(site);
      const { listModels } = await import('./models/list-models.ts');
      return listModels(this.#catalogs, site, { credentials, strategy: options.strategy ?? 'online-if-uncached' });
    });
  }

  /**
   * How a command would be started under the policy of a thread with these options. Nothing is started here.
   * @throws AgentError, or the reason of `options.signal`
   */
  sandboxCommand(
    argv: readonly string[],
    options: ThreadOptions & { readonly backend?: SandboxBackendName } = {},
  ): Promise<SandboxedCommand> {
    return guarded(async () => {
      const site = await readSite(this.#options, options, this.#environment);
      const { sandboxCommand } = await import('./sandboxed-command.ts');
      const { allowedHosts } = site.config;
      const sandbox = createSandbox({
        environment: this.#environment,
        ...(options.backend === undefined ? {} : { backend: options.backend }),
        ...(allowedHosts === undefined ? {} : { allowedHosts }),
      });
      return sandboxCommand(argv, { site, options, environment: this.#environment, sandbox });
    });
  }

  /** Tries every sandbox of the platform for real. */
  probeSandbox(): Promise<SandboxReport> {
    return guarded(() => createSandbox({ environment: this.#environment }).probe());
  }

  /** Tells once of what `work` passed over, also when it fails. */
  async #tellingDamage<Result>(
    work: (onDamaged: (rollout: { readonly threadId: ThreadId; readonly path: string }) => void) => Promise<Result>,
    isTold: () => boolean = () => true,
  ): Promise<Result> {
    const damaged: DamagedThread[] = [];
    try {
      return await work(({ threadId, path }) => damaged.push({ threadId, rolloutPath: path }));
    } finally {
      if (damaged.length > 0 && isTold()) this.#options.onDamagedThreads?.(damaged);
    }
  }

  #onDisk<Result>(
    work: (threads: typeof import('./stored-threads.ts'), home: string) => Promise<Result>,
  ): Promise<Result> {
    return guarded(async () => work(await import('./stored-threads.ts'), homeOf(this.#options, this.#environment)));
  }
}

async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw asAgentError(error);
  }
}
