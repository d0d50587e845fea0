import type { HookDefinition, HookedCall, HookVerdict } from '@quire/core';
import { BoundedPrograms } from '../process/bounded-programs.ts';
import { type HookAnswer, readAnswer } from './hook-answer.ts';
import type { ToolHooksOptions } from './hook-options.ts';
import { hookPayload } from './hook-payload.ts';

/** Longest text of one hook that is told to the model, in characters. */
const MAX_TEXT_LENGTH = 16_384;

type FinishedCall = HookedCall & { readonly output: string; readonly succeeded: boolean };

/** Runs the programs. All that are meant by a call run at the same time, so none can hold another one back. */
export class CommandHooks {
  readonly #options: ToolHooksOptions;
  readonly #programs: BoundedPrograms;
  /** What hooks before a call want the model to know, told behind its output. Of the last turn only. */
  #context: { readonly turnId: string; readonly byCall: Map<string, string> } | undefined;

  constructor(options: ToolHooksOptions) {
    this.#options = options;
    this.#programs = new BoundedPrograms({ ...options.environment, CODEX_THREAD_ID: options.threadId });
  }

  async before(
    hooks: readonly HookDefinition[],
    call: HookedCall,
    options: { readonly signal: AbortSignal },
  ): Promise<HookVerdict> {
    const answers = await this.#askAll(hooks, call, options);
    const denials = answers.flatMap((answer) => (answer.kind === 'refuse' ? [answer.text] : []));
    if (denials.length > 0) return { kind: 'deny', reason: denials.join('\n') };
    this.#keepContext(call, textsOf(answers));
    return { kind: 'go-on' };
  }

  async after(
    hooks: readonly HookDefinition[],
    call: FinishedCall,
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly feedback: string | undefined }> {
    const before = this.#takeContext(call);
    const answers = await this.#askAll(hooks, call, options);
    const texts = [...(before === undefined ? [] : [before]), ...textsOf(answers)];
    return { feedback: texts.length === 0 ? undefined : texts.join('\n') };
  }

  close(): Promise<void> {
    return this.#programs.close();
  }

  async #askAll(
    hooks: readonly HookDefinition[],
    call: HookedCall | FinishedCall,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly HookAnswer[]> {
    const { threadId, session } = this.#options;
    const payload = hookPayload(call, { threadId, session: session?.() });
    return Promise.all(hooks.map((hook) => this.#ask(hook, { payload, cwd: call.cwd, signal })));
  }

  async #ask(
    hook: HookDefinition,
    question: { readonly payload: string; readonly cwd: string; readonly signal: AbortSignal },
  ): Promise<HookAnswer> {
    const { payload, ...place } = question;
    const run = await this.#programs.run({
      argv: argvOf(hook.command),
      input: payload,
      timeoutMs: hook.timeoutMs,
      ...place,
    });
    const answer = readAnswer(hook.event, run);
    if (answer.notice !== undefined) this.#options.onNotice(`${hook.name}: ${shorten(answer.notice)}`);
    if (answer.kind !== 'fault') return answer.text === undefined ? answer : { ...answer, text: shorten(answer.text) };
    return this.#followFault(hook, answer.problem);
  }

  #followFault(hook: HookDefinition, problem: string): HookAnswer {
    if (hook.fail === 'open') {
      this.#options.onNotice(`${hook.name} ${problem}; the call went on without it, as its fail = "open" says`);
      return { kind: 'go-on', text: undefined };
    }
    const remedy = 'repair it, or set its fail = "open"';
    if (hook.event === 'PreToolUse') return { kind: 'refuse', text: `${hook.name} ${problem}; ${remedy}` };
    this.#options.onNotice(`${hook.name} ${problem}; ${remedy}`);
    return { kind: 'refuse', text: `${hook.name} ${problem}, so what it checks counts as failed` };
  }

  #keepContext(call: HookedCall, texts: readonly string[]): void {
    if (texts.length === 0) return;
    if (this.#context?.turnId !== call.turnId) this.#context = { turnId: call.turnId, byCall: new Map() };
    this.#context.byCall.set(call.callId, texts.join('\n'));
  }

  #takeContext(call: HookedCall): string | undefined {
    if (this.#context?.turnId !== call.turnId) return undefined;
    const text = this.#context.byCall.get(call.callId);
    this.#context.byCall.delete(call.callId);
    return text;
  }
}

function argvOf(command: HookDefinition['command']): readonly [string, ...string[]] {
  return typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
}

function textsOf(answers: readonly HookAnswer[]): readonly string[] {
  return answers.flatMap(({ text }) => (text === undefined ? [] : [text]));
}

function shorten(text: string): string {
  const left = text.length - MAX_TEXT_LENGTH;
  return left <= 0
    ? text
    : `${text.slice(0, MAX_TEXT_LENGTH).replace(/[\uD800-\uDBFF]$/, '')}…[${left} characters left out]`;
}
