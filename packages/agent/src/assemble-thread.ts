import { type CommandRunner, Thread, type ThreadPorts, type ThreadSeed, type ThreadSettings } from '@quire/core';
import { createFileDigests, createPatchFiles, createWorkTreeSnapshots, systemClock, systemEntropy } from '@quire/host';
import type { ModelClientObserver } from '@quire/model-client';
import type { ThreadId } from '@quire/protocol';
import { OpenThread } from './agent-thread.ts';
import type { ThreadOptions } from './api.ts';
import { commandEnvironment, programEnvironment } from './environment.ts';
import { observeFirstRequest } from './first-request.ts';
import type { Household } from './household.ts';
import { webSocketChoice } from './model-line.ts';
import type { OpenedRollout } from './new-rollout.ts';
import type { NoticeBoard } from './notice-board.ts';
import { type RefusalMemory, rememberRefusals } from './remember-refusals.ts';
import { SnapshotPruning } from './snapshot-pruning.ts';
import { type EquipmentOrder, equipThread, type ThreadEquipment } from './thread-equipment.ts';
import { threadFacts } from './thread-facts.ts';
import type { ThreadGround, ThreadSource } from './thread-ground.ts';
import type { TurnNotifier } from './turn-notifier.ts';

/** What was opened for a thread, and what it goes on from. */
export interface ThreadOrigin {
  readonly threadId: ThreadId;
  readonly record: OpenedRollout;
  readonly seed: ThreadSeed | undefined;
  readonly resumed: boolean;
  readonly warnings: readonly string[];
  /** What kind of side task it is, as the provider is told. */
  readonly subagent?: string;
  readonly runner: CommandRunner;
  readonly notices: NoticeBoard;
}

/** Puts a thread together from its parts. What was opened before stays the caller's when this rejects. */
export async function assembleThread(
  ground: ThreadGround,
  settings: ThreadSettings,
  origin: ThreadOrigin & { readonly household: Household; readonly opener: ThreadSource },
): Promise<OpenThread> {
  const { threadId, runner, seed, notices, household, opener } = origin;
  const { rollout, path: rolloutPath, readSeed } = origin.record;
  const { config, home } = ground.site;
  const { recording } = ground;
  const agents = ground.agents?.join(threadId, ground, notices.post);

  const webSocket = webSocketChoice(config, settings);
  const refusals = ground.options.ephemeral === true ? undefined : rememberRefusals(placeOfRefusals(ground, threadId));
  const observer = observerOf(ground, refusals);
  const line = observeFirstRequest(
    household.lines.open({
      config,
      credentials: ground.credentials,
      observer,
      threadId,
      webSocket,
      subagent: origin.subagent,
    }),
  );
  const { model } = line;
  if (ground.depth === 0) ground.models.refreshAfter(line.sent);
  let thread: Thread | undefined;
  const currentSettings = (): ThreadSettings => thread?.settings ?? settings;
  const equipment = await equip(household, ground, {
    threadId,
    settings,
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
  const notifier = await notifierOf(ground, { threadId, thread, client: household.lines.originator, notices });
  const facts = threadFacts(settings, {
    threadId,
    resumed: origin.resumed,
    config,
    forkedFrom: seed?.meta?.forked_from_id as ThreadId | undefined,
    rolloutPath,
    warnings: origin.warnings,
  });
  const pruning = snapshots === undefined ? undefined : new SnapshotPruning(snapshots, line.sent);
  const held = { model, runner, rollout, pruning, agents, notices, equipment, notifier, refusals };
  return new OpenThread(thread, facts, { ...held, opener, ground, readSeed });
}

function equip(
  { sandboxes, servers }: Household,
  { site, options, depth }: ThreadGround,
  thread: Pick<
    EquipmentOrder,
    'threadId' | 'settings' | 'notices' | 'rolloutPath' | 'firstRequest' | 'currentSettings'
  >,
): Promise<ThreadEquipment> {
  const { config, environment, home } = site;
  return equipThread({
    ...thread,
    config,
    home,
    // Questions are for the thread that a person talks to.
    options: depth === 0 ? options : withoutAnswers(options),
    environment: programEnvironment(environment, config.provider),
    commandEnvironment: commandEnvironment(environment, config),
    sandbox: sandboxes.for(config.allowedHosts),
    servers,
    clock: systemClock,
  });
}

/** Only the thread that a person talks to tells of its turns. */
async function notifierOf(
  { site, depth, secrets }: ThreadGround,
  {
    notices,
    ...parts
  }: { readonly threadId: ThreadId; readonly thread: Thread; readonly client: string; readonly notices: NoticeBoard },
): Promise<TurnNotifier | undefined> {
  const { notify: argv, provider } = site.config;
  if (argv === undefined || depth > 0) return undefined;
  const { TurnNotifier } = await import('./turn-notifier.ts');
  const environment = programEnvironment(site.environment, provider);
  return new TurnNotifier({ ...parts, argv, environment, secrets, onProblem: notices.post });
}

function withoutAnswers({ person, ...options }: ThreadOptions): ThreadOptions {
  if (person === undefined) return options;
  const { answer: _answer, ...others } = person;
  return { ...options, person: others };
}

function placeOfRefusals({ secrets, site }: ThreadGround, threadId: ThreadId): Parameters<typeof rememberRefusals>[0] {
  return { home: site.home, secrets, threadId, providerId: site.config.provider.id };
}

/** What exports hears of everything, and passes on what is kept. */
function observerOf({ recording }: ThreadGround, refusals: RefusalMemory | undefined): ModelClientObserver | undefined {
  recording?.observer.alsoTell(refusals?.observer);
  return recording?.observer ?? refusals?.observer;
}
