import type {
  ApprovalDecision,
  ApprovalRequest,
  Approvals,
  Clock,
  ElicitationAnswer,
  ElicitationRequest,
  Question,
  QuestionAnswers,
} from '@quire/core';

/** Fires when the question is void: the turn ended, or the time for an answer is over. */
export interface AskOptions {
  readonly signal: AbortSignal;
}

/**
 * Who is asked what a thread may not decide by itself: a person behind a user interface, or a policy of the program.
 * What is not there, throws, or takes longer than `answerTimeoutMs` is a no.
 */
export interface Person {
  readonly approve?: (request: ApprovalRequest, options: AskOptions) => ApprovalDecision | Promise<ApprovalDecision>;
  /** Forms of MCP servers. */
  readonly fillIn?: (
    request: ElicitationRequest,
    options: AskOptions,
  ) => ElicitationAnswer | Promise<ElicitationAnswer>;
  /** Questions of the model. */
  readonly answer?: (questions: readonly Question[], options: AskOptions) => QuestionAnswers | Promise<QuestionAnswers>;
  /** Default: ten minutes. */
  readonly answerTimeoutMs?: number;
}

const ANSWER_TIMEOUT_MS = 600_000;

/** The port of a thread over the functions of its program. `undefined`: nobody is there. */
export function approvalsOf(person: Person | undefined, clock: Clock): Approvals | undefined {
  if (person === undefined) return undefined;
  const { approve, fillIn, answer, answerTimeoutMs = ANSWER_TIMEOUT_MS } = person;
  const within = <Answer>(
    ask: (options: AskOptions) => Answer | Promise<Answer>,
    otherwise: Answer,
    signal: AbortSignal,
  ): Promise<Answer> => answerInTime(ask, otherwise, { signal, clock, timeoutMs: answerTimeoutMs });
  return {
    ask: (request, { signal }) =>
      within((options) => approve?.(request, options) ?? { kind: 'denied' }, { kind: 'denied' }, signal),
    ...(fillIn === undefined
      ? {}
      : {
          elicit: (request, { signal }) => within((options) => fillIn(request, options), { kind: 'cancelled' }, signal),
        }),
    ...(answer === undefined
      ? {}
      : {
          answer: (questions, { signal }) =>
            within<QuestionAnswers>((options) => answer(questions, options), /* otherwise */ undefined, signal),
        }),
  };
}

/** Rejects only with the reason of `signal`. */
async function answerInTime<Answer>(
  ask: (options: AskOptions) => Answer | Promise<Answer>,
  otherwise: Answer,
  limits: { readonly signal: AbortSignal; readonly clock: Clock; readonly timeoutMs: number },
): Promise<Answer> {
  const { signal, clock, timeoutMs } = limits;
  signal.throwIfAborted();
  const over = new AbortController();
  const stop = (): void => over.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const tooLate = clock.sleep(timeoutMs, { signal: over.signal }).then(
    () => otherwise,
    () => otherwise,
  );
  try {
    const answered = Promise.resolve(ask({ signal: over.signal })).catch(() => otherwise);
    const answer = await Promise.race([answered, tooLate]);
    signal.throwIfAborted();
    return answer;
  } catch (error) {
    if (signal.aborted) throw error;
    return otherwise;
  } finally {
    signal.removeEventListener('abort', stop);
    over.abort(new Error('the question is settled'));
  }
}
