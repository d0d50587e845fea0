import { homedir } from 'node:os';
import { type CredentialsSource, createCredentialsSource } from '@quire/auth';
import {
  type ModelPort,
  type RolloutWriter,
  Thread,
  ThreadReconstruction,
  type ThreadSeed,
  type ThreadSettings,
} from '@quire/core';
import { createCommandRunner, createPatchFiles, describeHost, systemClock, systemEntropy } from '@quire/host';
import { createModelClient } from '@quire/model-client';
import { parseThreadId, type SessionMeta, type ThreadId } from '@quire/protocol';
import {
  type Config,
  createMemoryRollout,
  createRollout,
  findLastRollout,
  findRollout,
  loadConfig,
  openRollout,
  type RolloutFile,
  readRollout,
  resolveHome,
} from '@quire/store';
import { AgentError } from './agent-error.ts';
import { OpenThread } from './agent-thread.ts';
import type { AgentThread, QuireOptions, ResumeTarget, ThreadFacts, ThreadOptions } from './api.ts';
import { asAgentError } from './convert-error.ts';
import { readPlace, resolveWorkingDirectory } from './place.ts';
import { resolveThreadSettings } from './thread-settings.ts';
import { VERSION } from './version.ts';

const DEFAULT_ORIGINATOR = 'quire_sdk';

type Environment = Readonly<Record<string, string | undefined>>;
type Place = Awaited<ReturnType<typeof readPlace>>;

/** A thread found on disk, read and ready to go on. */
interface StoredThread {
  readonly threadId: ThreadId;
  readonly rollout: RolloutFile;
  readonly seed: ThreadSeed;
  readonly warnings: readonly string[];
}

/**
 * The entry for programs: opens threads. Holds no resources itself; each thread is closed on its own.
 */
export class Quire {
  readonly #options: QuireOptions;
  readonly #environment: Environment;

  constructor(options: QuireOptions = {}) {
    this.#options = options;
    this.#environment = options.environment ?? process.env;
  }

  /**
   * Begins a thread. When the promise resolves its header is durable on disk.
   * @throws AgentError
   */
  async startThread(options: ThreadOptions = {}): Promise<AgentThread> {
    return this.#guarded(async () => {
      const place = await this.#openPlace(options);
      return this.#compose(place, options, /* stored */ undefined);
    });
  }

  /**
   * Opens a thread again from its rollout; later turns are appended to the same file.
   * @throws AgentError
   */
  async resumeThread(target: ResumeTarget, options: ThreadOptions = {}): Promise<AgentThread> {
    return this.#guarded(async () => {
      const place = await this.#openPlace(options);
      const stored = await this.#openStored(target, place);
      return this.#compose(place, options, stored);
    });
  }

  async #guarded(work: () => Promise<AgentThread>): Promise<AgentThread> {
    try {
      return await work();
    } catch (error) {
      throw asAgentError(error);
    }
  }

  async #openPlace(options: ThreadOptions): Promise<OpenedPlace> {
    const environment = this.#environment;
    const home = this.#options.home ?? resolveHome({ environment, homeDirectory: homedir() });
    const cwd = await resolveWorkingDirectory(options.workingDirectory ?? process.cwd());
    const config = await loadConfig({
      home,
      cwd,
      environment,
      overrides: overridesOf(this.#options),
      ignoreUserConfig: this.#options.ignoreUserConfig ?? false,
    });
    return { home, cwd, config };
  }

  async #openStored(target: ResumeTarget, place: OpenedPlace): Promise<StoredThread> {
    const path = await this.#locate(target, place);
    const signal = new AbortController().signal;
    const rollout = await openRollout(path, { now: systemClock.now });
    try {
      const reconstruction = new ThreadReconstruction();
      const reading = await readRollout(path, { onLine: (line) => reconstruction.add(line), signal });
      const threadId = parseThreadId(reading.meta.id);
      if (threadId === undefined) throw new AgentError('rollout', `${path} names no valid thread id in its header`);
      return { threadId, rollout, seed: reconstruction.finish(), warnings: readingWarnings(path, rollout, reading) };
    } catch (error) {
      rollout.close();
      throw error;
    }
  }

  async #locate(target: ResumeTarget, { home, cwd }: OpenedPlace): Promise<string> {
    if (target.kind === 'id') return findRollout({ home, idOrPath: target.id, cwd });
    const signal = new AbortController().signal;
    const last = await findLastRollout({ home, signal, ...(target.anyDirectory === true ? {} : { cwd }) });
    if (last !== undefined) return last.path;
    const where = target.anyDirectory === true ? home : cwd;
    throw new AgentError('thread-not-found', `no thread to resume was found for ${where}; start one, or name an id`);
  }

  /** Gives back everything that was opened when a later step fails. */
  async #compose(place: OpenedPlace, options: ThreadOptions, stored: StoredThread | undefined): Promise<AgentThread> {
    const threadId = stored?.threadId ?? (systemEntropy.uuid() as ThreadId);
    const runner = createCommandRunner({ threadId, environment: this.#commandEnvironment() });
    try {
      const facts = await this.#readPlace(place, options, runner.shell.name);
      const credentials = this.#credentials(place);
      // Asked before anything is written: a run that can not authorise itself leaves no trace.
      await credentials.current({ signal: new AbortController().signal });
      const settings = resolveThreadSettings(place.config, options, {
        place: facts,
        processEnvironment: this.#environment,
        storedInstructions: stored?.seed.meta?.base_instructions?.text,
        storedModel: stored?.seed.baseline?.model,
      });
      const opening = this.#openRollout({ place, options, threadId, settings, facts, stored });
      // While the disk takes the header, the login shell that commands will need starts.
      runner.warmUp();
      const { rollout, path } = await opening;
      const model = this.#createModel(place.config, credentials, threadId);
      const ports = { model, runner, files: createPatchFiles(), rollout, clock: systemClock, entropy: systemEntropy };
      const thread = new Thread({ id: threadId, settings, ports, seed: stored?.seed });
      const warnings = [
        ...place.config.warnings,
        ...facts.notices,
        ...(stored?.warnings ?? []),
        ...modelWarnings(settings),
      ];
      const origin = { threadId, resumed: stored !== undefined, providerId: place.config.provider.id };
      return new OpenThread(thread, threadFacts(settings, { ...origin, rolloutPath: path, warnings }), ports);
    } catch (error) {
      stored?.rollout.close();
      await runner.close();
      throw error;
    }
  }

  async #readPlace({ home, cwd, config }: OpenedPlace, options: ThreadOptions, shellName: string): Promise<Place> {
    const facts = await readPlace({
      cwd,
      home,
      config,
      shellName,
      processEnvironment: this.#environment,
      nowMs: systemClock.now(),
      signal: new AbortController().signal,
    });
    if (facts.environment.git !== undefined || options.skipGitRepoCheck === true) return facts;
    throw new AgentError(
      'not-a-repository',
      `${cwd} is not inside a git repository; run \`git init\`, choose another with -C, or pass --skip-git-repo-check`,
    );
  }

  async #openRollout(parts: {
    readonly place: OpenedPlace;
    readonly options: ThreadOptions;
    readonly threadId: ThreadId;
    readonly settings: ThreadSettings;
    readonly facts: Place;
    readonly stored: StoredThread | undefined;
  }): Promise<OpenedRollout> {
    const { place, options, threadId, stored } = parts;
    if (stored !== undefined) return { rollout: stored.rollout, path: stored.rollout.path };
    if (options.ephemeral === true) return { rollout: createMemoryRollout(), path: undefined };
    const meta = this.#sessionMeta(parts);
    const rollout = await createRollout({ home: place.home, threadId, meta, now: systemClock.now });
    return { rollout, path: rollout.path };
  }

  #sessionMeta(parts: {
    readonly place: OpenedPlace;
    readonly options: ThreadOptions;
    readonly settings: ThreadSettings;
    readonly facts: Place;
  }): Omit<SessionMeta, 'id' | 'timestamp'> {
    const { options, settings, place } = parts;
    const git = parts.facts.environment.git;
    const repositoryUrl = git?.remotes['origin'];
    return {
      cwd: settings.cwd,
      originator: this.#originator(),
      cli_version: VERSION,
      source: options.source ?? 'exec',
      ...(options.threadSource === undefined ? {} : { thread_source: options.threadSource }),
      model_provider: place.config.provider.id,
      base_instructions: { text: settings.baseInstructions },
      ...(git === undefined
        ? {}
        : {
            git: {
              ...(git.commitHash === undefined ? {} : { commit_hash: git.commitHash }),
              ...(git.branch === undefined ? {} : { branch: git.branch }),
              ...(repositoryUrl === undefined ? {} : { repository_url: repositoryUrl }),
            },
          }),
    };
  }

  #credentials({ home, config }: OpenedPlace): CredentialsSource {
    const { apiKey } = this.#options;
    return createCredentialsSource({
      provider: config.provider,
      home,
      environment: apiKey === undefined ? this.#environment : { ...this.#environment, CODEX_API_KEY: apiKey },
      apiKeyFromEnvironment: true,
    });
  }

  #createModel(config: Config, credentials: CredentialsSource, threadId: ThreadId): ModelPort {
    const originator = this.#originator();
    const environment = this.#environment;
    return createModelClient({
      provider: config.provider,
      credentials,
      threadId,
      originator,
      clientVersion: VERSION,
      userAgent: userAgent(originator, environment),
      clock: systemClock,
      entropy: systemEntropy,
      environment,
    });
  }

  #originator(): string {
    const override = this.#environment['CODEX_INTERNAL_ORIGINATOR_OVERRIDE'];
    return override === undefined || override === '' ? (this.#options.originator ?? DEFAULT_ORIGINATOR) : override;
  }

  /** Commands must not see the key that this run authorises itself with. */
  #commandEnvironment(): Environment {
    const { CODEX_API_KEY: _key, ...rest } = this.#environment;
    return rest;
  }
}

interface OpenedRollout {
  readonly rollout: RolloutWriter;
  readonly path: string | undefined;
}

interface OpenedPlace {
  readonly home: string;
  readonly cwd: string;
  readonly config: Config;
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

function userAgent(originator: string, environment: Environment): string {
  const { osName, osVersion, arch, terminal } = describeHost(environment);
  const text = `${originator}/${VERSION} (${osName} ${osVersion}; ${arch}) ${terminal}`;
  return text.replace(/[^\x20-\x7e]/g, '_');
}

function modelWarnings(settings: ThreadSettings): readonly string[] {
  if (!settings.model.isFallback) return [];
  return [
    `Nothing is known about the model ${settings.model.slug}; general settings are used for it, which may cost quality.`,
  ];
}

function readingWarnings(
  path: string,
  rollout: RolloutFile,
  reading: { readonly skippedLines: number },
): readonly string[] {
  const warnings: string[] = [];
  if (rollout.tornBytes > 0) {
    warnings.push(
      `The last line of ${path} was half-written; its ${rollout.tornBytes} bytes were cut off, all before them is there.`,
    );
  }
  if (reading.skippedLines > 0)
    warnings.push(`${reading.skippedLines} lines of ${path} could not be understood and were passed over.`);
  return warnings;
}
