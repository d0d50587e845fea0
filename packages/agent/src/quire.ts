import { homedir } from 'node:os';
import { Thread, type ThreadSettings } from '@quire/core';
import { createCommandRunner, createPatchFiles, systemClock, systemEntropy } from '@quire/host';
import type { ThreadId } from '@quire/protocol';
import { type Config, loadConfig, resolveHome } from '@quire/store';
import { AgentError } from './agent-error.ts';
import { OpenThread } from './agent-thread.ts';
import type { AgentThread, QuireOptions, ResumeTarget, ThreadFacts, ThreadOptions } from './api.ts';
import { asAgentError } from './convert-error.ts';
import { commandEnvironment, type Environment } from './environment.ts';
import { ModelLines, webSocketChoice } from './model-line.ts';
import { openNewRollout } from './new-rollout.ts';
import { currentDirectory, type PlaceReading, readPlace, resolveWorkingDirectory } from './place.ts';
import { openStoredThread, type StoredThread } from './stored-thread.ts';
import { resolveThreadSettings } from './thread-settings.ts';

/** Where a thread works and what is configured there. */
interface Site {
  readonly home: string;
  readonly cwd: string;
  readonly config: Config;
  readonly signal: AbortSignal;
}

/**
 * The entry for programs: opens threads. Holds no resources itself; each thread is closed on its own.
 */
export class Quire {
  readonly #options: QuireOptions;
  readonly #environment: Environment;
  readonly #lines: ModelLines;

  constructor(options: QuireOptions = {}) {
    this.#options = options;
    this.#environment = options.environment ?? process.env;
    this.#lines = new ModelLines(this.#environment, options);
  }

  /**
   * Begins a thread. When the promise resolves its header is durable on disk.
   * @throws AgentError, or the reason of `options.signal`
   */
  startThread(options: ThreadOptions = {}): Promise<AgentThread> {
    return this.#guarded(async () => this.#open(await this.#site(options), options, /* stored */ undefined));
  }

  /**
   * Opens a thread again from its rollout; later turns are appended to the same file.
   * @throws AgentError, or the reason of `options.signal`
   */
  resumeThread(target: ResumeTarget, options: ThreadOptions = {}): Promise<AgentThread> {
    return this.#guarded(async () => {
      const site = await this.#site(options);
      return this.#open(site, options, await openStoredThread(target, site));
    });
  }

  async #guarded(work: () => Promise<AgentThread>): Promise<AgentThread> {
    try {
      return await work();
    } catch (error) {
      throw asAgentError(error);
    }
  }

  async #site(options: ThreadOptions): Promise<Site> {
    const environment = this.#environment;
    const signal = options.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    const home = this.#options.home ?? resolveHome({ environment, homeDirectory: homedir() });
    const cwd = await resolveWorkingDirectory(options.workingDirectory ?? currentDirectory());
    const config = await loadConfig({
      home,
      cwd,
      environment,
      overrides: overridesOf(this.#options),
      ignoreUserConfig: this.#options.ignoreUserConfig ?? false,
    });
    return { home, cwd, config, signal };
  }

  /** Gives back everything that was opened when a later step fails. */
  async #open(site: Site, options: ThreadOptions, stored: StoredThread | undefined): Promise<AgentThread> {
    const threadId = stored?.threadId ?? (systemEntropy.uuid() as ThreadId);
    const environment = commandEnvironment(this.#environment, site.config.provider);
    const runner = createCommandRunner({ threadId, environment });
    try {
      const place = await this.#readPlace(site, options, runner.shell.name);
      const credentials = this.#lines.credentials(site.config, site.home);
      // Asked before anything is written: a run that can not authorise itself leaves no trace.
      await credentials.current({ signal: site.signal });
      const settings = this.#settings(site.config, options, { place, stored });
      const { rollout, path } = await this.#rollout(site, options, { threadId, settings, stored });
      const webSocket = webSocketChoice(site.config, settings);
      const model = this.#lines.open({ config: site.config, credentials, threadId, webSocket });
      const ports = { model, runner, files: createPatchFiles(), rollout, clock: systemClock, entropy: systemEntropy };
      const thread = new Thread({ id: threadId, settings, ports, seed: stored?.seed });
      if (webSocket !== 'off') thread.warmUp();
      const warnings = [
        ...site.config.warnings,
        ...place.notices,
        ...(stored?.warnings ?? []),
        ...modelWarnings(settings),
      ];
      const origin = { threadId, resumed: stored !== undefined, providerId: site.config.provider.id };
      return new OpenThread(thread, threadFacts(settings, { ...origin, rolloutPath: path, warnings }), ports);
    } catch (error) {
      stored?.rollout.close();
      await runner.close();
      throw error;
    }
  }

  async #readPlace(site: Site, options: ThreadOptions, shellName: string): Promise<PlaceReading> {
    const processEnvironment = this.#environment;
    const place = await readPlace({ ...site, shellName, processEnvironment, nowMs: systemClock.now() });
    if (place.environment.git !== undefined || options.skipGitRepoCheck === true) return place;
    throw new AgentError(
      'not-a-repository',
      `${site.cwd} is not inside a git repository; run \`git init\`, choose another with -C, or pass --skip-git-repo-check`,
    );
  }

  #settings(
    config: Config,
    options: ThreadOptions,
    known: { readonly place: PlaceReading; readonly stored: StoredThread | undefined },
  ): ThreadSettings {
    const { place, stored } = known;
    return resolveThreadSettings(config, options, {
      place,
      processEnvironment: this.#environment,
      storedInstructions: stored?.seed.meta?.base_instructions?.text,
      storedModel: stored?.seed.baseline?.model,
    });
  }

  async #rollout(
    { home, config, signal }: Site,
    options: ThreadOptions,
    thread: {
      readonly threadId: ThreadId;
      readonly settings: ThreadSettings;
      readonly stored: StoredThread | undefined;
    },
  ): ReturnType<typeof openNewRollout> {
    const { threadId, settings, stored } = thread;
    signal.throwIfAborted();
    if (stored !== undefined) return { rollout: stored.rollout, path: stored.rollout.path };
    const { originator } = this.#lines;
    return openNewRollout(options, { home, threadId, originator, providerId: config.provider.id, settings });
  }
}

function threadFacts(
  settings: ThreadSettings,
  origin: Pick<ThreadFacts, 'threadId' | 'resumed' | 'providerId' | 'rolloutPath' | 'warnings'>,
): ThreadFacts {
  return {
    ...origin,
    workingDirectory: settings.cwd,
    model: settings.model.slug,
    approvalPolicy: settings.approvalPolicy,
    sandboxMode: settings.sandbox.mode,
    reasoningEffort: settings.reasoningEffort,
    reasoningSummary: settings.reasoningSummary,
  };
}

function overridesOf(options: QuireOptions): readonly string[] {
  const overrides = options.configOverrides ?? [];
  return options.baseUrl === undefined
    ? overrides
    : [...overrides, `openai_base_url=${JSON.stringify(options.baseUrl)}`];
}

function modelWarnings(settings: ThreadSettings): readonly string[] {
  if (!settings.model.isFallback) return [];
  return [
    `Nothing is known about the model ${settings.model.slug}; general settings are used for it, which may cost quality.`,
  ];
}
