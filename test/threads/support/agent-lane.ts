import { readFileSync, statSync, truncateSync } from 'node:fs';
import type { AgentThread, Quire } from '@quire/agent';
import type { ThreadEvent, TurnOutcome } from '@quire/protocol';
import type { Stage } from './lane.ts';
import { survivors } from './lane.ts';
import { LaneScript } from './lane-script.ts';
import type { CompactionPlan, Operation, ToolKind, TurnPlan } from './operation.ts';
import { linesFrom } from './stored-line.ts';
import { marksOf, Truth } from './truth.ts';

/** One thread through the agent, with real processes, files and settings. */
export class AgentLane {
  readonly script: LaneScript;
  readonly #stage: Stage;
  readonly #quire: Quire;
  readonly #folder: string;
  #thread: AgentThread | undefined;
  #stop = new AbortController();

  constructor(stage: Stage, parts: { readonly quire: Quire; readonly folder: string; readonly truth?: Truth }) {
    this.#stage = stage;
    this.#quire = parts.quire;
    this.#folder = parts.folder;
    this.script = new LaneScript({
      truth: parts.truth ?? new Truth(),
      nextNumber: stage.nextNumber,
      count: stage.count,
      steer: (input) => this.#opened.steer(input),
      stop: () => this.#stop.abort(new Error('interrupted by the test')),
    });
  }

  async play(operation: Exclude<Operation, { op: 'both' }>): Promise<AgentLane> {
    if (this.#thread === undefined) this.#use(await this.#quire.startThread(this.#options));
    switch (operation.op) {
      case 'turn':
        await this.#runTurn(operation.turn, operation.compaction);
        return this;
      case 'crash':
        await this.#crash(operation.turn, operation.at);
        return this;
      case 'compact':
        this.script.begin({ compaction: operation.compaction, interruptsCompaction: operation.interrupts });
        await this.#run({ task: 'compact' }, { mayBeInterrupted: operation.interrupts });
        return this;
      case 'rollback':
        await this.#rollBack(operation.turns);
        return this;
      case 'fork':
        return this.#fork(operation.before);
      case 'resume':
        await this.#reopen();
        return this;
      case 'shell':
        await this.#runShell();
        return this;
    }
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    if (thread === undefined) return;
    await thread.close();
    this.#stage.provider.forget(thread.facts.threadId);
  }

  get #options(): { readonly workingDirectory: string; readonly sandboxMode: 'danger-full-access' } {
    return { workingDirectory: this.#folder, sandboxMode: 'danger-full-access' };
  }

  get #opened(): AgentThread {
    if (this.#thread === undefined) throw new Error('the thread is not open');
    return this.#thread;
  }

  get #path(): string {
    return this.#opened.facts.rolloutPath ?? '';
  }

  #use(thread: AgentThread): void {
    this.#thread = thread;
    this.#stage.provider.serve(thread.facts.threadId, this.script);
  }

  async #runTurn(plan: TurnPlan, compaction?: CompactionPlan): Promise<void> {
    const turn = withRealTools(plan);
    const { change } = turn;
    if (change !== undefined) this.script.expectContext();
    this.script.begin({ turn, ...(compaction === undefined ? {} : { compaction }) });
    const overrides =
      change === 'effort'
        ? ({ reasoningEffort: 'high' } as const)
        : change === 'mode'
          ? ({ collaborationMode: { mode: 'plan', instructions: 'Plan first.' } } as const)
          : undefined;
    await this.#run(this.script.input(turn), {
      mayBeInterrupted: turn.end !== 'text',
      ...(overrides === undefined ? {} : { overrides }),
    });
  }

  async #runShell(): Promise<void> {
    this.script.begin({});
    const id = this.#stage.nextNumber();
    await this.#run({ task: 'shell', script: `echo '[S${id}]'` }, { mayBeInterrupted: false });
    this.script.note({ kind: 'add', mark: { kind: 'shell', id, isLost: false } });
  }

  async #run(
    submission: Parameters<AgentThread['runPushed']>[0],
    options: { readonly mayBeInterrupted: boolean; readonly overrides?: object },
  ): Promise<void> {
    const { problems } = this.script;
    this.#stop = new AbortController();
    let outcome: TurnOutcome | undefined;
    let ends = 0;
    await this.#opened.runPushed(submission, {
      signal: this.#stop.signal,
      ...(options.overrides === undefined ? {} : { overrides: options.overrides }),
      onEvent: (event) => {
        if (event.kind === 'turn-end') {
          ends += 1;
          outcome = event.outcome;
        }
        this.#follow(event);
      },
    });
    if (ends !== 1) problems.push(`a task had ${ends} ends`);
    if (this.script.undoRefusals()) this.#expectRewrite();
    if (outcome?.kind === 'failed' && /^compaction/.test(outcome.failure.code)) return;
    if (this.script.mustFail && outcome?.kind === 'failed' && outcome.failure.code === 'invalid-request') return;
    if (
      this.script.mustFail ||
      outcome?.kind === 'failed' ||
      (outcome?.kind === 'interrupted' && !options.mayBeInterrupted)
    ) {
      problems.push(`a task ended with ${JSON.stringify(outcome)}`);
    }
  }

  #follow(event: ThreadEvent): void {
    if (event.kind !== 'item-end') return;
    const { item } = event;
    if (item.kind === 'user-message') {
      const [mark] = marksOf([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: item.text }] }]);
      if (mark !== undefined) this.script.note({ kind: 'add', mark });
    } else if (item.kind === 'context-compaction') {
      this.#stage.count(`compacted by ${item.strategy}`);
      this.script.noteCompaction(item.strategy);
      this.#expectRewrite();
    } else if (item.kind === 'agent-message' && this.script.isStoppedBy(item.text)) {
      this.#stop.abort(new Error('interrupted by the test'));
    }
  }

  async #rollBack(wanted: number): Promise<void> {
    const { truth } = this.script;
    const turns = Math.min(wanted, truth.turnCount);
    if (turns < 1) return;
    this.#stage.count('rolled back');
    truth.rollBack(turns);
    await this.#opened.rollBack(turns);
    this.#expectRewrite();
  }

  async #fork(before: number | undefined): Promise<AgentLane> {
    const bytes = readFileSync(this.#path);
    const child = new AgentLane(this.#stage, {
      quire: this.#quire,
      folder: this.#folder,
      truth: this.script.truth.fork(before),
    });
    const options = before === undefined ? this.#options : { ...this.#options, beforeUserMessage: before };
    child.#use(await this.#quire.forkThread({ kind: 'id', id: this.#opened.facts.threadId }, options));
    child.script.problems.push(...this.script.problems);
    if (!readFileSync(this.#path).equals(bytes)) child.script.problems.push('forking changed the parent');
    this.#stage.count('forked');
    await this.close();
    return child;
  }

  async #reopen(): Promise<void> {
    const { threadId } = this.#opened.facts;
    await this.close();
    this.#use(await this.#quire.resumeThread({ kind: 'id', id: threadId }, this.#options));
    this.script.expectContext();
    this.#stage.count('resumed');
  }

  async #crash(turn: TurnPlan, at: number): Promise<void> {
    const path = this.#path;
    const { threadId } = this.#opened.facts;
    const start = statSync(path).size;
    await this.#runTurn(turn);
    await this.close();
    truncateSync(path, start + Math.floor(((statSync(path).size - start) * at) / 1000));
    this.#use(await this.#quire.resumeThread({ kind: 'id', id: threadId }, this.#options));
    this.script.truth.crash(survivors(linesFrom(path, start)));
    this.#expectRewrite();
    this.#stage.count('crashed');
  }

  #expectRewrite(): void {
    this.script.expectContext();
    this.#stage.provider.simulator.allowRewriteOnce(this.#opened.facts.threadId);
  }
}

/** Only what there is on every machine, and nothing that waits. */
function withRealTools(turn: TurnPlan): TurnPlan {
  return {
    ...turn,
    model: undefined,
    end: turn.end === 'text' ? 'text' : 'interrupt-stream',
    rounds: turn.rounds.flatMap((round) =>
      round.kind === 'cut' ? [] : [{ ...round, tools: round.tools.map(realTool) }],
    ),
  };
}

function realTool(tool: ToolKind): ToolKind {
  return tool === 'slow' || tool === 'fail' ? 'patch' : tool;
}
