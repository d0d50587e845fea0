import { rm } from 'node:fs/promises';
import type { CommandRunner, RolloutWriter, ThreadSeed, ThreadSettings } from '@quire/core';
import { createCommandRunner, findUserShell, systemClock, systemEntropy } from '@quire/host';
import { isJsonObject, type JsonValue, type ThreadId } from '@quire/protocol';
import { type Config, isOssProviderId, type KnownValues } from '@quire/store';
import { AgentBudget } from './agent-budget.ts';
import type { OpenThread } from './agent-thread.ts';
import type { ThreadOptions } from './api.ts';
import { assembleThread, type ThreadOrigin } from './assemble-thread.ts';
import { commandEnvironment } from './environment.ts';
import { openingSettings, readRepository } from './ground-settings.ts';
import type { Household } from './household.ts';
import { ThreadModels } from './models/thread-models.ts';
import { fileSeed, type OpenedRollout, openNewRollout } from './new-rollout.ts';
import { NoticeBoard } from './notice-board.ts';
import type { Site } from './site.ts';
import type { StoredThread } from './stored-thread.ts';
import { openingNotices } from './thread-facts.ts';
import type { AgentsOfTree, ChildOptions, ThreadGround, ThreadSource } from './thread-ground.ts';
import type { ThreadRecording } from './thread-recording.ts';

/** Puts threads together from their parts. */
export class ThreadOpener implements ThreadSource {
  readonly #household: Household;

  constructor(household: Household) {
    this.#household = household;
  }

  /** A new thread, or one that was read from disk. Gives back everything that was opened when a later step fails. */
  async open(
    site: Site,
    options: ThreadOptions,
    stored: StoredThread | undefined,
    { isFork = false }: { readonly isFork?: boolean } = {},
  ): Promise<OpenThread> {
    const startedAtMs = systemClock.now();
    const threadId = stored?.threadId ?? (systemEntropy.uuid() as ThreadId);
    const runner = this.#runner(site, threadId);
    let record: OpenedRollout | undefined = stored === undefined ? undefined : storedRecord(stored, site.home);
    const secrets = this.secrets(site);
    // What records is loaded while the place is read.
    const beginning = this.#household.telemetry.begin({
      threadId,
      startedAtMs,
      config: site.config,
      secrets,
      source: sourceName(options.source ?? 'exec'),
    });
    beginning.catch(() => undefined); // awaited below, unless something fails before
    let models: ThreadModels | undefined;
    const notices = new NoticeBoard();
    try {
      const place = await readRepository(site, options, runner.shell.name);
      const credentials = await this.#household.lines.credentials(site);
      // Asked before anything is written: a run that can not authorise itself leaves no trace.
      await this.#requireServer(site);
      models = await ThreadModels.open(this.#household.catalogs, site, { credentials, onWarning: notices.post });
      const settings = openingSettings(site, options, { place, models, stored });
      site.signal.throwIfAborted();
      record ??= await this.#newRollout(site, options, { threadId, settings, secrets });
      const ground: ThreadGround = {
        site,
        options,
        credentials,
        models,
        toldNotes: new Set(),
        secrets,
        budget: new AgentBudget(site.config, systemClock),
        depth: 0,
        agents: await this.#plantTree(site.config),
        recording: await beginning,
      };
      const warnings = [
        ...site.config.warnings,
        ...(await this.#household.lines.warnings(site)),
        ...place.notices,
        ...(stored?.warnings ?? []),
        ...openingNotices(settings, { config: site.config, options, stored }),
      ];
      // While a list is on its way that may describe it, its first turn tells.
      if (!models.isLearning) models.reportUnknown(settings.model.slug, (warning) => warnings.push(warning));
      const origin = {
        threadId,
        record,
        seed: stored?.seed,
        resumed: stored !== undefined && !isFork,
        warnings,
      };
      return await this.#assemble(ground, settings, { ...origin, runner, notices });
    } catch (error) {
      record?.rollout.close();
      // Nobody knows of a fork that could not be opened.
      if (isFork && record?.path !== undefined) await rm(record.path, { force: true });
      await Promise.all([models?.close(), runner.close(), endRecording(beginning, error)]);
      throw error;
    }
  }

  async openChild(parent: ThreadGround, settings: ThreadSettings, child: ChildOptions): Promise<OpenThread> {
    const { site, options } = parent;
    const { source, agent, forkedFrom, stored, subagent } = child;
    const startedAtMs = systemClock.now();
    const threadId = stored?.threadId ?? (systemEntropy.uuid() as ThreadId);
    const runner = this.#runner(site, threadId);
    let record: OpenedRollout | undefined = stored === undefined ? undefined : storedRecord(stored, site.home);
    const recording = parent.recording?.child({ threadId, startedAtMs, source: subagent });
    try {
      record ??= await this.#newRollout(
        site,
        {
          ...options,
          source,
          ...(agent === undefined ? {} : { agent }),
          ...(forkedFrom === undefined ? {} : { forkedFrom }),
        },
        { threadId, settings, secrets: parent.secrets },
      );
      if (child.seed !== undefined) recordSeed(record.rollout, child.seed);
      const seed = stored?.seed ?? child.seed;
      const resumed = stored !== undefined;
      const origin = { threadId, record, seed, resumed, warnings: [], subagent };
      const ground = { ...parent, depth: parent.depth + 1, agents: child.agents, recording };
      return await this.#assemble(ground, settings, { ...origin, runner, notices: new NoticeBoard() });
    } catch (error) {
      record?.rollout.close();
      await Promise.all([runner.close(), recording?.failed(errorCode(error))]);
      throw error;
    }
  }

  /** Values that must not reach the disk, those that come up later too. */
  secrets({ config, environment }: Site): KnownValues {
    const { secrets } = this.#household;
    secrets.noteConfig(config, environment);
    return secrets.list;
  }

  async #plantTree(config: Config): Promise<AgentsOfTree | undefined> {
    const { features } = config;
    if ((features['multi_agent'] ?? features['collab']) !== true) return undefined;
    const { AgentTree } = await import('./agent-tree.ts');
    return AgentTree.create(config, this);
  }

  async #requireServer({ config, environment, signal }: Site): Promise<void> {
    if (!isOssProviderId(config.provider.id)) return;
    const { requireLocalServer } = await import('./local-server.ts');
    await requireLocalServer(config.provider, { environment, signal });
  }

  #assemble(ground: ThreadGround, settings: ThreadSettings, origin: ThreadOrigin): Promise<OpenThread> {
    return assembleThread(ground, settings, { ...origin, household: this.#household, opener: this });
  }

  #runner({ config, environment }: Site, threadId: ThreadId): CommandRunner {
    return createCommandRunner({
      threadId,
      environment: commandEnvironment(environment, config),
      // These are the user's, whatever of the environment commands get to see.
      searchPath: environment['PATH'],
      shell: findUserShell(environment),
      loginShell: {
        isUsual: config.allowLoginShell,
        limit: (exported) => commandEnvironment(exported, config),
      },
      sandbox: this.#household.sandboxes.for(config.allowedHosts),
    });
  }

  #newRollout(
    { home, config }: Site,
    options: Parameters<typeof openNewRollout>[0],
    thread: { readonly threadId: ThreadId; readonly settings: ThreadSettings; readonly secrets: KnownValues },
  ): ReturnType<typeof openNewRollout> {
    const { originator } = this.#household.lines;
    return openNewRollout(options, { home, originator, providerId: config.provider.id, ...thread });
  }
}

/** A copy of another thread's history becomes part of the record of its own. */
function recordSeed(rollout: RolloutWriter, { history, baseline }: ThreadSeed): void {
  rollout.append([
    ...history.map((item) => ({ type: 'response_item', payload: item }) as const),
    ...(baseline === undefined ? [] : [{ type: 'turn_context', payload: baseline } as const]),
  ]);
}

function storedRecord({ rollout }: StoredThread, home: string): OpenedRollout {
  const { path } = rollout;
  return { rollout, path, readSeed: fileSeed(path, home) };
}

/** A structured source has its kind as its only key. */
function sourceName(source: JsonValue): string {
  if (typeof source === 'string') return source;
  return isJsonObject(source) ? (Object.keys(source)[0] ?? 'unknown') : 'unknown';
}

/** Of a thread that could not be opened. */
async function endRecording(beginning: Promise<ThreadRecording | undefined>, error: unknown): Promise<void> {
  const recording = await beginning.catch(() => undefined); // then it is what the opening failed with
  await recording?.failed(errorCode(error));
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'internal';
}
