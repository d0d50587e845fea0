import type { TurnId } from '@quire/protocol';
import type { ApprovalDecision, ApprovalRequest, Approvals, Question, QuestionAnswers } from '../ports/approvals.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommandRules } from '../ports/command-rules.ts';

export interface ApprovalDeskPorts {
  readonly approvals?: Approvals;
  readonly rules?: CommandRules;
  /** A bound for whoever answers and does not keep one of their own. Absent: none. */
  readonly answerLimit?: { readonly clock: Clock; readonly timeoutMs: number };
}

/** Asks for approvals and remembers what was allowed for the session. One for the life of a thread. */
export class ApprovalDesk {
  readonly rules: CommandRules | undefined;
  readonly #approvals: Approvals | undefined;
  readonly #answerLimit: ApprovalDeskPorts['answerLimit'];
  readonly #allowed = new Set<string>();
  /** The open question about each key. */
  readonly #open = new Map<string, Promise<void>>();

  constructor(ports: ApprovalDeskPorts) {
    this.#approvals = ports.approvals;
    this.#answerLimit = ports.answerLimit;
    this.rules = ports.rules;
  }

  /** Nobody can be asked: every question is denied. */
  get isUnattended(): boolean {
    return this.#approvals === undefined;
  }

  /** Whether all of `keys` were allowed for the session. */
  isAllowed(keys: readonly string[]): boolean {
    return keys.length > 0 && keys.every((key) => this.#allowed.has(key));
  }

  /**
   * No answer in time, or a question that could not be put, is a denial. Rejects only with the reason of `signal`.
   * Calls about the same thing are asked one after the other, so that an answer for the session holds for all of them.
   *
   * @param keys remembered when the answer is "for the session"
   */
  async ask(
    request: ApprovalRequest,
    options: { readonly keys: readonly string[]; readonly signal: AbortSignal },
  ): Promise<ApprovalDecision> {
    const { keys, signal } = options;
    const approvals = this.#approvals;
    if (approvals === undefined) {
      return this.isAllowed(keys) ? { kind: 'approved-for-session' } : { kind: 'denied', reason: 'nobody is there' };
    }
    for (let open = this.#openQuestion(keys); open !== undefined; open = this.#openQuestion(keys)) await open;
    signal.throwIfAborted();
    if (this.isAllowed(keys)) return { kind: 'approved-for-session' };
    const answer = this.#answer(approvals, request, signal);
    const settled = answer.then(
      () => undefined,
      () => undefined, // whoever waits asks for itself
    );
    for (const key of keys) this.#open.set(key, settled);
    try {
      const decision = await answer;
      if (decision.kind === 'approved-for-session') for (const key of keys) this.#allowed.add(key);
      return decision;
    } finally {
      for (const key of keys) if (this.#open.get(key) === settled) this.#open.delete(key);
    }
  }

  /** Nobody can be asked questions. */
  get isMute(): boolean {
    return this.#approvals?.answer === undefined;
  }

  /** Puts questions to a person. `undefined`: nobody answered. Rejects only with the reason of `signal`. */
  async answer(
    questions: readonly Question[],
    options: { readonly callId: string; readonly turnId: TurnId; readonly signal: AbortSignal },
  ): Promise<QuestionAnswers> {
    try {
      return await this.#approvals?.answer?.(questions, options);
    } catch {
      options.signal.throwIfAborted();
      return undefined;
    }
  }

  #openQuestion(keys: readonly string[]): Promise<void> | undefined {
    const key = keys.find((candidate) => this.#open.has(candidate));
    return key === undefined ? undefined : this.#open.get(key);
  }

  async #answer(approvals: Approvals, request: ApprovalRequest, signal: AbortSignal): Promise<ApprovalDecision> {
    const over = new AbortController();
    let giveUp: (reason: unknown) => void = () => undefined;
    const onAbort = (): void => giveUp(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await new Promise<ApprovalDecision>((resolve, reject) => {
        giveUp = reject;
        if (signal.aborted) reject(signal.reason);
        approvals.ask(request, { signal: AbortSignal.any([signal, over.signal]) }).then(resolve, reject);
        this.#answerLimit?.clock.sleep(this.#answerLimit.timeoutMs, { signal: over.signal }).then(
          () => resolve({ kind: 'denied', reason: 'nobody answered in time' }),
          () => undefined, // ended because the question is settled
        );
      });
    } catch {
      signal.throwIfAborted();
      return { kind: 'denied', reason: 'the question could not be put' };
    } finally {
      signal.removeEventListener('abort', onAbort);
      over.abort(new Error('the question is settled'));
    }
  }
}
