import { readFileSync, statSync, truncateSync } from 'node:fs';
import { promptItems, Thread, type ThreadSeed, type ThreadSettings } from '@quire/core';
import { systemClock, systemEntropy } from '@quire/host';
import { createModelClient } from '@quire/model-client';
import {
  isJsonObject,
  type JsonObject,
  type ModelProvider,
  type ResponseItem,
  type ThreadEvent,
  type ThreadId,
  type TurnOutcome,
} from '@quire/protocol';
import { createRollout, forkRollout, openRollout, type RolloutFile } from '@quire/store';
import { GOOD_COMPACTIONS, hasShortDeadline, LaneScript } from './lane-script.ts';
import { forgetfulFiles, MarkingRunner } from './marking-runner.ts';
import type { CompactionPlan, SettingChange, TurnPlan } from './operation.ts';
import type { PlannedProvider } from './planned-provider.ts';
import {
  CLOCK_SPEED,
  describeModel,
  FIRST_SETTINGS,
  LONG_DEADLINE_MS,
  MODELS,
  SHORT_DEADLINE_MS,
} from './sequence-models.ts';
import { linesFrom, readSeed } from './stored-line.ts';
import { type Happening, marksOf, Truth } from './truth.ts';

/** What the threads of one sequence share. */
export interface Stage {
  readonly provider: PlannedProvider;
  readonly home: string;
  /** Gives a number that no mark has yet. */
  readonly nextNumber: () => number;
  /** Defects to keep away from. */
  /** Notes that something was tried, so that a test can tell what its sequences reached. */
  readonly count: (what: string) => void;
}

interface Opened {
  readonly thread: Thread;
  readonly rollout: RolloutFile;
  readonly close: () => void;
}

interface TaskHandles {
  readonly signal: AbortSignal;
  readonly onEvent: (event: ThreadEvent) => void;
}

const META = { cwd: '/repo', originator: 'test', cli_version: '0', source: 'exec', model_provider: 'test' } as const;
const NEVER = new AbortController().signal;
/** A task that takes longer hangs. */
const LONGEST_TASK_MS = 20_000;
const CLOCK = {
  now: systemClock.now,
  sleep: (ms: number, options: { readonly signal: AbortSignal }) => systemClock.sleep(ms / CLOCK_SPEED, options),
};

/** One thread with its file, and the script and the truth that go with it. */
export class Lane {
  readonly script: LaneScript;
  readonly #stage: Stage;
  readonly #threadId = systemEntropy.uuid() as ThreadId;
  #settings: ThreadSettings;
  #opened: Opened | undefined;
  #stop = new AbortController();
  #isUnfinished = false;

  private constructor(stage: Stage, settings: ThreadSettings, truth: Truth) {
    this.#stage = stage;
    this.#settings = settings;
    this.script = new LaneScript({
      truth,
      nextNumber: stage.nextNumber,
      count: stage.count,
      steer: (input) => this.#thread.steer(input),
      stop: () => this.#interrupt(),
    });
  }

  static async start(stage: Stage): Promise<Lane> {
    const lane = new Lane(stage, FIRST_SETTINGS, new Truth());
    const rollout = await createRollout({
      home: stage.home,
      threadId: lane.#threadId,
      meta: { ...META, base_instructions: { text: FIRST_SETTINGS.baseInstructions } },
      now: systemClock.now,
    });
    lane.#open(rollout, /* seed */ undefined);
    return lane;
  }

  async runTurn(wanted: TurnPlan, compaction: CompactionPlan = GOOD_COMPACTIONS): Promise<void> {
    const turn = wanted;
    this.#useSettings(changed(this.#settings, turn, compaction));
    this.script.begin({ turn, compaction, isFree: this.#settings.sandbox.mode === 'danger-full-access' });
    const input = this.script.input(turn);
    const outcome = await this.#run((handles) =>
      this.#thread.runTurn({ ...handles, input, outputSchema: undefined, settings: this.#settings }),
    );
    this.#judge(outcome, { mayBeInterrupted: turn.end !== 'text' });
    if (this.script.undoRefusals()) this.#expectRewrite();
    await this.#compareWithDisk();
  }

  async compact(compaction: CompactionPlan, options: { readonly interrupts: boolean }): Promise<void> {
    // Which ways there are is a setting, and a thread that is opened has them.
    this.#settings = withStrategies(this.#settings, compaction);
    await this.#reopen();
    this.script.begin({ compaction, interruptsCompaction: options.interrupts });
    const outcome = await this.#run((handles) => this.#thread.compact(handles));
    this.#judge(outcome, { mayBeInterrupted: options.interrupts });
    await this.#compareWithDisk();
  }

  async runShell(): Promise<void> {
    this.script.begin({});
    const id = this.#stage.nextNumber();
    const outcome = await this.#run((handles) => this.#thread.runShell({ ...handles, script: `echo [S${id}]` }));
    this.script.note({ kind: 'add', mark: { kind: 'shell', id, isLost: false } });
    this.#judge(outcome, { mayBeInterrupted: false });
    await this.#compareWithDisk();
  }

  /** As the agent does it: after a rollback the file says what is left. */
  async rollBack(turns: number): Promise<void> {
    const { truth } = this.script;
    if (turns < 1) return;
    const hasTurn = truth.saidCount > 0;
    const isCut = await this.#thread.rollBack(turns, async () => (await readSeed(this.#path, this.#stage.home)).seed);
    if (isCut !== hasTurn) this.script.problems.push(`rolling ${turns} turns back said ${isCut}, not ${hasTurn}`);
    if (!isCut) return;
    this.#stage.count('rolled back');
    truth.rollBack(turns);
    this.#expectRewrite();
  }

  async resume(): Promise<void> {
    this.#stage.count('resumed');
    await this.#reopen();
  }

  /** The fork, which takes the place of this thread. */
  async fork(before: number | undefined): Promise<Lane> {
    this.#stage.count(before === undefined ? 'forked whole' : 'forked before a message');
    const { home } = this.#stage;
    const bytes = readFileSync(this.#path);
    const child = new Lane(this.#stage, this.#settings, this.script.truth.fork(before));
    const rollout = await forkRollout({
      home,
      source: this.#path,
      threadId: child.#threadId,
      meta: META,
      now: systemClock.now,
      signal: NEVER,
      ...(before === undefined ? {} : { beforeUserMessage: before }),
    });
    const { seed } = await readSeed(rollout.path, home);
    child.script.problems.push(...this.script.problems);
    // A turn that did not end is told to the fork as one that was stopped.
    if (before === undefined && !this.#isUnfinished) child.#compare('the fork', this.#thread.history, seed.history);
    if (!readFileSync(this.#path).equals(bytes)) child.script.problems.push('forking changed the parent');
    child.#open(rollout, seed);
    this.close();
    return child;
  }

  /** What the process wrote in the turn is there up to one place, `at` thousandths of it, perhaps inside a line. */
  async crash(turn: TurnPlan, at: number): Promise<void> {
    this.#stage.count('crashed');
    const path = this.#path;
    const start = statSync(path).size;
    await this.runTurn(turn);
    this.close();
    const end = statSync(path).size;
    truncateSync(path, start + Math.floor(((end - start) * at) / 1000));
    const rollout = await openRollout(path, { now: systemClock.now });
    this.#isUnfinished = true;
    this.script.truth.crash(survivors(linesFrom(path, start)));
    this.#open(rollout, (await readSeed(path, this.#stage.home)).seed);
    this.#expectRewrite();
  }

  close(): void {
    this.#stage.provider.forget(this.#threadId);
    this.#opened?.close();
    this.#opened = undefined;
  }

  get #thread(): Thread {
    if (this.#opened === undefined) throw new Error('the thread is not open');
    return this.#opened.thread;
  }

  get #path(): string {
    if (this.#opened === undefined) throw new Error('the thread is not open');
    return this.#opened.rollout.path;
  }

  #open(rollout: RolloutFile, seed: ThreadSeed | undefined): void {
    const { provider } = this.#stage;
    const model = createModelClient({
      provider: providerAt(provider.simulator.url),
      credentials: { current: async () => ({ kind: 'none' }) },
      threadId: this.#threadId,
      originator: 'test',
      clientVersion: '0',
      userAgent: 'test',
      clock: CLOCK,
      entropy: systemEntropy,
      environment: {},
    });
    const thread = new Thread({
      id: this.#threadId,
      settings: this.#settings,
      ports: {
        model,
        runner: new MarkingRunner({ onHang: () => this.#interrupt() }),
        files: forgetfulFiles,
        rollout,
        clock: CLOCK,
        entropy: systemEntropy,
        models: { describe: describeModel, noteEtag: () => undefined },
      },
      seed,
    });
    provider.serve(this.#threadId, this.script);
    this.#opened = {
      thread,
      rollout,
      close: () => {
        model.close();
        rollout.close();
      },
    };
  }

  async #reopen(): Promise<void> {
    const { home } = this.#stage;
    const before = this.#thread.history;
    const path = this.#path;
    this.close();
    const rollout = await openRollout(path, { now: systemClock.now });
    const { seed } = await readSeed(path, home);
    this.#compare('the resumed thread', before, seed.history);
    this.#open(rollout, seed);
  }

  #useSettings(settings: ThreadSettings): void {
    if (settings !== this.#settings) this.script.expectContext();
    this.#settings = settings;
  }

  async #run(work: (handles: TaskHandles) => Promise<TurnOutcome>): Promise<TurnOutcome> {
    const { script } = this;
    this.#stop = new AbortController();
    this.#isUnfinished = false;
    const hangs = setTimeout(() => {
      script.problems.push(`a task was not done after ${LONGEST_TASK_MS} ms`);
      this.#interrupt();
    }, LONGEST_TASK_MS);
    let ends = 0;
    const onEvent = (event: ThreadEvent): void => {
      if (ends > 0) script.problems.push(`the event ${event.kind} came after the end of the turn`);
      if (event.kind === 'turn-end') ends += 1;
      this.#followEvent(event);
    };
    try {
      const outcome = await work({ signal: this.#stop.signal, onEvent });
      if (ends !== 1) script.problems.push(`a task had ${ends} ends`);
      return outcome;
    } finally {
      clearTimeout(hangs);
    }
  }

  #followEvent(event: ThreadEvent): void {
    if (event.kind !== 'item-end') return;
    const { item } = event;
    if (item.kind === 'user-message') {
      const [mark] = marksOf([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: item.text }] }]);
      if (mark !== undefined) this.script.note({ kind: 'add', mark });
    } else if (item.kind === 'context-compaction') {
      this.#stage.count(`compacted by ${item.strategy}`);
      this.script.noteCompaction(item.strategy);
      this.#expectRewrite();
    } else if (item.kind === 'agent-message' && this.script.isStoppedBy(item.text)) this.#interrupt();
  }

  #interrupt(): void {
    this.#stop.abort(new Error('interrupted by the test'));
  }

  #judge(outcome: TurnOutcome, { mayBeInterrupted }: { readonly mayBeInterrupted: boolean }): void {
    if (this.script.mustFail && outcome.kind === 'failed' && outcome.failure.code === 'invalid-request') return;
    if (outcome.kind === 'completed' && !this.script.mustFail) return;
    if (outcome.kind === 'interrupted' && mayBeInterrupted) return;
    if (outcome.kind === 'failed' && /^compaction/.test(outcome.failure.code)) {
      this.#stage.count(`failed by ${outcome.failure.code}`);
      return;
    }
    this.script.problems.push(`a task ended with ${JSON.stringify(outcome)}`);
  }

  /** At any time a resume would find what the thread knows. */
  async #compareWithDisk(): Promise<void> {
    const { seed } = await readSeed(this.#path, this.#stage.home);
    this.#compare('the file', this.#thread.history, seed.history);
  }

  #compare(what: string, live: readonly ResponseItem[], stored: readonly ResponseItem[]): void {
    const [known, read] = [live, stored].map((items) => promptItems(items).map((item) => JSON.stringify(item)));
    const index = known?.findIndex((item, place) => item !== read?.[place]) ?? -1;
    if (index < 0 && known?.length === read?.length) return;
    const place = index < 0 ? (known?.length ?? 0) : index;
    this.script.problems.push(
      `${what} holds another history, from item ${place} on:\nlive   ${known?.slice(place).map(short).join('\n       ')}\nstored ${read?.slice(place).map(short).join('\n       ')}`,
    );
  }

  #expectRewrite(): void {
    this.script.expectContext();
    this.#stage.provider.simulator.allowRewriteOnce(this.#threadId);
  }
}

function short(json: string): string {
  return json.length > 160 ? `${json.slice(0, 160)}…` : json;
}

function providerAt(baseUrl: string): ModelProvider {
  return {
    id: 'test',
    name: 'Test',
    baseUrl,
    envKey: undefined,
    envKeyInstructions: undefined,
    bearerToken: undefined,
    queryParams: {},
    httpHeaders: {},
    envHttpHeaders: {},
    requestMaxRetries: 2,
    streamMaxRetries: 5,
    streamIdleTimeoutMs: 300_000,
    requiresOpenaiAuth: false,
  };
}

function withStrategies(settings: ThreadSettings, plan: CompactionPlan): ThreadSettings {
  const deadlineMs = hasShortDeadline(plan) ? SHORT_DEADLINE_MS : LONG_DEADLINE_MS;
  return { ...settings, compaction: { ...settings.compaction, strategies: plan.strategies, deadlineMs } };
}

/** The very same settings when nothing that the model is told changes. */
function changed(settings: ThreadSettings, { model, change }: TurnPlan, compaction: CompactionPlan): ThreadSettings {
  const isSame = change === undefined && (model === undefined || MODELS[model].slug === settings.model.slug);
  const next = withStrategies(settings, compaction);
  const { strategies, deadlineMs } = next.compaction;
  const before = settings.compaction;
  if (isSame && before.strategies === strategies && before.deadlineMs === deadlineMs) return settings;
  return { ...next, ...(model === undefined ? {} : { model: MODELS[model] }), ...CHANGES[change ?? 'nothing'](next) };
}

const CHANGES: Readonly<Record<SettingChange | 'nothing', (settings: ThreadSettings) => Partial<ThreadSettings>>> = {
  nothing: () => ({}),
  effort: ({ reasoningEffort }) => ({ reasoningEffort: reasoningEffort === 'high' ? 'low' : 'high' }),
  cwd: ({ cwd }) => ({ cwd: cwd === '/repo' ? '/repo/part' : '/repo' }),
  personality: ({ personality }) => ({ personality: personality === 'friendly' ? 'pragmatic' : 'friendly' }),
  mode: ({ collaborationMode }) => ({
    collaborationMode: collaborationMode?.mode === 'plan' ? undefined : { mode: 'plan', instructions: 'Plan first.' },
  }),
  sandbox: ({ sandbox }) => ({
    sandbox: { ...sandbox, mode: sandbox.mode === 'read-only' ? 'danger-full-access' : 'read-only' },
  }),
  approval: ({ approvalPolicy }) => ({ approvalPolicy: approvalPolicy === 'never' ? 'on-request' : 'never' }),
  date: ({ environment }) => ({
    environment: {
      ...environment,
      currentDate: environment.currentDate === '2026-01-02' ? '2026-01-03' : '2026-01-02',
    },
  }),
};

function itemsOf(lines: readonly JsonObject[]): readonly JsonObject[] {
  return lines.flatMap(({ type, payload }) => (type === 'response_item' && isJsonObject(payload) ? [payload] : []));
}

/** Tells which of the things that happened in a task are in the lines that it left. */
export function survivors(lines: readonly JsonObject[]): (happening: Happening) => Happening | undefined {
  const left = new Set(marksOf(itemsOf(lines)).map(({ kind, id }) => `${kind} ${id}`));
  let compactedLines = lines.filter(({ type }) => type === 'compacted').length;
  let isMending = false;
  return (happening) => {
    if (happening.kind !== 'add') {
      // What was refused one after the other is written down together, when a request has gone through.
      const isMore = isMending && happening.kind !== 'compact';
      if (!isMore) compactedLines -= 1;
      isMending = happening.kind !== 'compact';
      return compactedLines >= 0 ? happening : undefined;
    }
    isMending = false;
    const { mark } = happening;
    if (left.has(`${mark.kind} ${mark.id}`)) return happening;
    // A call that is there is answered, whatever became of its output.
    const isAnswered = mark.kind === 'output' && left.has(`call ${mark.id}`);
    return isAnswered ? { kind: 'add', mark: { ...mark, isLost: true } } : undefined;
  };
}
