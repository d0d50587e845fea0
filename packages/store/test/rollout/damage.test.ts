import fs from 'node:fs';
import path from 'node:path';
import { ThreadReconstruction } from '@quire/core';
import type { RolloutLine } from '@quire/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { createRollout, listRollouts, openRollout, readRolloutBackwards, setThreadName } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { SAMPLE_LINES, SAMPLE_META, threadId, userMessage } from './sample.ts';

const ID = threadId('01a1fb9d-feda-7962-89cf-93dc3792b5aa');
const signal = new AbortController().signal;

afterEach(() => vi.restoreAllMocks());

const FOREIGN = [
  '{"timestamp":"T","ordinal":3,"type":"world_state","payload":{"full":true}}',
  '{"timestamp":"T","ordinal":4,"type":"token_usage_record","payload":{"usage":{}}}',
  '{"timestamp":"T","ordinal":5,"type":"event_msg","payload":{"type":"item_completed","item":{"type":"UserMessage"}},"metadata":{}}',
];

async function sample(home: string): Promise<{ readonly file: string; readonly bytes: Buffer }> {
  const rollout = await createRollout({ home, threadId: ID, meta: SAMPLE_META, now: () => 0 });
  rollout.append(SAMPLE_LINES);
  rollout.close();
  fs.appendFileSync(rollout.path, `${FOREIGN.join('\n')}\n`);
  const more = await fs.promises.readFile(rollout.path);
  const tail = `${JSON.stringify({ timestamp: 'T', ...userMessage })}\n`;
  fs.appendFileSync(rollout.path, tail);
  return { file: rollout.path, bytes: Buffer.concat([more, Buffer.from(tail)]) };
}

/** What a resume finds in the file, and that reading it changes nothing. */
async function resume(file: string, home: string): Promise<readonly RolloutLine[]> {
  const before = fs.readFileSync(file);
  const lines: RolloutLine[] = [];
  const reconstruction = new ThreadReconstruction();
  const { meta } = await readRolloutBackwards(file, {
    home,
    onLine: (line) => {
      lines.push(line);
      reconstruction.addOlder(line);
      return 'continue';
    },
    signal,
  });
  reconstruction.finish(meta);
  expect(meta.id).toBe(ID);
  expect(fs.readFileSync(file).equals(before)).toBe(true);
  return lines.reverse();
}

/** Behind each line feed. */
function lineEnds(bytes: Buffer): readonly number[] {
  const ends: number[] = [];
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, end + 1)) ends.push(end + 1);
  return ends;
}

test('cut at any byte, a thread is listed and resumed with every whole line before the cut [STORE-65]', async () => {
  using home = temporaryFolder();
  const { file, bytes } = await sample(home.path);
  const all = await resume(file, home.path);
  const ends = lineEnds(bytes);
  // Of what is not read as a line of ours nothing can be missing.
  const isOurs = bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => !/"(world_state|token_usage_record)"/.test(line));
  for (let length = bytes.length; length > (ends[0] ?? 0); length -= 1) {
    fs.truncateSync(file, length);
    const whole = isOurs.filter((ours, index) => ours && (ends[index] ?? 0) <= length + 1).length;
    expect(await resume(file, home.path)).toEqual(all.slice(0, whole));
    expect((await listRollouts({ home: home.path, limit: 2, signal })).threads).toHaveLength(1);
  }
});

test('with any byte flipped, a thread is listed and resumed with every other line [STORE-66]', async () => {
  using home = temporaryFolder();
  const { file, bytes } = await sample(home.path);
  const all = (await resume(file, home.path)).map((line) => JSON.stringify(line));
  const flips = [0x01, 0x80];
  for (let offset = 0; offset < bytes.length; offset += 1) {
    const damaged = Buffer.from(bytes);
    damaged[offset] = (bytes[offset] ?? 0) ^ (flips[offset % 2] ?? 1);
    fs.writeFileSync(file, damaged);
    const left = new Set((await resume(file, home.path)).map((line) => JSON.stringify(line)));
    const missing = all.filter((line) => !left.has(line)).length;
    // A line feed that is lost joins two lines.
    expect([offset, missing <= (bytes[offset] === 10 ? 2 : 1)]).toEqual([offset, true]);
    expect((await listRollouts({ home: home.path, limit: 2, signal })).threads).toHaveLength(1);
  }
});

test('a home that can only be read lists and resumes, and refuses to write in one line [STORE-67]', async () => {
  using home = temporaryFolder();
  const { file, bytes } = await sample(home.path);
  const open = fs.openSync;
  vi.spyOn(fs, 'openSync').mockImplementation((name, flags, mode) => {
    if (flags !== 'r') throw Object.assign(new Error('read-only'), { code: 'EROFS' });
    return open(name, flags, mode);
  });
  expect((await listRollouts({ home: home.path, limit: 2, signal })).threads).toHaveLength(1);
  expect(await resume(file, home.path)).not.toEqual([]);
  await expect(openRollout(file, { now: () => 0 })).rejects.toMatchObject({
    code: 'not-writable',
    message: `${file} can not be written: the file system is read-only`,
  });
  const naming = () => setThreadName({ home: home.path, threadId: ID, name: 'x', now: () => 0 });
  expect(naming).toThrow(/can not be written: the file system is read-only$/);
  expect(fs.readFileSync(file).equals(bytes)).toBe(true);
});

test('names that can not be read hide no thread [STORE-67]', async () => {
  using home = temporaryFolder();
  await sample(home.path);
  fs.mkdirSync(path.join(home.path, 'session_index.jsonl'));
  expect((await listRollouts({ home: home.path, limit: 2, signal })).threads).toHaveLength(1);
});
