/**
 * What a thread must still show of what happened in it, kept in the simplest way: a list of marks. Nothing of the
 * product is used here.
 */
import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';

/** `user`, `assistant`: a message. `call`, `output`: of a tool. `shell`: a command that a person ran. */
export type MarkKind = 'user' | 'assistant' | 'call' | 'output' | 'shell';

export interface Mark {
  readonly kind: MarkKind;
  readonly id: number;
  /** Something stands there, but not what was said: the service refused it, or a crash took it. */
  readonly isLost: boolean;
}

/** One thing that happened to the history. */
export type Happening =
  | { readonly kind: 'add'; readonly mark: Mark }
  /** What people said stays, perhaps what the model said; all else is gone. */
  | { readonly kind: 'compact'; readonly keepsAnswers: boolean }
  /** Something changed that no mark stands for. */
  | { readonly kind: 'rewrite' }
  | { readonly kind: 'lose'; readonly mark: Pick<Mark, 'kind' | 'id'> };

/** Something that a person said, and all that stood before it. */
interface Boundary {
  readonly id: number;
  /** It came into a turn that was running. */
  readonly isSteered: boolean;
  readonly before: readonly Mark[];
}

interface State {
  readonly marks: readonly Mark[];
  readonly boundaries: readonly Boundary[];
}

const EMPTY: State = { marks: [], boundaries: [] };

export class Truth {
  #state: State;
  /** Before the running or last task, and what happened in it. */
  #taskStart: State;
  #happenings: Happening[] = [];

  constructor(state: State = EMPTY) {
    this.#state = state;
    this.#taskStart = state;
  }

  get marks(): readonly Mark[] {
    return this.#state.marks;
  }

  get saidCount(): number {
    return this.#state.boundaries.length;
  }

  /** Turns that can be taken back; what was said into a running turn belongs to it. */
  get turnCount(): number {
    return this.#state.boundaries.filter(({ isSteered }) => !isSteered).length;
  }

  beginTask(): void {
    this.#taskStart = this.#state;
    this.#happenings = [];
  }

  note(happening: Happening): void {
    this.#happenings.push(happening);
    this.#state = this.#after(this.#state, happening);
  }

  /** What was taken out last in the task, so many times, is back as it was. */
  undoRefusals(count: number): void {
    let left = count;
    const happenings = this.#happenings.reverse().filter(({ kind }) => {
      const isUndone = left > 0 && (kind === 'rewrite' || kind === 'lose');
      if (isUndone) left -= 1;
      return !isUndone;
    });
    this.#state = this.#taskStart;
    this.#happenings = [];
    for (const happening of happenings.reverse()) this.note(happening);
  }

  /** The process died in the task: of what happened in it only what `survived` is on disk. */
  crash(survived: (happening: Happening, index: number) => Happening | undefined): void {
    const happenings = this.#happenings.flatMap((happening, index) => survived(happening, index) ?? []);
    this.#state = this.#taskStart;
    this.#happenings = [];
    for (const happening of happenings) this.note(happening);
  }

  /** The last turns with all that was said in them, what came of them, and commands right before the first of them. */
  rollBack(turns: number): void {
    const { boundaries } = this.#state;
    let kept = boundaries.length;
    for (let left = turns; kept > 0 && left > 0; ) {
      kept -= 1;
      if (boundaries[kept]?.isSteered !== true) left -= 1;
    }
    const marks = [...(boundaries[kept]?.before ?? this.#state.marks)];
    while (kept > 0 && marks.at(-1)?.kind === 'shell') marks.pop();
    this.#state = { marks, boundaries: boundaries.slice(0, kept) };
    this.beginTask();
  }

  /** @param before the fork ends before this thing that a person said; absent: it has all */
  fork(before: number | undefined): Truth {
    const { boundaries } = this.#state;
    const boundary = before === undefined ? undefined : boundaries[before];
    return new Truth(
      boundary === undefined ? this.#state : { marks: boundary.before, boundaries: boundaries.slice(0, before) },
    );
  }

  #after(state: State, happening: Happening): State {
    const { marks, boundaries } = state;
    switch (happening.kind) {
      case 'add': {
        const { mark } = happening;
        if (mark.kind !== 'user') return { marks: [...marks, mark], boundaries };
        const isSteered = boundaries.length > this.#taskStart.boundaries.length;
        const before = isSteered ? marks : this.#taskStart.marks;
        return { marks: [...marks, mark], boundaries: [...boundaries, { id: mark.id, isSteered, before }] };
      }
      case 'compact':
        return { marks: marks.filter(({ kind }) => isKept(kind, happening)), boundaries };
      case 'rewrite':
        return state;
      case 'lose': {
        const isIt = (mark: Mark) => mark.kind === happening.mark.kind && mark.id === happening.mark.id;
        return { marks: marks.map((mark) => (isIt(mark) ? { ...mark, isLost: true } : mark)), boundaries };
      }
    }
  }
}

function isKept(kind: MarkKind, { keepsAnswers }: { readonly keepsAnswers: boolean }): boolean {
  return kind === 'user' || (keepsAnswers && kind === 'assistant');
}

const LETTERS: Readonly<Record<MarkKind, string>> = { user: 'U', assistant: 'A', call: 'C', output: 'O', shell: 'S' };

/** As it stands at the start of a text or in an output. */
export function markText(kind: MarkKind, id: number): string {
  return `[${LETTERS[kind]}${id}]`;
}

export function callId(id: number): string {
  return `call_${id}`;
}

/** The marks in a list of items, in order. An output without its mark is a lost one. */
export function marksOf(items: readonly JsonObject[]): readonly Mark[] {
  return items.flatMap((item) => {
    switch (item['type']) {
      case 'message':
        return messageMarks(item);
      case 'function_call':
      case 'custom_tool_call':
        return [{ kind: 'call', id: callNumber(item), isLost: false } as const];
      case 'function_call_output':
      case 'custom_tool_call_output': {
        const id = callNumber(item);
        return [{ kind: 'output', id, isLost: !textOf(item['output']).includes(markText('output', id)) } as const];
      }
      default:
        return [];
    }
  });
}

function messageMarks(item: JsonObject): readonly Mark[] {
  const text = textOf(item['content']);
  const shell = /^\s*<user_shell_command>[\s\S]*\[S(\d+)\]\n/.exec(text);
  if (shell !== null) return [{ kind: 'shell', id: Number(shell[1]), isLost: false }];
  const said = /^\[([UA])(\d+)\]/.exec(text);
  if (said === null) return [];
  return [{ kind: item['role'] === 'assistant' ? 'assistant' : 'user', id: Number(said[2]), isLost: false }];
}

function callNumber(item: JsonObject): number {
  return Number(/^call_(\d+)$/.exec(stringAt(item, 'call_id') ?? '')?.[1]);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return '';
  return value.map((part) => (isJsonObject(part) ? (stringAt(part, 'text') ?? '') : '')).join('\n');
}

/**
 * What is wrong with what a request shows; `undefined`: nothing. Of lost messages nothing is seen. A lost output has
 * another in its place, anywhere behind its call.
 */
export function differenceFrom(truth: readonly Mark[], seen: readonly Mark[]): string | undefined {
  const lost = new Set(truth.filter(isLostOutput).map(({ id }) => id));
  const certain = inCallOrder(seen.filter(({ kind, id }) => kind !== 'output' || !lost.has(id)));
  const wanted = inCallOrder(truth.filter((mark) => mark.kind === 'call' || !mark.isLost));
  const isSame = wanted.every((mark, index) => isSameMark(mark, certain[index]));
  if (isSame && wanted.length === certain.length && seen.length - certain.length === lost.size) return undefined;
  return `expected ${describe(truth)}\n     got ${describe(seen)}`;
}

/** Outputs side by side may come in any order: after a crash that of the file is as good as any. */
function inCallOrder(marks: readonly Mark[]): readonly Mark[] {
  const ordered: Mark[] = [];
  for (const mark of marks) {
    let place = ordered.length;
    const isBehind = (other: Mark | undefined) => other?.kind === 'output' && other.id > mark.id;
    while (mark.kind === 'output' && isBehind(ordered[place - 1])) place -= 1;
    ordered.splice(place, 0, mark);
  }
  return ordered;
}

function isLostOutput({ kind, isLost }: Mark): boolean {
  return kind === 'output' && isLost;
}

function isSameMark(mark: Mark, seen: Mark | undefined): boolean {
  return mark.kind === seen?.kind && mark.id === seen.id && !seen.isLost;
}

function describe(marks: readonly Mark[]): string {
  return marks.map(({ kind, id, isLost }) => `${LETTERS[kind]}${id}${isLost ? '?' : ''}`).join(' ') || '(nothing)';
}
