import type { ApprovalRequest, Clock } from '@quire/core';
import { systemClock } from '@quire/host';
import type { TurnId } from '@quire/protocol';
import { expect, test } from 'vitest';
import { approvalsOf, type Person } from '../src/person.ts';

const REQUEST: ApprovalRequest = {
  kind: 'command',
  turnId: 'turn' as TurnId,
  callId: 'call',
  reason: undefined,
  argv: ['make'],
  cwd: '/srv',
  environment: {},
  unconfined: true,
  proposedRule: undefined,
};

const signal = new AbortController().signal;
/** Any wait is over at once. */
const hurried: Clock = { now: () => 0, sleep: () => Promise.resolve() };

function ask(person: Person, clock: Clock = systemClock, { signal: stop } = { signal }) {
  return approvalsOf(person, clock)?.ask(REQUEST, { signal: stop });
}

test('without a person there is nobody to ask [AGENT-60]', () => {
  expect(approvalsOf(/* person */ undefined, systemClock)).toBeUndefined();
});

test('the answer of a person stands [AGENT-60]', async () => {
  expect(await ask({ approve: () => ({ kind: 'approved-for-session' }) })).toEqual({ kind: 'approved-for-session' });
});

test('no function, no answer in time and a fault are denials [AGENT-61]', async () => {
  const denied = { kind: 'denied' };
  expect(await ask({})).toEqual(denied);
  expect(await ask({ approve: () => Promise.reject(new Error('gone')) })).toEqual(denied);
  expect(
    await ask({
      approve: () => {
        throw new Error('at once');
      },
    }),
  ).toEqual(denied);
  let told: AbortSignal | undefined;
  const silent: Person = {
    approve: (_request, options) => {
      told = options.signal;
      return new Promise(() => undefined);
    },
  };
  expect(await ask(silent, hurried)).toEqual(denied);
  expect(told?.aborted).toBe(true);
});

test('an abort ends the question with its reason [AGENT-62]', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const asked = ask({ approve: () => new Promise(() => undefined) }, systemClock, controller);
  controller.abort(reason);
  await expect(asked).rejects.toBe(reason);
});

test('forms and questions without an answer are cancelled [AGENT-61]', async () => {
  const never = (): Promise<never> => new Promise(() => undefined);
  const approvals = approvalsOf({ fillIn: never, answer: never }, hurried);
  const form = { server: 's', message: 'm', schema: undefined, url: undefined };
  expect(await approvals?.elicit?.(form, { signal })).toEqual({ kind: 'cancelled' });
  expect(await approvals?.answer?.([], { callId: 'c', turnId: 't' as TurnId, signal })).toBeUndefined();
});
