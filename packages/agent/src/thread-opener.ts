import { rm } from 'node:fs/promises';
import {
  type ModelPort,
  type RolloutWriter,
  resolveSettings,
  Thread,
  type ThreadPorts,
  type ThreadSeed,
  type ThreadSettings,
} from '@quire/core';
import {
  createCommandRunner,
  createFileDigests,
  createPatchFiles,
  createWorkTreeSnapshots,
  systemClock,
  systemEntropy,
} from '@quire/host';
import { isJsonObject, type JsonValue, type ThreadId } from '@quire/protocol';
import { type Config, isOssProviderId, type KnownValues } from '@quire/store';
import { AgentBudget } from './agent-budget.ts';
import { AgentError } from './agent-error.ts';
import { OpenThread } from './agent-thread.ts';
import type { QuireOptions, ThreadOptions, TurnOverrides } from './api.ts';
import { commandEnvironment, type Environment } from './environment.ts';
import { observeFirstRequest } from './first-request.ts';
import type { McpServersOfProgram } from './mcp-servers-of-program.ts';
import { type ModelLines, type WebSocketChoice, webSocketChoice } from './model-line.ts';
import type { ModelCatalogs } from './models/model-catalogs.ts';
import { ThreadModels } from './models/thread-models.ts';
import { fileSeed, type OpenedRollout, openNewRollout } from './new-rollout.ts';
import { NoticeBoard } from './notice-board.ts';
import { localDate, type PlaceReading, readPlace, resolveWorkingDirectory } from './place.ts';
import { rememberRefusals } from './remember-refusals.ts';
import type { Sandboxes } from './sandboxes.ts';
import type { KnownSecrets } from './secrets.ts';
import type { Site } from './site.ts';
import type { StoredThread } from './stored-thread.ts';
import type { TelemetryOfProgram } from './telemetry-of-program.ts';
import { type EquipmentOrder, equipThread, type ThreadEquipment } from './thread-equipment.ts';
import { openingNotices, threadFacts } from './thread-facts.ts';
import type { AgentsOfTree, ChildOptions, ThreadGround, ThreadSource } from './thread-ground.ts';
import type { ThreadRecording } from './thread-recording.ts';
import { resolveThreadSettings } from './thread-settings.ts';
import { changedChoices } from './turn-choices.ts';

/** What all threads of one program share. */
export interface Household {
  readonly options: QuireOptions;
  readonly environment: Environment;
  readonly lines: ModelLines;
  readonly catalogs: ModelCatalogs;
  readonly servers: McpServersOfProgram;
  readonly sandboxes: Sandboxes;
  readonly secrets: KnownSecrets;
  readonly telemetry: TelemetryOfProgram;
}

interface ThreadOrigin {
  readonly threadId: ThreadId;
  readonly record: OpenedRollout;
  readonly seed: ThreadSeed | undefined;
  readonly resumed: boolean;
  readonly warnings: readonly string[];
  /** What kind of side task it is, as the provider is told. */
  readonly subagent?: string;
}

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
    const runner = this.#runner(site.config, threadId);
    let record: OpenedRollout | undefined = stored === undefined ? undefined : storedRecord(stored, site.home);
    const secrets = this.secrets(site.config);
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
      const place = await this.#readPlace(site, options, runner.shell.name);
      const credentials = await this.#household.lines.credentials(site);
      // Asked before anything is written: a run that can not authorise itself leaves no trace.
      await this.#requireServer(site);
      models = await ThreadModels.open(this.#household.catalogs, site, { credentials, onWarning: notices.post });
      const settings = this.#settings(site.config, options, { place, models, stored });
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
      models?.close();
      record?.rollout.close();
      // Nobody knows of a fork that could not be opened.
      if (isFork && record?.path !== undefined) await rm(record.path, { force: true });
      await Promise.all([runner.close(), endRecording(beginning, error)]);
      throw error;
    }
  }

  async openChild(parent: ThreadGround, settings: ThreadSettings, child: ChildOptions): Promise<OpenThread> {
    const { site, options } = parent;
    const { source, agent, forkedFrom, stored, subagent } = child;
    const startedAtMs = systemClock.now();
    const threadId = stored?.threadId ?? (systemEntropy.uuid() as ThreadId);
    const runner = this.#runner(site.config, threadId);
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
  secrets(config: Config): KnownValues {
    const { environment, secrets } = this.#household;
    secrets.noteConfig(config, environment);
    return secrets.list;
  }

  currentSettings({ models }: ThreadGround, settings: ThreadSettings): ThreadSettings {
    const { environment } = settings;
    const currentDate = localDate(systemClock.now());
    const today =
      environment.currentDate === currentDate
        ? settings
        : { ...settings, environment: { ...environment, currentDate } };
    const model = models.describe(settings.model.slug);
    return model === settings.model ? today : resolveSettings({ ...today, model });
  }

  async changeSettings(
    ground: ThreadGround,
    settings: ThreadSettings,
    overrides: TurnOverrides,
  ): Promise<ThreadSettings> {
    const cwd =
      overrides.workingDirectory === undefined
        ? settings.cwd
        : await resolveWorkingDirectory(overrides.workingDirectory);
    const place =
      cwd === settings.cwd
        ? placeOf(settings)
        : await this.#placeAt({ ...ground.site, cwd }, settings.environment.shellName, ground.options);
    const options: ThreadOptions = {
      ...ground.options,
      model: overrides.model ?? settings.model.slug,
      sandboxMode: overrides.sandboxMode ?? settings.sandbox.mode,
    };
    const resolved = resolveThreadSettings(ground.site.config, options, {
      place,
      processEnvironment: this.#household.environment,
      models: ground.models,
      storedInstructions: settings.baseInstructions,
      storedContext: undefined,
    });
    return resolveSettings({
      ...resolved,
      choices: changedChoices(settings.choices, overrides, { configured: resolved.choices }),
      baseInstructions: settings.baseInstructions,
      bakedPersonality: settings.bakedPersonality,
      approvalPolicy: overrides.approvalPolicy ?? settings.approvalPolicy,
      collaborationMode:
        overrides.collaborationMode === undefined
          ? settings.collaborationMode
          : { mode: overrides.collaborationMode.mode, instructions: overrides.collaborationMode.instructions },
    });
  }

  async #assemble(
    ground: ThreadGround,
    settings: ThreadSettings,
    origin: ThreadOrigin & { readonly runner: ReturnType<typeof createCommandRunner>; readonly notices: NoticeBoard },
  ): Promise<OpenThread> {
    const { threadId, runner, seed, notices } = origin;
    const { rollout, path: rolloutPath, readSeed } = origin.record;
    const { config, home } = ground.site;
    const { recording } = ground;
    const agents = ground.agents?.join(threadId, ground, notices.post);

    const webSocket = webSocketChoice(config, settings);
    const line = observeFirstRequest(this.#openLine(ground, { threadId, webSocket, subagent: origin.subagent }));
    const { model } = line;
    if (ground.depth === 0) ground.models.refreshAfter(line.sent);
    let thread: Thread | undefined;
    const currentSettings = (): ThreadSettings => thread?.settings ?? settings;
    const equipment = await this.#equip(ground, settings, {
      threadId,
      notices,
      rolloutPath,
      firstRequest: line.sent,
      currentSettings,
    });
    const snapshots = config.features['undo'] === true ? createWorkTreeSnapshots({ home }) : undefined;
    const ports: ThreadPorts = {
      ...equipment.ports,
      model,
      runner,
      rollout,
      files: createPatchFiles(),
      digests: createFileDigests(),
      ...(snapshots === undefined ? {} : { snapshots }),
      clock: systemClock,
      entropy: systemEntropy,
      budget: ground.budget,
      ...(recording === undefined ? {} : { telemetry: recording.telemetry }),
      models: ground.models,
      toldNotes: ground.toldNotes,
      ...(agents === undefined ? {} : { agentTools: agents.tools }),
    };
    thread = new Thread({ id: threadId, settings, ports, seed });
    recording?.opened({
      currentSettings,
      credentials: await ground.credentials.current({ signal: ground.site.signal }),
      account: () => ground.credentials.account,
      isResumed: origin.resumed,
      onProblem: notices.post,
    });
    agents?.attach(thread);
    if (webSocket !== 'off') thread.warmUp();
    return new OpenThread(
      thread,
      threadFacts(settings, {
        threadId,
        resumed: origin.resumed,
        providerId: config.provider.id,
        forkedFrom: seed?.meta?.forked_from_id as ThreadId | undefined,
        rolloutPath,
        warnings: origin.warnings,
      }),
      {
        model,
        runner,
        rollout,
        snapshots,
        agents,
        notices,
        equipment,
        opener: this,
        ground,
        readSeed,
      },
    );
  }

  #equip(
    { site, options, depth }: ThreadGround,
    settings: ThreadSettings,
    thread: Pick<EquipmentOrder, 'threadId' | 'notices' | 'rolloutPath' | 'firstRequest' | 'currentSettings'>,
  ): Promise<ThreadEquipment> {
    const { environment, sandboxes, servers } = this.#household;
    const { config, home } = site;
    const sandbox = sandboxes.for(config.allowedHosts);
    return equipThread({
      ...thread,
      config,
      home,
      // Questions are for the thread that a person talks to.
      options: depth === 0 ? options : withoutAnswers(options),
      settings,
      environment: commandEnvironment(environment, config.provider),
      sandbox,
      servers,
      clock: systemClock,
    });
  }

  async #plantTree(config: Config): Promise<AgentsOfTree | undefined> {
    const { features } = config;
    if ((features['multi_agent'] ?? features['collab']) !== true) return undefined;
    const { AgentTree } = await import('./agent-tree.ts');
    return AgentTree.create(config, this);
  }

  async #requireServer({ config, signal }: Site): Promise<void> {
    if (!isOssProviderId(config.provider.id)) return;
    const { requireLocalServer } = await import('./local-server.ts');
    await requireLocalServer(config.provider, { environment: this.#household.environment, signal });
  }

  #openLine(
    ground: ThreadGround,
    thread: { readonly threadId: ThreadId; readonly webSocket: WebSocketChoice; readonly subagent: string | undefined },
  ): ModelPort {
    const { credentials, options, recording, secrets, site } = ground;
    const { config, home } = site;
    const place = { home, secrets, threadId: thread.threadId, providerId: config.provider.id };
    const refusals = options.ephemeral === true ? undefined : rememberRefusals(place);
    recording?.observer.alsoTell(refusals);
    const observer = recording?.observer ?? refusals;
    return this.#household.lines.open({ config, credentials, observer, ...thread });
  }

  #runner(config: Config, threadId: ThreadId): ReturnType<typeof createCommandRunner> {
    const environment = commandEnvironment(this.#household.environment, config.provider);
    const sandbox = this.#household.sandboxes.for(config.allowedHosts);
    return createCommandRunner({ threadId, environment, sandbox });
  }

  async #readPlace(site: Site, options: ThreadOptions, shellName: string): Promise<PlaceReading> {
    const place = await this.#placeAt(site, shellName, options);
    if (place.environment.git !== undefined || options.skipGitRepoCheck === true) return place;
    throw new AgentError(
      'not-a-repository',
      `${site.cwd} is not inside a git repository; run \`git init\`, choose another with -C, or pass --skip-git-repo-check`,
    );
  }

  #placeAt(site: Site, shellName: string, options: ThreadOptions): Promise<PlaceReading> {
    return readPlace({
      ...site,
      shellName,
      otherRoots: options.additionalDirectories ?? [],
      processEnvironment: this.#household.environment,
      nowMs: systemClock.now(),
    });
  }

  #settings(
    config: Config,
    options: ThreadOptions,
    known: {
      readonly place: PlaceReading;
      readonly models: ThreadModels;
      readonly stored: StoredThread | undefined;
    },
  ): ThreadSettings {
    const { place, models, stored } = known;
    return resolveThreadSettings(config, options, {
      place,
      models,
      processEnvironment: this.#household.environment,
      storedInstructions: stored?.seed.meta?.base_instructions?.text,
      storedContext: stored?.seed.previousContext ?? stored?.seed.baseline,
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

function withoutAnswers({ person, ...options }: ThreadOptions): ThreadOptions {
  if (person === undefined) return options;
  const { answer: _answer, ...others } = person;
  return { ...options, person: others };
}

function placeOf(settings: ThreadSettings): PlaceReading {
  const { cwd, environment, projectInstructions } = settings;
  return { cwd, environment, projectInstructions, notices: [] };
}
