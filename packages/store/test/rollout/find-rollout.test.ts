import fs from 'node:fs';
import path from 'node:path';
import { formatUuidV7, type ThreadId } from '@quire/protocol';
import { describe, expect, test, vi } from 'vitest';
import { findRollout, RolloutError, setThreadName } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const BEGAN_MS = new Date(2026, 1, 20, 10, 0, 0).getTime();
const ID = formatUuidV7(BEGAN_MS, new Uint8Array(10).fill(7)) as ThreadId;
const OLD_ID = '3f2c8a52-4f5e-4b1a-9d55-0c1f0f6a1b2c';

function put(home: string, folder: string, id: string): string {
  const file = path.join(home, folder, `rollout-2026-02-20T10-00-00-${id}.jsonl`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, '');
  return file;
}

describe('a thread is found by its id', () => {
  test.each([
    ['in the folder of its day', 'sessions/2026/02/20', ID],
    ['in the folder of the day after, as another time zone would have it', 'sessions/2026/02/21', ID],
    ['in the folder of the day before', 'sessions/2026/02/19', ID],
    ['in any other folder', 'sessions/2024/12/31', ID],
    ['in the archive', 'archived_sessions', ID],
    ['when the id holds no time', 'sessions/2025/05/07', OLD_ID],
  ])('%s [STORE-50]', (_title, folder, id) => {
    using home = temporaryFolder();
    put(home.path, 'sessions/2026/02/20', '3f2c8a52-4f5e-4b1a-9d55-000000000000');
    const file = put(home.path, folder, id);
    expect(findRollout({ home: home.path, idOrPath: id.toUpperCase(), cwd: '/' })).toBe(file);
  });
});

test('a path is taken as it is, a relative one from the working directory [STORE-50]', () => {
  using home = temporaryFolder();
  const file = put(home.path, 'elsewhere', ID);
  const relative = path.relative(home.path, file);
  expect([
    findRollout({ home: '/nonexistent', idOrPath: file, cwd: '/' }),
    findRollout({ home: '/nonexistent', idOrPath: relative, cwd: home.path }),
  ]).toEqual([file, file]);
});

test('what does not look like a path is one only when no thread fits it [STORE-50]', () => {
  using home = temporaryFolder();
  const thread = put(home.path, 'sessions/2026/02/20', ID);
  const beginning = ID.slice(0, 8);
  fs.writeFileSync(path.join(home.path, 'build'), '');
  fs.writeFileSync(path.join(home.path, beginning), '');
  fs.writeFileSync(path.join(home.path, 'a name.jsonl'), '');
  for (const name of ['build', 'a name.jsonl']) setThreadName({ home: home.path, threadId: ID, name, now: () => 0 });
  const find = (idOrPath: string) => findRollout({ home: home.path, idOrPath, cwd: home.path });
  expect(find('a name.jsonl')).toBe(path.join(home.path, 'a name.jsonl'));
  expect(find(`./${beginning}`)).toBe(path.join(home.path, beginning));
  expect(find(beginning)).toBe(thread);
  expect(find('build')).toBe(path.join(home.path, 'build'));
  setThreadName({ home: home.path, threadId: ID, name: 'build', now: () => 0 });
  expect(find('build')).toBe(thread);
});

test('a name that many threads had that are gone costs one walk [STORE-98]', () => {
  using home = temporaryFolder();
  const thread = put(home.path, 'sessions/2026/02/20', ID);
  for (let day = 1; day <= 9; day += 1) put(home.path, `sessions/2025/05/0${day}`, OLD_ID);
  const dead = Array.from({ length: 50 }, (_, index) => formatUuidV7(index, new Uint8Array(10)) as ThreadId);
  for (const threadId of [...dead, ID]) setThreadName({ home: home.path, threadId, name: 'fix', now: () => 0 });
  const read = vi.spyOn(fs, 'readdirSync');
  expect(findRollout({ home: home.path, idOrPath: 'fix', cwd: '/' })).toBe(thread);
  // Two roots, two years, two months, ten days.
  expect(read.mock.calls.length).toBeLessThanOrEqual(16);
  read.mockRestore();
});

test('what is not found is an error that says where it was looked for and how to list [STORE-51]', () => {
  using home = temporaryFolder();
  const sessions = path.join(home.path, 'sessions');
  const failures = [ID, 'nope'].map((idOrPath) => {
    try {
      return findRollout({ home: home.path, idOrPath, cwd: home.path });
    } catch (error) {
      return error instanceof RolloutError ? [error.code, error.message] : error;
    }
  });
  expect(failures).toEqual([
    ['not-found', `no thread ${ID} is recorded in ${sessions}; list the recorded ones with: quire thread list --all`],
    [
      'not-found',
      `"nope" is neither a thread id nor a rollout file, and no thread has that name; list the recorded ones with: quire thread list --all`,
    ],
  ]);
});
