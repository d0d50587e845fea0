import { rm } from 'node:fs/promises';
import {
  type ModelPort,
  type RolloutWriter,
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
import type { ThreadId } from '@quire/protocol';
import type { Config } from '@quire/store';
import { AgentBudget } from './agent-budget.ts';
import { AgentError } from './agent-error.ts';
import { OpenThread } from './agent-thread.ts';
import type { QuireOptions, ThreadOptions, TurnOverrides } from './api.ts';
import { commandEnvironment, type Environment } from './environment.ts';
import { observeFirstRequest } from './first-request.ts';
import type { McpServersOfProgram } from './mcp-servers-of-program.ts';
import { type ModelLines, type WebSocketChoice, webSocketChoice } from './model-line.ts';
import { fileSeed, type OpenedRollout, openNewRollout } from './new-rollout.ts';
import { NoticeBoard } from './notice-board.ts';
import { localDate, type PlaceReading, readPlace, resolveWorkingDirectory } from './place.ts';
import type { Sandboxes } from './sandboxes.ts';
import { configuredSecrets, knownSecrets } from './secrets.ts';
import type { Site } from './site.ts';
import type { StoredThread } from './stored-thread.ts';
import { type EquipmentOrder, equipThread, type ThreadEquipment } from './thread-equipment.ts';
import { openingNotices, threadFacts } from './thread-facts.ts';
import type { AgentsOfTree, ChildOptions, ThreadGround, ThreadSource } from './thread-ground.ts';
import { modelInfo, resolveThreadSettings } from './thread-settings.ts';

/** What all threads of one program share. */
export interface Household {
  readonly options: QuireOptions;
  readonly environment: Environment;
  readonly lines: ModelLines;
  readonly servers: McpServersOfProgram;
  readonly sandboxes: Sandboxes;
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
    const threadId = stored?.threadId ?? (systemEntropy.uuid() as ThreadId);
    const runner = this.#runner(site.config, threadId);
    let record: OpenedRollout | undefined = stored === undefined ? undefined : storedRecord(stored, site.home);
    try {
      const place = await this.#readPlace(site, options, runner.shell.name);
      const credentials = await this.#household.lines.credentials(site);
      // Asked before anything is written: a run that can not authorise itself leaves no trace.
      await credentials.current({ signal: site.signal });
      const secrets = this.secrets(site.config);
      const settings = this.#settings(site.config, options, { place, stored });
      site.signal.throwIfAborted();
      record ??= await this.#newRollout(site, options, { threadId, settings, secrets });
      const ground: ThreadGround = {
        site,
        options,
        credentials,
        secrets,
        budget: new AgentBudget(site.config, systemClock),
        depth: 0,
        agents: await this.#plantTree(site.config),
      };
      const warnings = [
        ...site.config.warnings,
        ...place.notices,
        ...(stored?.warnings ?? []),
        ...openingNotices(settings, { config: site.config, options, stored }),
      ];
      const origin = {
        threadId,
        record,
        seed: stored?.seed,
        resumed: stored !== undefined && !isFork,
        warnings,
      };
      return await this.#assemble(ground, settings, { ...origin, runner });
    } catch (error) {
      record?.rollout.close();
      // Nobody knows of a fork that could not be opened.
      if (isFork && record?.path !== undefined) await rm(record.path, { force: true });
      await runner.close();
      throw error;
    }
  }

  async openChild(parent: ThreadGround, settings: ThreadSettings, child: ChildOptions): Promise<OpenThread> {
    const { site, options } = parent;
    const { source, agent, forkedFrom, stored, subagent } = child;
    const threadId = stored?.threadId ?? (systemEntropy.uuid() as ThreadId);
    const runner = this.#runner(site.config, threadId);
    let record: OpenedRollout | undefined = stored === undefined ? undefined : storedRecord(stored, site.home);
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
      const ground = { ...parent, depth: parent.depth + 1, agents: child.agents };
      return await this.#assemble(ground, settings, { ...origin, runner });
    } catch (error) {
      record?.rollout.close();
      await runner.close();
      throw error;
    }
  }

  /** Values that must not reach the disk. Stored logins are known by their shape. */
  secrets(config: Config): readonly string[] {
    const { environment, options } = this.#household;
    return knownSecrets(environment, [options.apiKey, ...configuredSecrets(config, environment)]);
  }

  withToday(settings: ThreadSettings): ThreadSettings {
    const { environment } = settings;
    const currentDate = localDate(systemClock.now());
    return environment.currentDate === currentDate
      ? settings
      : { ...settings, environment: { ...environment, currentDate } };
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
      storedInstructions: settings.baseInstructions,
      storedContext: undefined,
    });
    return {
      ...resolved,
      baseInstructions: settings.baseInstructions,
      bakedPersonality: settings.bakedPersonality,
      approvalPolicy: overrides.approvalPolicy ?? settings.approvalPolicy,
      reasoningEffort:
        overrides.reasoningEffort ??
        (overrides.model === undefined ? settings.reasoningEffort : resolved.reasoningEffort),
      personality: overrides.personality ?? settings.personality,
      collaborationMode:
        overrides.collaborationMode === undefined
          ? settings.collaborationMode
          : { mode: overrides.collaborationMode.mode, instructions: overrides.collaborationMode.instructions },
    };
  }

  async #assemble(
    ground: ThreadGround,
    settings: ThreadSettings,
    origin: ThreadOrigin & { readonly runner: ReturnType<typeof createCommandRunner> },
  ): Promise<OpenThread> {
    const { threadId, runner, seed } = origin;
    const { rollout, path: rolloutPath, readSeed } = origin.record;
    const { config, home } = ground.site;
    const notices = new NoticeBoard();
    const agents = ground.agents?.join(threadId, ground, notices.post);

    const webSocket = webSocketChoice(config, settings);
    const line = observeFirstRequest(this.#openLine(ground, { threadId, webSocket, subagent: origin.subagent }));
    const { model } = line;
    let thread: Thread | undefined;
    const equipment = await this.#equip(ground, settings, {
      threadId,
      notices,
      rolloutPath,
      firstRequest: line.sent,
      currentSettings: () => thread?.settings ?? settings,
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
      describeModel: (slug) => modelInfo(config, slug),
      ...(agents === undefined ? {} : { agentTools: agents.tools }),
    };
    thread = new Thread({ id: threadId, settings, ports, seed });
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

  #openLine(
    ground: ThreadGround,
    thread: { readonly threadId: ThreadId; readonly webSocket: WebSocketChoice; readonly subagent: string | undefined },
  ): ModelPort {
    const { credentials, site } = ground;
    return this.#household.lines.open({ config: site.config, credentials, ...thread });
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
    known: { readonly place: PlaceReading; readonly stored: StoredThread | undefined },
  ): ThreadSettings {
    const { place, stored } = known;
    return resolveThreadSettings(config, options, {
      place,
      processEnvironment: this.#household.environment,
      storedInstructions: stored?.seed.meta?.base_instructions?.text,
      storedContext: stored?.seed.previousContext ?? stored?.seed.baseline,
    });
  }

  #newRollout(
    { home, config }: Site,
    options: Parameters<typeof openNewRollout>[0],
    thread: { readonly threadId: ThreadId; readonly settings: ThreadSettings; readonly secrets: readonly string[] },
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

function withoutAnswers({ person, ...options }: ThreadOptions): ThreadOptions {
  if (person === undefined) return options;
  const { answer: _answer, ...others } = person;
  return { ...options, person: others };
}

function placeOf(settings: ThreadSettings): PlaceReading {
  const { cwd, environment, projectInstructions } = settings;
  return { cwd, environment, projectInstructions, notices: [] };
}
