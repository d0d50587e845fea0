import fs from 'node:fs';
import path from 'node:path';
import type { RolloutLine } from '@quire/protocol';
import { expect, test } from 'vitest';
import { findRollout, listRollouts, openRollout, readRolloutBackwards } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const ID = '019c7a3e-0000-7000-8000-000000000001';
const REVERT = '019c7a3e-ffff-7000-8000-000000000002';

const ended = (turn: string): RolloutLine => ({ type: 'event_msg', payload: { type: 'task_complete', turn_id: turn } });

function numbered(ordinal: number | undefined, type: string, payload: object): string {
  const number = ordinal === undefined ? {} : { ordinal };
  return `${JSON.stringify({ timestamp: '2026-02-20T10:00:00.000Z', ...number, type, payload })}\n`;
}

function header(extra: object = {}): object {
  return { id: ID, timestamp: '2026-02-20T10:00:00.000Z', cwd: '/repo', source: 'exec', ...extra };
}

async function appended(text: string): Promise<readonly unknown[]> {
  using folder = temporaryFolder();
  const file = path.join(folder.path, `rollout-2026-02-20T10-00-00-${ID}.jsonl`);
  fs.writeFileSync(file, text);
  const before = text.split('\n').length - 1;
  const rollout = await openRollout(file, { now: () => 0 });
  rollout.append([ended('a'), ended('b')]);
  rollout.append([ended('c')]);
  rollout.close();
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(before);
  return lines.map((line) => (JSON.parse(line) as { ordinal?: number }).ordinal);
}

test('a file that numbers its lines goes on numbered, one that does not stays so [STORE-96]', async () => {
  const paginated = header({ history_mode: 'paginated' });
  const one = { type: 'task_started' };
  expect({
    numbered: await appended(
      numbered(/* ordinal */ 7, 'session_meta', paginated) + numbered(/* ordinal */ 8, 'event_msg', one),
    ),
    plain: await appended(
      numbered(/* ordinal */ undefined, 'session_meta', header()) + numbered(/* ordinal */ undefined, 'event_msg', one),
    ),
    mixed: await appended(
      numbered(/* ordinal */ 0, 'session_meta', paginated) +
        numbered(/* ordinal */ 1, 'event_msg', one) +
        numbered(/* ordinal */ undefined, 'event_msg', one),
    ),
    headerOnly: await appended(numbered(/* ordinal */ 0, 'session_meta', paginated)),
  }).toEqual({
    numbered: [9, 10, 11],
    plain: [undefined, undefined, undefined],
    mixed: [3, 4, 5],
    headerOnly: [1, 2, 3],
  });
});

test('a thread that goes on in a second file after a revert is that file, with the first one behind it [STORE-97]', async () => {
  using home = temporaryFolder();
  const first = path.join(home.path, 'sessions/2026/02/20', `rollout-2026-02-20T10-00-00-${ID}.jsonl`);
  const second = path.join(home.path, 'sessions/2026/03/01', `rollout-2026-03-01T10-00-00-${ID}_${REVERT}.jsonl`);
  for (const file of [first, second]) fs.mkdirSync(path.dirname(file), { recursive: true });
  const kept =
    numbered(/* ordinal */ 0, 'session_meta', header({ history_mode: 'paginated' })) +
    numbered(/* ordinal */ 1, 'event_msg', { type: 'task_complete', turn_id: 'kept' });
  fs.writeFileSync(
    first,
    kept + numbered(/* ordinal */ 2, 'event_msg', { type: 'task_complete', turn_id: 'reverted' }),
  );
  const base = { thread_id: ID, end_ordinal_exclusive: 2, end_byte_offset: Buffer.byteLength(kept) };
  fs.writeFileSync(
    second,
    numbered(/* ordinal */ 2, 'session_meta', header({ history_mode: 'paginated', history_base: base })) +
      numbered(/* ordinal */ 3, 'event_msg', { type: 'task_complete', turn_id: 'new' }),
  );

  const { signal } = new AbortController();
  const found = findRollout({ home: home.path, idOrPath: ID, cwd: '/' });
  const turns: unknown[] = [];
  await readRolloutBackwards(found, {
    home: home.path,
    signal,
    onLine: (line) => {
      if (line.type === 'event_msg') turns.push(line.payload['turn_id']);
      return 'continue';
    },
  });
  const { threads } = await listRollouts({ home: home.path, limit: 10, signal });
  expect({ found, turns, listed: threads.map((thread) => thread.path) }).toEqual({
    found: second,
    turns: ['new', 'kept'],
    listed: [second],
  });
});
