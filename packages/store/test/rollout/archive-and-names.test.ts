import fs from 'node:fs';
import path from 'node:path';
import { formatUuidV7, type ThreadId } from '@quire/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import {
  archiveRollout,
  archiveThread,
  createRollout,
  findRollout,
  forkRollout,
  listRollouts,
  setThreadName,
  unarchiveRollout,
  unarchiveThread,
} from '../../src/index.ts';
import { readThreadNames } from '../../src/rollout/thread-names.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { SAMPLE_META, threadId, userMessage } from './sample.ts';

const FIRST_MS = new Date(2026, 1, 20, 10, 0, 0).getTime();
const HOUR_MS = 3_600_000;
const signal = new AbortController().signal;

afterEach(() => vi.restoreAllMocks());

function idAt(hour: number): ThreadId {
  return threadId(formatUuidV7(FIRST_MS + hour * HOUR_MS, new Uint8Array(10)));
}

async function record(home: string, hour: number): Promise<string> {
  const now = () => FIRST_MS + hour * HOUR_MS;
  const rollout = await createRollout({ home, threadId: idAt(hour), meta: SAMPLE_META, now });
  rollout.append([userMessage]);
  rollout.close();
  return rollout.path;
}

const paths = async (options: { home: string; archived?: boolean; limit?: number; cursor?: string }) => {
  const { threads, nextCursor } = await listRollouts({ limit: 10, signal, ...options });
  return { paths: threads.map((thread) => thread.path), nextCursor };
};

test('a thread that is put away is found and not listed, until it is put back [STORE-90]', async () => {
  using home = temporaryFolder();
  const file = await record(home.path, /* hour */ 0);
  const stays = await record(home.path, /* hour */ 1);
  const bytes = fs.readFileSync(file);
  const archived = await archiveRollout({ home: home.path, path: file });

  expect(archived).toBe(path.join(home.path, 'archived_sessions', path.basename(file)));
  expect(fs.readFileSync(archived).equals(bytes)).toBe(true);
  expect((await paths({ home: home.path })).paths).toEqual([stays]);
  expect((await paths({ home: home.path, archived: true })).paths).toEqual([archived]);
  expect(findRollout({ home: home.path, idOrPath: idAt(/* hour */ 0), cwd: '/' })).toBe(archived);
  expect(await archiveRollout({ home: home.path, path: archived })).toBe(archived);

  expect(await unarchiveRollout({ home: home.path, path: archived })).toBe(file);
  expect(await unarchiveRollout({ home: home.path, path: file })).toBe(file);
  expect((await paths({ home: home.path })).paths).toEqual([stays, file]);
});

/** The peer goes on in a second file after a revert. */
async function recordTwoFiles(home: string): Promise<{ readonly first: string; readonly second: string }> {
  const first = await record(home, /* hour */ 0);
  const second = path.join(
    home,
    'sessions/2026/03/01',
    `rollout-2026-03-01T10-00-00-${idAt(/* hour */ 0)}_${idAt(/* hour */ 5)}.jsonl`,
  );
  fs.mkdirSync(path.dirname(second), { recursive: true });
  const text = fs.readFileSync(first, 'utf8').replace('"source"', '"history_mode":"paginated","source"');
  for (const file of [first, second]) fs.writeFileSync(file, text);
  return { first, second };
}

test('a thread is put away and back with all of its files, by either of them or its id [STORE-88]', async () => {
  using home = temporaryFolder();
  const { first, second } = await recordTwoFiles(home.path);
  const stays = await record(home.path, /* hour */ 1);
  const threadOf = { home: home.path, threadId: idAt(/* hour */ 0) };
  const archivedNames = () => fs.readdirSync(path.join(home.path, 'archived_sessions')).sort();
  const both = [path.basename(first), path.basename(second)];
  for (const file of [first, second]) {
    const archived = await archiveRollout({ home: home.path, path: file });
    expect(path.basename(archived)).toBe(path.basename(file));
    expect([archivedNames(), fs.existsSync(first), fs.existsSync(second)]).toEqual([both, false, false]);
    expect(await unarchiveRollout({ home: home.path, path: archived })).toBe(file);
    expect([archivedNames(), fs.existsSync(first), fs.existsSync(second)]).toEqual([[], true, true]);
  }
  expect(await archiveThread(threadOf)).toBe(path.join(home.path, 'archived_sessions', path.basename(second)));
  expect((await paths({ home: home.path })).paths).toEqual([stays]);
  expect(await unarchiveThread(threadOf)).toBe(second);
  expect((await paths({ home: home.path })).paths).toEqual([second, stays]);
});

test('what was half put away is put away as a whole, and back [STORE-88]', async () => {
  using home = temporaryFolder();
  const { first, second } = await recordTwoFiles(home.path);
  const archive = path.join(home.path, 'archived_sessions');
  fs.mkdirSync(archive);
  const archived = path.join(archive, path.basename(first));
  fs.renameSync(first, archived);
  expect(await archiveRollout({ home: home.path, path: archived })).toBe(archived);
  expect([fs.existsSync(second), fs.readdirSync(archive).length]).toEqual([false, 2]);
});

test('when one file of a thread can not be moved, all stay [STORE-88]', async () => {
  using home = temporaryFolder();
  const { first, second } = await recordTwoFiles(home.path);
  const target = path.join(home.path, 'archived_sessions', path.basename(second));
  fs.mkdirSync(path.dirname(target));
  fs.writeFileSync(target, 'another');
  const archive = () => archiveRollout({ home: home.path, path: second });
  await expect(archive()).rejects.toMatchObject({ code: 'not-writable' });
  expect([fs.existsSync(first), fs.existsSync(second)]).toEqual([true, true]);
  fs.rmSync(target);
  fs.writeFileSync(`${second}.lock`, `${JSON.stringify({ pid: process.ppid })}\n`);
  await expect(archive()).rejects.toMatchObject({ code: 'in-use' });
  expect([fs.existsSync(first), fs.existsSync(`${first}.lock`)]).toEqual([true, false]);
});

test('a draft that a killed process left is removed after an hour, by any that writes there [STORE-89]', async () => {
  using home = temporaryFolder();
  const source = await record(home.path, /* hour */ 0);
  const archive = path.join(home.path, 'archived_sessions');
  fs.mkdirSync(archive);
  const leave = (folder: string, name: string, ageMs: number) => {
    const draft = path.join(folder, name);
    fs.writeFileSync(draft, '');
    const time = new Date(Date.now() - ageMs);
    fs.utimesSync(draft, time, time);
    return draft;
  };
  const drafts = (folder: string) => fs.readdirSync(folder).filter((name) => name.endsWith('.draft'));
  const day = path.dirname(source);
  const fresh = `rollout-fresh.jsonl.draft`;
  leave(day, fresh, HOUR_MS / 2);
  leave(day, 'mine.draft', 2 * HOUR_MS);

  leave(day, 'rollout-old.jsonl.draft', 2 * HOUR_MS);
  await record(home.path, /* hour */ 1);
  expect(drafts(day)).toEqual(['mine.draft', fresh]);

  leave(day, 'rollout-old.jsonl.draft', 2 * HOUR_MS);
  const now = () => FIRST_MS;
  const fork = { home: home.path, source, threadId: idAt(/* hour */ 3), meta: SAMPLE_META, now };
  (await forkRollout({ ...fork, signal })).close();
  expect(drafts(day)).toEqual(['mine.draft', fresh]);

  leave(archive, 'rollout-old.jsonl.draft', 2 * HOUR_MS);
  await archiveRollout({ home: home.path, path: source });
  expect(drafts(archive)).toEqual([]);
});

test('between two file systems a thread is copied before it is removed [STORE-91]', async () => {
  using home = temporaryFolder();
  const file = await record(home.path, /* hour */ 0);
  const bytes = fs.readFileSync(file);
  const rename = fs.renameSync;
  vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    if (from === file) throw Object.assign(new Error('cross-device'), { code: 'EXDEV' });
    rename(from, to);
  });
  const archived = await archiveRollout({ home: home.path, path: file });
  expect(fs.readFileSync(archived).equals(bytes)).toBe(true);
  expect([fs.existsSync(file), fs.readdirSync(path.dirname(archived))]).toEqual([false, [path.basename(file)]]);
});

test('what can not be moved stays where it is [STORE-91]', async () => {
  using home = temporaryFolder();
  const file = await record(home.path, /* hour */ 0);
  const target = path.join(home.path, 'archived_sessions', path.basename(file));
  fs.mkdirSync(path.dirname(target));
  fs.writeFileSync(target, 'another');
  await expect(archiveRollout({ home: home.path, path: file })).rejects.toMatchObject({
    code: 'not-writable',
    message: `${file} can not be moved to ${path.dirname(target)}: it exists already`,
  });
  expect([fs.existsSync(file), fs.readFileSync(target, 'utf8')]).toEqual([true, 'another']);

  fs.writeFileSync(`${file}.lock`, `${JSON.stringify({ pid: process.ppid })}\n`);
  fs.rmSync(target);
  await expect(archiveRollout({ home: home.path, path: file })).rejects.toMatchObject({ code: 'in-use' });
  await expect(archiveRollout({ home: home.path, path: `${file}x` })).rejects.toMatchObject({ code: 'not-found' });
  const odd = path.join(home.path, 'odd.jsonl');
  await expect(unarchiveRollout({ home: home.path, path: odd })).rejects.toMatchObject({ code: 'not-found' });
});

test('a listing goes on where an earlier one stopped [STORE-92]', async () => {
  using home = temporaryFolder();
  const files: string[] = [];
  for (const hour of [0, 1, 30, 31, 900]) files.unshift(await record(home.path, hour));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await paths({ home: home.path, limit: 2, ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.paths);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(seen).toEqual(files);
});

test('the last name counts, beside lines of the peer and damage; an empty one takes it away [STORE-93]', async () => {
  using home = temporaryFolder();
  const file = path.join(home.path, 'session_index.jsonl');
  expect(readThreadNames(home.path)).toEqual(new Map());
  fs.writeFileSync(
    file,
    `{"id":"${idAt(/* hour */ 0)}","thread_name":"theirs","updated_at":"T"}\nnot json\n{"id":"half`,
  );
  const now = () => FIRST_MS;
  setThreadName({ home: home.path, threadId: idAt(/* hour */ 1), name: ' mine ', now });
  expect(readThreadNames(home.path)).toEqual(
    new Map([
      [idAt(/* hour */ 0), 'theirs'],
      [idAt(/* hour */ 1), 'mine'],
    ]),
  );
  expect(fs.readFileSync(file, 'utf8').split('\n').at(-2)).toBe(
    `{"id":"${idAt(/* hour */ 1)}","thread_name":"mine","updated_at":"${new Date(FIRST_MS).toISOString()}"}`,
  );
  setThreadName({ home: home.path, threadId: idAt(/* hour */ 0), name: '', now });
  setThreadName({ home: home.path, threadId: idAt(/* hour */ 1), name: 'pass-word-1', now, secrets: ['pass-word-1'] });
  expect(readThreadNames(home.path)).toEqual(new Map([[idAt(/* hour */ 1), '[redacted:known-value]']]));
});

test('a name that can not be written is an error that names the file [STORE-93]', () => {
  using home = temporaryFolder();
  fs.mkdirSync(path.join(home.path, 'session_index.jsonl'));
  const options = { home: home.path, threadId: idAt(/* hour */ 0), name: 'x', now: () => 0 };
  expect(() => setThreadName(options)).toThrow(/session_index\.jsonl can not be written: it is a directory$/);
  expect(readThreadNames(home.path)).toEqual(new Map());
});

test('a thread is found by its name and by the beginning of its id, when only one has them [STORE-94]', async () => {
  using home = temporaryFolder();
  const files = [await record(home.path, /* hour */ 0), await record(home.path, /* hour */ 1)];
  const find = (idOrPath: string) => findRollout({ home: home.path, idOrPath, cwd: '/' });
  const now = () => 0;
  setThreadName({ home: home.path, threadId: idAt(/* hour */ 0), name: 'fix the build', now });
  expect(find('fix the build')).toBe(files[0]);
  expect(find(idAt(/* hour */ 1).slice(0, 13).toUpperCase())).toBe(files[1]);
  expect(() => find(idAt(/* hour */ 1).slice(0, 5))).toThrow(
    `"${idAt(/* hour */ 1).slice(0, 5)}" fits 2 threads: ${idAt(/* hour */ 1)}, ${idAt(/* hour */ 0)}; name one by its id`,
  );
  setThreadName({ home: home.path, threadId: idAt(/* hour */ 1), name: 'fix the build', now });
  expect(() => find('fix the build')).toThrow(expect.objectContaining({ code: 'ambiguous' }));
  // The name of a thread that is gone is nobody's.
  fs.rmSync(files[1] ?? '');
  expect(find('fix the build')).toBe(files[0]);
  expect(() => find('no such')).toThrow(expect.objectContaining({ code: 'not-found' }));
});

test('a message that begins with an image begins with a word for it [THR-35]', async () => {
  using home = temporaryFolder();
  const rollout = await createRollout({
    home: home.path,
    threadId: idAt(/* hour */ 0),
    meta: SAMPLE_META,
    now: () => FIRST_MS,
  });
  const text = (words: string) => ({ type: 'input_text', text: words }) as const;
  const content = [
    text('<image name=[Image #1] path="/a/b.png">'),
    { type: 'input_image', image_url: 'data:image/png;base64,AAAA' } as const,
    text('</image>'),
    text('what is\n</image> here?'),
  ];
  rollout.append([{ type: 'response_item', payload: { type: 'message', role: 'user', content } }]);
  rollout.close();
  const [shown] = (await listRollouts({ home: home.path, limit: 5, signal, withPreview: true })).threads;
  expect(shown?.preview).toBe('[image] what is </image> here?');
});

test('a list shows names and, when asked, what a person said first [STORE-95]', async () => {
  using home = temporaryFolder();
  await record(home.path, /* hour */ 0);
  setThreadName({ home: home.path, threadId: idAt(/* hour */ 0), name: 'first', now: () => 0 });
  const options = { home: home.path, limit: 5, signal };
  const [plain] = (await listRollouts(options)).threads;
  const [shown] = (await listRollouts({ ...options, withPreview: true })).threads;
  expect([plain?.name, plain?.preview, shown?.preview]).toEqual(['first', undefined, 'Grüße ✓']);
});
