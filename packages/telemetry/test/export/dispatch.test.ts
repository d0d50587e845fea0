import { describe, expect, test } from 'vitest';
import { Dispatch } from '../../src/export/dispatch.ts';
import type { SendOutcome } from '../../src/export/send-outcome.ts';

const NEVER = new AbortController().signal;
const TAKEN: SendOutcome = { kind: 'taken', rejected: 0 };

/** A dispatch whose messages are lists of numbers, and a collector that answers when it is told. */
function stage(answer: (attempt: number) => SendOutcome | Promise<SendOutcome>) {
  const sent: number[][] = [];
  const lost: { readonly count: number; readonly reason: string }[] = [];
  const pausesMs: number[] = [];
  const dispatch = new Dispatch<number>({
    courier: {
      send: (message) => {
        sent.push(JSON.parse(message.toString('utf8')) as number[]);
        return Promise.resolve(answer(sent.length));
      },
    },
    encode: (items) => Buffer.from(JSON.stringify(items)),
    clock: {
      now: () => 0,
      sleep: async (ms) => {
        pausesMs.push(ms);
      },
    },
    entropy: { random: () => 0.5, uuid: () => '' },
    onLost: (loss) => lost.push(loss),
  });
  return { dispatch, sent, lost, pausesMs };
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe('records', () => {
  test('are sent in order and many at once, and at the end all of them [TEL-63]', async () => {
    const { dispatch, sent, lost } = stage(() => TAKEN);
    for (const number of numbers(/* from */ 0, /* to */ 600)) dispatch.add(number);
    await dispatch.end(NEVER);
    expect(sent).toEqual([numbers(/* from */ 0, /* to */ 512), numbers(/* from */ 512, /* to */ 600)]);
    expect(lost).toEqual([]);
  });

  test('that nobody takes are dropped from 2,048 on, the oldest first, and counted [TEL-62]', async () => {
    let release: (outcome: SendOutcome) => void = () => undefined;
    const first = new Promise<SendOutcome>((resolve) => {
      release = resolve;
    });
    const { dispatch, sent, lost } = stage((attempt) => (attempt === 1 ? first : TAKEN));
    for (const number of numbers(/* from */ 0, 512 + 2_048 + 10)) dispatch.add(number);
    release(TAKEN);
    await dispatch.end(NEVER);
    expect(sent.flat()).toEqual([...numbers(/* from */ 0, /* to */ 512), ...numbers(/* from */ 522, /* to */ 2_570)]);
    expect(lost).toEqual([{ count: 10, reason: 'more than 2048 records were waiting' }]);
  });

  test('after the end go nowhere [TEL-63]', async () => {
    const { dispatch, sent } = stage(() => TAKEN);
    await dispatch.end(NEVER);
    dispatch.add(/* item */ 1);
    await dispatch.end(NEVER);
    expect(sent).toEqual([]);
  });

  test.each<[string, SendOutcome, number, readonly number[]]>([
    ['twice when it may take them later', { kind: 'later', afterMs: undefined, reason: 'busy' }, 2, [200]],
    ['as soon as it says', { kind: 'later', afterMs: 700, reason: 'busy' }, 2, [700]],
    ['once when it wants more time than there is', { kind: 'later', afterMs: 1_001, reason: 'busy' }, 1, []],
    ['once when it refuses them', { kind: 'refused', reason: 'busy' }, 1, []],
  ])('are given to a collector at the end %s [TEL-64]', async (_title, outcome, attempts, pauses) => {
    const { dispatch, sent, lost, pausesMs } = stage(() => outcome);
    dispatch.add(/* item */ 1);
    await dispatch.end(NEVER);
    expect([sent.length, pausesMs, lost]).toEqual([attempts, pauses, [{ count: 1, reason: 'busy' }]]);
  });

  test('that a courier fails with are lost, and the next ones are sent [TEL-64]', async () => {
    const { dispatch, sent, lost } = stage((attempt) => {
      if (attempt === 1) throw new Error('a fault');
      return TAKEN;
    });
    for (const number of numbers(/* from */ 0, /* to */ 513)) dispatch.add(number);
    await dispatch.end(NEVER);
    expect([sent.length, lost]).toEqual([2, [{ count: 512, reason: 'a fault' }]]);
  });
});
