import { isJsonObject, type JsonObject, type UserInput } from '@quire/protocol';
import {
  brokenCompactions,
  compactAsServer,
  compactAsServerStream,
  customToolCall,
  cutAfterEvents,
  functionCall,
  type Output,
  type RecordedRequest,
  respond,
  type Step,
  stall,
  status,
  text,
} from '@quire/simulator';
import type { CompactionPlan, Round, ToolKind, TurnPlan } from './operation.ts';
import { type CompactionWay, GOOD_IMAGE, POISON, POISON_IMAGE, type ThreadScript } from './planned-provider.ts';
import { FIRST_SETTINGS, MODELS } from './sequence-models.ts';
import { callId, differenceFrom, type Happening, marksOf, markText, type Truth } from './truth.ts';

export interface LaneScriptParts {
  readonly truth: Truth;
  readonly nextNumber: () => number;
  readonly steer: (input: readonly UserInput[]) => boolean;
  readonly stop: () => void;
  readonly count: (what: string) => void;
}

export const GOOD_COMPACTIONS: CompactionPlan = {
  remote: undefined,
  local: undefined,
  strategies: FIRST_SETTINGS.compaction.strategies,
};

/** One that hangs is not worth waiting for. */
export function hasShortDeadline({ remote, local }: CompactionPlan): boolean {
  return remote === 'hang' || local === 'hang';
}

/** Long enough that a compaction of a few turns is worth it. */
const FILLER = 'and so on, '.repeat(60);
/** Tokens of the window that a response reports. */
const LOADS = { low: 100, middle: 100_000, full: 250_000 } as const;
const FULL_SMALL = 55_000;

/** What the provider says to one thread, what it must see in each request, and the truth that grows from both. */
export class LaneScript implements ThreadScript {
  readonly problems: string[] = [];
  readonly truth: Truth;
  readonly #parts: LaneScriptParts;
  #plan: TurnPlan | undefined;
  #rounds: Round[] = [];
  #compaction: CompactionPlan = GOOD_COMPACTIONS;
  #interruptsCompaction = false;
  #isFree = true;
  #requestCount = 0;
  #stoppedBy: string | undefined;
  #refused: string[] = [];
  /** Refusals since the last request of which anything was answered. */
  #openRefusals = 0;
  #isFinal = false;
  /** Messages of the harness in the last request; `undefined`: the next may have more or fewer. */
  #contextCount: number | undefined;

  constructor(parts: LaneScriptParts) {
    this.#parts = parts;
    this.truth = parts.truth;
  }

  /** A task begins. Without a plan it is no turn. */
  begin(options: {
    readonly turn?: TurnPlan;
    readonly compaction?: CompactionPlan;
    readonly interruptsCompaction?: boolean;
    /** Otherwise tools may be denied. */
    readonly isFree?: boolean;
  }): void {
    this.truth.beginTask();
    this.#plan = options.turn;
    this.#rounds = [...(options.turn?.rounds ?? [])];
    this.#compaction = options.compaction ?? GOOD_COMPACTIONS;
    this.#interruptsCompaction = options.interruptsCompaction ?? false;
    this.#isFree = options.isFree ?? true;
    this.#requestCount = 0;
    this.#stoppedBy = undefined;
    this.#refused = [];
    this.#openRefusals = 0;
    this.#isFinal = false;
  }

  /** The service refused what the person had just said: the turn can only fail. */
  get mustFail(): boolean {
    return this.#isFinal;
  }

  /** The turn has ended, and nothing of a mended request was answered: what was taken out is back. */
  undoRefusals(): boolean {
    if (this.#openRefusals === 0) return false;
    this.#parts.count('undid what was taken out');
    this.truth.undoRefusals(this.#openRefusals);
    this.#openRefusals = 0;
    return true;
  }

  /** The settings differ, or the history was cut: the harness may say more than before. */
  expectContext(): void {
    this.#contextCount = undefined;
  }

  /** What a person says in the turn that begins. */
  input(plan: TurnPlan): readonly UserInput[] {
    const said = `${markText('user', this.#parts.nextNumber())} do this`;
    const { poison } = plan;
    return [
      { kind: 'text', text: poison === 'user' ? `${said} ${POISON}` : said },
      ...(plan.hasImage ? [{ kind: 'image', url: GOOD_IMAGE } as const] : []),
      ...(poison === 'image' ? [{ kind: 'image', url: POISON_IMAGE } as const] : []),
    ];
  }

  /** The turn is to be interrupted when this text is whole. */
  isStoppedBy(said: string): boolean {
    return this.#stoppedBy !== undefined && said.startsWith(this.#stoppedBy);
  }

  /** The endpoint's longest answer gives back what the model said, too. */
  noteCompaction(strategy: string | undefined): void {
    this.note({ kind: 'compact', keepsAnswers: strategy === 'endpoint' && this.#compaction.remote === 'notShorter' });
  }

  note(happening: Happening): void {
    this.truth.note(happening);
  }

  answer(request: RecordedRequest): Step {
    this.#check(request, 'a request');
    this.#checkContext(request);
    const isFirst = this.#requestCount === 0;
    this.#requestCount += 1;
    if (isFirst && this.#plan?.steers === true) this.#steer();
    const round = this.#rounds.shift();
    if (round?.kind === 'tools') return this.#toolRound(round, request);
    if (round?.kind === 'cut') return this.#cutRound(round);
    return this.#endRound(request);
  }

  compact(request: RecordedRequest, way: CompactionWay): Step {
    // With a deadline that runs out, a request may arrive when it is not wanted any more.
    if (!hasShortDeadline(this.#compaction)) this.#check(request, `a compaction (${way})`);
    if (this.#interruptsCompaction) return this.#interrupted(stall());
    const { remote, local } = this.#compaction;
    this.#parts.count(`asked to compact by ${way}: ${(way === 'local' ? local : remote) ?? 'well'}`);
    if (way === 'endpoint') return remote === undefined ? compactAsServer : brokenCompactions[remote].endpoint;
    if (way === 'stream') return remote === undefined ? compactAsServerStream : brokenCompactions[remote].stream;
    switch (local) {
      case undefined:
        return respond(text('In short: work was done.'));
      case 'empty':
        return respond();
      case 'cut':
        return cutAfterEvents(/* eventCount */ 2, respond(text('In short: work')));
      case 'hang':
        return stall();
      case 'error':
        return status(/* code */ 400, { body: { error: { message: 'no', code: 'invalid_prompt' } } });
    }
  }

  refused(
    request: RecordedRequest,
    { item, form }: { readonly item: JsonObject; readonly form: 'image' | 'index' },
  ): void {
    this.#parts.count(`refused by ${form}`);
    this.#check(request, 'a request that was refused');
    const json = JSON.stringify(item);
    if (this.#refused.includes(json)) this.problems.push(`what was refused is sent again: ${json}`);
    this.#refused.push(json);
    const [mark] = marksOf([item]);
    const newest = marksOf(request.input).findLast(({ kind }) => kind === 'user');
    if (form === 'index' && mark?.kind === 'user' && mark.id === newest?.id) {
      this.#parts.count('refused the newest words');
      this.#isFinal = true;
      return;
    }
    this.#openRefusals += 1;
    this.note(form === 'image' || mark === undefined ? { kind: 'rewrite' } : { kind: 'lose', mark });
    this.expectContext();
  }

  #check(request: RecordedRequest, what: string): void {
    const difference = differenceFrom(this.truth.marks, marksOf(request.input));
    if (difference !== undefined)
      this.problems.push(`${what} (${request.index}) shows the wrong history:\n${difference}`);
  }

  /** Where nothing changed the harness says nothing. */
  #checkContext({ input, index }: RecordedRequest): void {
    const count = input.filter(isContext).length;
    if (this.#contextCount !== undefined && count !== this.#contextCount) {
      this.problems.push(`request ${index} has ${count} messages of context, not ${this.#contextCount}`);
    }
    this.#contextCount = count;
  }

  #steer(): void {
    const said = `${markText('user', this.#parts.nextNumber())} and that`;
    if (!this.#parts.steer([{ kind: 'text', text: said }])) this.problems.push('a running turn was not steered');
    this.#parts.count('steered');
  }

  #toolRound(round: Extract<Round, { kind: 'tools' }>, request: RecordedRequest): Step {
    this.#openRefusals = 0;
    const outputs = round.talks ? [this.#talk()] : [];
    const poison = this.#requestCount === 1 ? this.#plan?.poison : undefined;
    const calls = round.tools.map((tool, index) => this.#call(tool, index === 0 ? poison : undefined));
    for (const { id, prints } of calls) {
      this.note({ kind: 'add', mark: { kind: 'output', id, isLost: !prints } });
    }
    this.#parts.count(calls.length > 1 ? 'called tools side by side' : 'called a tool');
    return respond(...outputs, ...calls.map(({ output }) => output), this.#usage(request));
  }

  #cutRound({ after }: Extract<Round, { kind: 'cut' }>): Step {
    this.#parts.count('cut answers');
    if (after === 'nothing') return cutAfterEvents(/* eventCount */ 2, respond(text('Never whole.')));
    this.#openRefusals = 0;
    if (after === 'text') return cutAfterEvents(/* eventCount */ 4, respond(this.#talk(), text('Never whole.')));
    const { id, output, prints } = this.#call('echo', /* poison */ undefined);
    this.note({ kind: 'add', mark: { kind: 'output', id, isLost: !prints } });
    return cutAfterEvents(/* eventCount */ 4, respond(output, text('Never whole.')));
  }

  #endRound(request: RecordedRequest): Step {
    const end = this.#plan?.end;
    // What may not run can not be stopped in it.
    switch (end === 'interrupt-tool' && !this.#isFree ? 'text' : end) {
      case 'interrupt-silence':
        this.#parts.count('interrupted in silence');
        return this.#interrupted(stall());
      case 'interrupt-stream':
        this.#openRefusals = 0;
        this.#parts.count('interrupted in a stream');
        return stall({ afterEvents: 6 }, respond(this.#lastWords(), text('Never whole.')));
      case 'interrupt-tool': {
        this.#openRefusals = 0;
        this.#parts.count('interrupted in a tool');
        const calls = [this.#call('echo', /* poison */ undefined), this.#call('hang', /* poison */ undefined)];
        for (const { id } of calls) this.note({ kind: 'add', mark: { kind: 'output', id, isLost: true } });
        return respond(...calls.map(({ output }) => output));
      }
      default:
        this.#openRefusals = 0;
        return respond(this.#talk(this.#plan?.poison === 'assistant'), this.#usage(request));
    }
  }

  #lastWords(): Output {
    const output = this.#talk();
    const { id } = this.truth.marks.at(-1) ?? { id: 0 };
    this.#stoppedBy = markText('assistant', id);
    return output;
  }

  #interrupted(step: Step): Step {
    setImmediate(this.#parts.stop);
    return step;
  }

  #talk(isPoisoned = false): Output {
    const id = this.#parts.nextNumber();
    this.note({ kind: 'add', mark: { kind: 'assistant', id, isLost: false } });
    return text(`${markText('assistant', id)} ${isPoisoned ? POISON : ''} ${FILLER}`);
  }

  /** Notes the call. `prints`: its output will hold its mark. */
  #call(
    tool: ToolKind | 'hang',
    poison: TurnPlan['poison'],
  ): { readonly id: number; readonly output: Output; readonly prints: boolean } {
    const id = this.#parts.nextNumber();
    const mark = markText('output', id);
    this.note({ kind: 'add', mark: { kind: 'call', id, isLost: false } });
    switch (tool) {
      case 'plan': {
        const plan = [{ step: `Step ${id}`, status: 'completed' }];
        return { id, output: functionCall(callId(id), 'update_plan', { plan }), prints: false };
      }
      case 'unknown':
        return { id, output: functionCall(callId(id), 'no_such_tool', {}), prints: false };
      case 'patch': {
        const patch = `*** Begin Patch\n*** Add File: ${mark}.txt\n+text\n*** End Patch`;
        return { id, output: customToolCall(callId(id), 'apply_patch', patch), prints: this.#isFree };
      }
      default: {
        // Both the call and what it prints are refused, or only what it prints.
        const words = poison === 'call' ? `${mark} ${POISON}` : poison === 'output' ? `${mark} POI\\SON` : mark;
        const command = functionCall(callId(id), 'shell_command', { command: `${tool} ${words}` });
        return { id, output: command, prints: this.#isFree };
      }
    }
  }

  #usage({ body }: RecordedRequest): {
    readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
  } {
    const { level, from } = this.#plan?.load ?? { level: 'low', from: 0 };
    const isSmall = body['model'] === MODELS.small.slug;
    const load = level !== 'low' && isSmall ? FULL_SMALL : LOADS[level];
    return { usage: { inputTokens: this.#requestCount > from ? load : LOADS.low, outputTokens: 10 } };
  }
}

function isContext(item: JsonObject): boolean {
  if (item['type'] !== 'message') return false;
  if (item['role'] === 'developer') return true;
  const content = Array.isArray(item['content']) ? item['content'] : [];
  return content.some(
    (part) => isJsonObject(part) && /^<environment_context>|^# AGENTS\.md/.test(String(part['text'])),
  );
}
