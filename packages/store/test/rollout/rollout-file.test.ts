import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import path from 'node:path';
import type { RolloutLine } from '@quire/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { createMemoryRollout, createRollout, openRollout, RolloutError } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { readAll, SAMPLE_LINES, SAMPLE_META, threadId, userMessage } from './sample.ts';

const ID = threadId('01a1fb9d-feda-7962-89cf-93dc3792b5aa');
/** 20 February 2026, 10:00:05.007, local time. */
const START_MS = new Date(2026, 1, 20, 10, 0, 5, 7).getTime();
const META = { ...SAMPLE_META, id: ID, timestamp: new Date(START_MS).toISOString() };
const HEADER: RolloutLine = { type: 'session_meta', payload: META };
const now = (): number => START_MS;

afterEach(() => vi.restoreAllMocks());

test('a new rollout has its dated place, private modes and a header before anything else happens [STORE-30] [STORE-31]', async () => {
  using folder = temporaryFolder();
  using rollout = await createRollout({ home: folder.path, threadId: ID, meta: SAMPLE_META, now });

  const sessions = path.join(folder.path, 'sessions');
  expect(rollout.path).toBe(path.join(sessions, '2026', '02', '20', `rollout-2026-02-20T10-00-05-${ID}.jsonl`));
  expect(fs.readFileSync(rollout.path, 'utf8')).toBe(
    `{"timestamp":"${META.timestamp}","type":"session_meta","payload":${JSON.stringify({ ...SAMPLE_META, id: ID, timestamp: META.timestamp })}}\n`,
  );
  expect(fs.statSync(rollout.path).mode & 0o777).toBe(0o600);
  const folders = [sessions, path.join(sessions, '2026'), path.dirname(rollout.path)];
  expect(folders.map((each) => fs.statSync(each).mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
});

test('lines come back as they went in, unknown items with every field [STORE-32]', async () => {
  using folder = temporaryFolder();
  using rollout = await createRollout({ home: folder.path, threadId: ID, meta: SAMPLE_META, now });
  rollout.append(SAMPLE_LINES);
  rollout.append([]);

  expect(await readAll(rollout.path)).toEqual({
    meta: META,
    lines: SAMPLE_LINES.length + 1,
    skippedLines: 0,
    tornBytes: 0,
    all: [HEADER, ...SAMPLE_LINES],
  });
  const items = fs.readFileSync(rollout.path, 'utf8').trimEnd().split('\n');
  expect(JSON.parse(items[5] ?? '')).toEqual({
    timestamp: META.timestamp,
    type: 'response_item',
    payload: { type: 'novelty', nested: { keep: [1, null] } },
  });
});

test('a listener hears each line after it was written, the header first [STORE-32]', async () => {
  using folder = temporaryFolder();
  const heard: RolloutLine[] = [];
  using rollout = await createRollout({
    home: folder.path,
    threadId: ID,
    meta: SAMPLE_META,
    now,
    onLine: (line) => heard.push(line),
  });
  rollout.append([userMessage]);
  expect(heard).toEqual([HEADER, userMessage]);
});

test('a reader sees whole lines while the writer goes on [STORE-33]', async () => {
  using folder = temporaryFolder();
  using rollout = await createRollout({ home: folder.path, threadId: ID, meta: SAMPLE_META, now });
  for (let round = 1; round <= 50; round += 1) {
    const reading = readAll(rollout.path);
    rollout.append([userMessage, userMessage]);
    const { lines, skippedLines, tornBytes } = await reading;
    expect([skippedLines, tornBytes]).toEqual([0, 0]);
    expect([2 * round - 1, 2 * round + 1]).toContain(lines);
  }
});

/** Some thousand files are written to the disk. */
const SLOW_DISK_MS = 120_000;

test(
  'a file cut at any byte loses no earlier line, and takes new ones [STORE-34]',
  async () => {
    using folder = temporaryFolder();
    const original = await createRollout({ home: folder.path, threadId: ID, meta: SAMPLE_META, now });
    original.append(SAMPLE_LINES);
    original.close();
    const bytes = fs.readFileSync(original.path);
    const headerEnd = bytes.indexOf(10);
    const file = path.join(folder.path, 'cut.jsonl');

    for (let length = 0; length <= bytes.length; length += 1) {
      const cut = bytes.subarray(0, length);
      fs.writeFileSync(file, cut);
      if (length < headerEnd) {
        await expect(openRollout(file, { now })).rejects.toMatchObject({ code: 'no-header', path: file });
        await expect(readAll(file)).rejects.toMatchObject({ code: 'no-header', path: file });
        expect(fs.readFileSync(file).equals(cut)).toBe(true);
        continue;
      }
      // A line counts when it is complete; its line feed may be missing.
      const complete = cut.filter((byte) => byte === 10).length + (bytes[length] === 10 ? 1 : 0);
      const tornBytes = bytes[length] === 10 ? 0 : length - (cut.lastIndexOf(10) + 1);
      const before = await readAll(file);
      expect(before).toEqual({
        meta: META,
        lines: complete,
        skippedLines: 0,
        tornBytes,
        all: [HEADER, ...SAMPLE_LINES].slice(0, complete),
      });

      const reopened = await openRollout(file, { now });
      expect(reopened.tornBytes).toBe(tornBytes);
      reopened.append([userMessage]);
      reopened.close();

      const after = await readAll(file);
      expect(after).toEqual({ ...before, lines: complete + 1, tornBytes: 0, all: [...before.all, userMessage] });
    }
  },
  SLOW_DISK_MS,
);

test('a torn tail longer than one read is cut off [STORE-34]', async () => {
  using folder = temporaryFolder();
  using rollout = await createRollout({ home: folder.path, threadId: ID, meta: SAMPLE_META, now });
  const torn = `{"timestamp":"x","type":"response_item","payload":"${'✓'.repeat(100_000)}`;
  fs.appendFileSync(rollout.path, torn);
  using reopened = await openRollout(rollout.path, { now });
  expect([reopened.tornBytes, (await readAll(rollout.path)).lines]).toEqual([Buffer.byteLength(torn), 1]);
});

test('what can not be created is an error that names the file, and nothing is left behind [STORE-36]', async () => {
  using folder = temporaryFolder();
  fs.writeFileSync(path.join(folder.path, 'sessions'), 'in the way');
  const options = { home: folder.path, threadId: ID, meta: SAMPLE_META, now };
  const error = await createRollout(options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RolloutError);
  expect(error).toMatchObject({ code: 'not-writable' });
  expect(String(error)).toContain(`rollout-2026-02-20T10-00-05-${ID}.jsonl can not be written`);
  expect(fs.readdirSync(folder.path)).toEqual(['sessions']);
});

test.each([
  [
    'the disk is full',
    () =>
      vi.spyOn(fs, 'writeSync').mockImplementation(() => {
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      }),
  ],
  [
    'the header can not be made durable',
    () =>
      vi
        .spyOn(fs, 'fdatasync')
        .mockImplementation((_fd, done) => done(Object.assign(new Error('io'), { code: 'EIO' }))),
  ],
])('when %s no rollout is created and no file stays [STORE-36]', async (_title, breakDisk) => {
  using folder = temporaryFolder();
  breakDisk();
  const error = await createRollout({ home: folder.path, threadId: ID, meta: SAMPLE_META, now }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'RolloutError', code: 'not-writable' });
  expect(fs.readdirSync(path.join(folder.path, 'sessions/2026/02/20'))).toEqual([]);
});

test('a system that can not flush folders is good enough [STORE-31]', async () => {
  using folder = temporaryFolder();
  const open = vi.spyOn(fsPromises, 'open').mockRejectedValue(Object.assign(new Error('no'), { code: 'EISDIR' }));
  using rollout = await createRollout({ home: folder.path, threadId: ID, meta: SAMPLE_META, now });
  expect(open).toHaveBeenCalled();
  open.mockRestore();
  expect((await readAll(rollout.path)).lines).toBe(1);
});

test('an existing rollout is never overwritten [STORE-36]', async () => {
  using folder = temporaryFolder();
  const options = { home: folder.path, threadId: ID, meta: SAMPLE_META, now };
  using first = await createRollout(options);
  first.append([userMessage]);
  await expect(createRollout(options)).rejects.toMatchObject({ code: 'not-writable', path: first.path });
  expect((await readAll(first.path)).lines).toBe(2);
});

test('opening a missing file and appending to a closed one are typed errors [STORE-36]', async () => {
  using folder = temporaryFolder();
  const missing = path.join(folder.path, 'missing.jsonl');
  await expect(openRollout(missing, { now })).rejects.toMatchObject({ code: 'not-found', path: missing });
  const rollout = await createRollout({ home: folder.path, threadId: ID, meta: SAMPLE_META, now });
  rollout.close();
  rollout.close();
  expect(() => rollout.append([userMessage])).toThrow(expect.objectContaining({ code: 'closed', path: rollout.path }));
});

test('a thread without a record keeps in memory what it still needs: what a compaction replaced goes [STORE-37]', () => {
  const rollout = createMemoryRollout();
  rollout.append(SAMPLE_LINES);
  rollout.close();
  expect(rollout.lines.map(({ type }) => type)).toEqual(['turn_context', 'response_item', 'compacted', 'event_msg']);
});
