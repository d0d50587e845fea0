import { describe, expect, test } from 'vitest';
import { ApprovalDesk } from '../../src/approval/approval-desk.ts';
import type { ApprovalDecision, ApprovalRequest } from '../../src/ports/approvals.ts';
import { ScriptedApprovals, TURN } from './approval-context.ts';

const REQUEST: ApprovalRequest = { kind: 'patch', turnId: TURN, callId: 'c', reason: undefined, changes: [] };
const never = (): Promise<never> => new Promise(() => undefined);
const signal = new AbortController().signal;

/** A clock whose waits end when the test says so. */
class HeldClock {
  readonly waits: { readonly ms: number; readonly end: () => void; isStopped: boolean }[] = [];

  now(): number {
    return 0;
  }

  sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve, reject) => {
      const wait = { ms, end: resolve, isStopped: false };
      this.waits.push(wait);
      options.signal.addEventListener('abort', () => {
        wait.isStopped = true;
        reject(options.signal.reason);
      });
    });
  }
}

describe('the desk', () => {
  test('denies everything when nobody is there [APR-11]', async () => {
    const desk = new ApprovalDesk({});
    expect([desk.isUnattended, await desk.ask(REQUEST, { keys: ['a'], signal })]).toEqual([
      true,
      { kind: 'denied', reason: 'nobody is there' },
    ]);
  });

  test('takes no answer in time for a denial, and says that the question is void [APR-17]', async () => {
    const clock = new HeldClock();
    let isVoid = false;
    const approvals = {
      ask: (_request: ApprovalRequest, options: { readonly signal: AbortSignal }) => {
        options.signal.addEventListener('abort', () => {
          isVoid = true;
        });
        return never();
      },
    };
    const desk = new ApprovalDesk({ approvals, answerLimit: { clock, timeoutMs: 5_000 } });
    const answer = desk.ask(REQUEST, { keys: ['a'], signal });
    clock.waits[0]?.end();
    expect(await answer).toEqual({ kind: 'denied', reason: 'nobody answered in time' });
    expect([clock.waits[0]?.ms, isVoid, desk.isAllowed(['a'])]).toEqual([5_000, true, false]);
  });

  test('stops its timer when the answer is there [APR-17]', async () => {
    const clock = new HeldClock();
    const approvals = new ScriptedApprovals('approved');
    const desk = new ApprovalDesk({ approvals, answerLimit: { clock, timeoutMs: 5_000 } });
    expect(await desk.ask(REQUEST, { keys: ['a'], signal })).toEqual({ kind: 'approved' });
    expect(clock.waits.map(({ isStopped }) => isStopped)).toEqual([true]);
  });

  test('takes a question that can not be put for a denial [APR-17]', async () => {
    const approvals = { ask: () => Promise.reject(new Error('the client is gone')) };
    const desk = new ApprovalDesk({ approvals });
    expect(await desk.ask(REQUEST, { keys: ['a'], signal })).toEqual({
      kind: 'denied',
      reason: 'the question could not be put',
    });
    expect(await desk.ask(REQUEST, { keys: ['a'], signal })).toMatchObject({ kind: 'denied' });
  });

  test('remembers each key, and needs all of them [APR-12]', async () => {
    const approvals = new ScriptedApprovals('approved-for-session', 'denied');
    const desk = new ApprovalDesk({ approvals });
    await desk.ask(REQUEST, { keys: ['a', 'b'], signal });
    expect([['a'], ['b'], ['a', 'b'], ['a', 'c'], []].map((keys) => desk.isAllowed(keys))).toEqual([
      ...[true, true, true, false, false],
    ]);
    expect(await desk.ask(REQUEST, { keys: ['b'], signal })).toEqual({ kind: 'approved-for-session' });
    expect(await desk.ask(REQUEST, { keys: ['b', 'c'], signal })).toEqual({ kind: 'denied' });
  });

  test('asks about the same thing one after the other, about others at the same time [APR-12]', async () => {
    const answers: ((decision: ApprovalDecision) => void)[] = [];
    const approvals = { ask: () => new Promise<ApprovalDecision>((resolve) => answers.push(resolve)) };
    const desk = new ApprovalDesk({ approvals });
    const first = desk.ask(REQUEST, { keys: ['a'], signal });
    const second = desk.ask(REQUEST, { keys: ['a', 'b'], signal });
    const other = desk.ask(REQUEST, { keys: ['c'], signal });
    expect(answers).toHaveLength(2);
    answers[1]?.({ kind: 'approved' });
    answers[0]?.({ kind: 'denied' });
    expect([await first, await other]).toEqual([{ kind: 'denied' }, { kind: 'approved' }]);
    await expect.poll(() => answers.length, { timeout: 10_000 }).toBe(3);
    answers[2]?.({ kind: 'approved' });
    expect(await second).toEqual({ kind: 'approved' });
  });

  test('rejects with the reason of the signal, before, during and while waiting [APR-10]', async () => {
    const stop = new AbortController();
    const desk = new ApprovalDesk({ approvals: { ask: never } });
    const asked = desk.ask(REQUEST, { keys: ['a'], signal: stop.signal });
    const waiting = desk.ask(REQUEST, { keys: ['a'], signal: stop.signal });
    stop.abort(new Error('stopped'));
    const late = desk.ask(REQUEST, { keys: ['b'], signal: stop.signal });
    for (const answer of [asked, waiting, late]) await expect(answer).rejects.toThrow('stopped');
  });
});
