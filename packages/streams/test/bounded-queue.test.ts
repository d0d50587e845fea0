import { expect, test } from 'vitest';
import { BoundedQueue, QueueClosedError, QueueOverflowError } from '../src/index.ts';

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

test('values come out in order and then the end [QUEUE-01]', async () => {
  const queue = new BoundedQueue<string>({ capacity: 4 });
  const all = collect(queue);
  queue.push('1');
  queue.push('2');
  await Promise.resolve();
  queue.push('3');
  queue.close();
  queue.close();
  expect(await all).toEqual(['1', '2', '3']);
});

test('push says when there is no room and drained resolves when there is again [QUEUE-02]', async () => {
  const queue = new BoundedQueue<string>({ capacity: 2 });
  expect([queue.push('a'), queue.push('b')]).toEqual([true, false]);
  const log: string[] = [];
  const drained = queue.drained().then(() => log.push('drained'));
  const reader = queue.iterate();
  expect(log).toEqual([]);
  expect(await reader.next()).toEqual({ done: false, value: 'a' });
  await drained;
  expect([log, queue.push('c'), queue.length]).toEqual([['drained'], false, 2]);
});

test('a producer of thousands of values never has more than the capacity waiting [QUEUE-02]', async () => {
  const queue = new BoundedQueue<number>({ capacity: 8 });
  let most = 0;
  const produce = async (): Promise<void> => {
    for (let value = 0; value < 5000; value += 1) {
      const room = queue.push(value);
      most = Math.max(most, queue.length);
      if (!room) await queue.drained();
    }
    queue.close();
  };
  const [values] = await Promise.all([collect(queue), produce()]);
  expect([values.length, values.at(-1), most]).toEqual([5000, 4999, 8]);
});

test('a producer that does not listen is stopped at the hard limit [QUEUE-03]', () => {
  const queue = new BoundedQueue<string>({ capacity: 1, hardLimit: 3 });
  expect([queue.push('1'), queue.push('2'), queue.push('3')]).toEqual([false, false, false]);
  expect(() => queue.push('4')).toThrow(QueueOverflowError);
});

test('a failure comes after the values pushed before it [QUEUE-04]', async () => {
  const queue = new BoundedQueue<string>({ capacity: 4 });
  const failure = new Error('cut');
  queue.push('1');
  queue.fail(failure);
  queue.fail(new Error('later'));
  expect(queue.push('2')).toBe(false);
  const reader = queue.iterate();
  expect(await reader.next()).toEqual({ done: false, value: '1' });
  await expect(reader.next()).rejects.toBe(failure);
  expect(await reader.next()).toEqual({ done: true, value: undefined });
});

test('a signal ends a waiting read with its reason and drops the rest [QUEUE-05]', async () => {
  const queue = new BoundedQueue<string>({ capacity: 4 });
  const controller = new AbortController();
  const reader = queue.iterate({ signal: controller.signal });
  const waiting = reader.next();
  const reason = new Error('stop');
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  expect(queue.push('1')).toBe(false);
  expect(await reader.next()).toEqual({ done: true, value: undefined });
});

test('a signal that fires with values waiting wins over them [QUEUE-05]', async () => {
  const queue = new BoundedQueue<string>({ capacity: 4 });
  const controller = new AbortController();
  const reader = queue.iterate({ signal: controller.signal });
  queue.push('1');
  controller.abort(new Error('stop'));
  await expect(reader.next()).rejects.toThrow('stop');
});

test('a producer learns that its reader has left [QUEUE-06]', async () => {
  const queue = new BoundedQueue<string>({ capacity: 1 });
  queue.push('1');
  const drained = queue.drained();
  for await (const _value of queue) {
    queue.push('2');
    break;
  }
  await drained;
  expect(queue.push('3')).toBe(false);
  await expect(queue.drained()).rejects.toBeInstanceOf(QueueClosedError);
});

test('a queue is read once [QUEUE-01]', () => {
  const queue = new BoundedQueue<string>({ capacity: 1 });
  queue.iterate();
  expect(() => queue.iterate()).toThrow(TypeError);
});
