import fs from 'node:fs';
import path from 'node:path';
import { formatUuidV7, type RolloutLine } from '@quire/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { createRollout, findLastRollout, listRollouts } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { SAMPLE_META, threadId, userMessage } from './sample.ts';

const FIRST_MS = new Date(2026, 1, 20, 10, 0, 0).getTime();
const HOUR_MS = 3_600_000;
const signal = new AbortController().signal;

afterEach(() => vi.restoreAllMocks());

interface Given {
  readonly hour: number;
  readonly cwd?: string;
  readonly lines?: readonly RolloutLine[];
  /** Unix seconds of the last write. */
  readonly updatedAtSeconds?: number;
  readonly baseInstructions?: string;
}

async function record(home: string, given: Given): Promise<string> {
  const startMs = FIRST_MS + given.hour * HOUR_MS;
  const rollout = await createRollout({
    home,
    threadId: threadId(formatUuidV7(startMs, new Uint8Array(10))),
    meta: { ...SAMPLE_META, cwd: given.cwd ?? '/repo', base_instructions: { text: given.baseInstructions ?? '' } },
    now: () => startMs,
  });
  rollout.append(given.lines ?? [userMessage]);
  rollout.close();
  if (given.updatedAtSeconds !== undefined) fs.utimesSync(rollout.path, given.updatedAtSeconds, given.updatedAtSeconds);
  return rollout.path;
}

test('threads are listed by the time they began, the last first, with header and time of the last write [STORE-52]', async () => {
  using home = temporaryFolder();
  const files: string[] = [];
  for (const hour of [0, 30, 1, 400 * 24]) files.push(await record(home.path, { hour, updatedAtSeconds: 1000 - hour }));
  const { threads: all } = await listRollouts({ home: home.path, limit: 10, signal });
  expect(all.map((summary) => summary.path)).toEqual([files[3], files[1], files[2], files[0]]);
  const startMs = FIRST_MS + 30 * HOUR_MS;
  const id = threadId(formatUuidV7(startMs, new Uint8Array(10)));
  expect(all[1]).toEqual({
    path: files[1],
    threadId: id,
    meta: { ...SAMPLE_META, id, timestamp: new Date(startMs).toISOString(), base_instructions: { text: '' } },
    updatedAtMs: 970_000,
    sizeBytes: fs.statSync(files[1] ?? '').size,
  });
});

test('only threads of exactly the given directory are listed [STORE-52]', async () => {
  using home = temporaryFolder();
  const wanted = await record(home.path, { hour: 0, cwd: '/repo' });
  await record(home.path, { hour: 1, cwd: '/repo/sub' });
  const { threads: found } = await listRollouts({ home: home.path, cwd: '/repo', limit: 10, signal });
  expect(found.map((summary) => summary.path)).toEqual([wanted]);
});

test('a long header is read whole; files without a readable one are passed over [STORE-53]', async () => {
  using home = temporaryFolder();
  const long = await record(home.path, { hour: 0, baseInstructions: '✓'.repeat(300_000) });
  await record(home.path, { hour: 1, baseInstructions: 'x'.repeat(1024 * 1024) });
  const torn = await record(home.path, { hour: 2 });
  fs.truncateSync(torn, 20);
  const odd = await record(home.path, { hour: 3 });
  fs.writeFileSync(odd, '{"type":"event_msg","payload":{"type":"x"}}\n');
  const gone = await record(home.path, { hour: 4 });
  fs.rmSync(gone);
  fs.symlinkSync('/nonexistent', gone);
  fs.writeFileSync(path.join(home.path, 'sessions', 'notes.txt'), 'not a rollout');
  const { threads: found } = await listRollouts({ home: home.path, limit: 10, signal });
  // The name of `odd` tells which thread it is, though its first line does not.
  expect(found.map((summary) => [summary.path, summary.meta.cwd])).toEqual([
    [odd, ''],
    [long, '/repo'],
  ]);
});

test('threads with a damaged first line are told of, where they are passed over, and only if somebody spoke in them [STORE-122]', async () => {
  using home = temporaryFolder();
  const damage = (file: string): string => {
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/^.*\n/, '{"type":"sess\n'));
    return file;
  };
  const older = damage(await record(home.path, { hour: 0 }));
  const good = await record(home.path, { hour: 1, updatedAtSeconds: 1000 });
  await record(home.path, { hour: 2, cwd: '/other' });
  const newer = damage(await record(home.path, { hour: 3 }));
  const silent = damage(await record(home.path, { hour: 4, lines: [] }));
  fs.utimesSync(older, 900, 900);
  const heard: string[] = [];
  const options = {
    home: home.path,
    cwd: '/repo',
    signal,
    onDamaged: ({ path: file }: { path: string }) => heard.push(file),
  };
  expect((await listRollouts({ ...options, limit: 10 })).threads.map((thread) => thread.path)).toEqual([good]);
  expect(heard.splice(0)).toEqual([newer, older]);
  expect((await findLastRollout(options))?.path).toBe(good);
  expect(heard.splice(0)).toEqual([newer]);
  const { cwd: _, ...anywhere } = options;
  const { threads: all } = await listRollouts({ ...anywhere, limit: 10 });
  expect([all.length, all[0]?.path, heard]).toEqual([5, silent, []]);
});

test('without any recorded thread the list is empty [STORE-52]', async () => {
  using home = temporaryFolder();
  expect(await listRollouts({ home: home.path, limit: 10, signal })).toEqual({ threads: [], nextCursor: undefined });
  expect(await findLastRollout({ home: home.path, signal })).toBeUndefined();
});

test('of 2,000 files a short list opens only what it shows, and looks into few folders [STORE-54]', async () => {
  using home = temporaryFolder();
  const template = fs.readFileSync(await record(home.path, { hour: 0 }), 'utf8');
  for (let index = 0; index < 2000; index += 1) {
    const day = String(1 + (index % 20)).padStart(2, '0');
    const folder = path.join(home.path, 'sessions', '2025', '06', day);
    if (index < 20) fs.mkdirSync(folder, { recursive: true });
    const id = formatUuidV7(index, new Uint8Array(10));
    fs.writeFileSync(path.join(folder, `rollout-2025-06-${day}T00-00-00-${id}.jsonl`), template);
  }
  const open = vi.spyOn(fs, 'openSync');
  const list = vi.spyOn(fs, 'readdirSync');
  const { threads: found } = await listRollouts({ home: home.path, limit: 11, signal });
  expect([found.length, open.mock.calls.length]).toEqual([11, 11]);
  // sessions, 2026, its month and day; 2025, its month and one day.
  expect(list.mock.calls.length).toBe(7);
});

test('an abort ends a listing with its reason [STORE-54]', async () => {
  using home = temporaryFolder();
  await record(home.path, { hour: 0 });
  const aborted = AbortSignal.abort(new Error('enough'));
  await expect(listRollouts({ home: home.path, limit: 1, signal: aborted })).rejects.toThrow('enough');
});

test('the last thread is the one written to most recently, in the directory, with a user message [STORE-55]', async () => {
  using home = temporaryFolder();
  const oldButResumed = await record(home.path, { hour: 0, updatedAtSeconds: 5000 });
  await record(home.path, { hour: 1, updatedAtSeconds: 4000 });
  await record(home.path, { hour: 2, updatedAtSeconds: 6000, lines: [] });
  const elsewhere = await record(home.path, { hour: 3, updatedAtSeconds: 7000, cwd: '/other' });
  const last = await findLastRollout({ home: home.path, cwd: '/repo', signal });
  const anywhere = await findLastRollout({ home: home.path, signal });
  expect([last?.path, anywhere?.path]).toEqual([oldButResumed, elsewhere]);
});

test('of two threads written to at the same time the one begun later is the last [STORE-55]', async () => {
  using home = temporaryFolder();
  await record(home.path, { hour: 0, updatedAtSeconds: 5000 });
  const later = await record(home.path, { hour: 1, updatedAtSeconds: 5000 });
  expect((await findLastRollout({ home: home.path, signal }))?.path).toBe(later);
});
