import { parseTurnId, type ThreadEvent, type TurnId } from '@quire/protocol';
import { expect, test } from 'vitest';
import { EventBuffer } from '../src/event-buffer.ts';

const turnId = parseTurnId('turn') as TurnId;
const delta = (itemId: string, text: string): ThreadEvent => ({ kind: 'text-delta', turnId, itemId, delta: text });

async function taken(buffer: EventBuffer): Promise<readonly ThreadEvent[]> {
  const events: ThreadEvent[] = [];
  for await (const event of buffer.drain()) events.push(event);
  return events;
}

test('deltas that a slow reader has not taken yet are joined, item by item [AGENT-12]', async () => {
  const buffer = new EventBuffer();
  for (const event of [delta('a', '1'), delta('a', '2'), delta('b', '3'), delta('a', '4')]) buffer.push(event);
  buffer.end();

  expect(await taken(buffer)).toEqual([delta('a', '12'), delta('b', '3'), delta('a', '4')]);
});

test('a failure reaches the reader after what came before it [AGENT-13]', async () => {
  const buffer = new EventBuffer();
  buffer.push(delta('a', '1'));
  buffer.fail(new Error('broken'));
  const reader = buffer.drain();

  expect((await reader.next()).value).toEqual(delta('a', '1'));
  await expect(reader.next()).rejects.toThrow('broken');
});

test('a reader that waits is woken by each event [AGENT-14]', async () => {
  const buffer = new EventBuffer();
  const all = taken(buffer);
  await Promise.resolve();
  buffer.push(delta('a', '1'));
  await Promise.resolve();
  buffer.push(delta('b', '2'));
  buffer.end();

  expect(await all).toEqual([delta('a', '1'), delta('b', '2')]);
});
