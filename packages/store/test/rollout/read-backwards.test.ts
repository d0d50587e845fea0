import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RolloutLine } from '@quire/protocol';
import { expect, test } from 'vitest';
import { createRollout, readRolloutBackwards } from '../../src/index.ts';
import { decodeLine, FOREIGN_LINE } from '../../src/rollout/decode-line.ts';
import { readLineage } from '../../src/rollout/read-lineage.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { readAll, SAMPLE_LINES, SAMPLE_META, threadId, userMessage } from './sample.ts';

const PARENT = '01a1fb9d-feda-7962-89cf-93dc3792b5aa';
const CHILD = '01a1fb9d-feda-7962-89cf-93dc3792b5ab';
const GRANDCHILD = '01a1fb9d-feda-7962-89cf-93dc3792b5ac';
const PEER_FILE = fileURLToPath(new URL('../fixtures/peer-0.169.jsonl', import.meta.url));
const signal = new AbortController().signal;

async function readBack(file: string, options: { readonly home?: string; readonly limit?: number } = {}) {
  const lines: RolloutLine[] = [];
  const reading = await readRolloutBackwards(file, {
    home: options.home ?? '/nonexistent',
    onLine: (line) => (lines.push(line) === options.limit ? 'enough' : 'continue'),
    signal,
  });
  return { ...reading, lines: lines.reverse() };
}

function fromTheFront(file: string): readonly RolloutLine[] {
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n').map(decodeLine);
  return lines.filter((line) => line !== undefined && line !== FOREIGN_LINE);
}

test('the lines come from the last to the first, the same that a reading from the front finds [STORE-60]', async () => {
  using folder = temporaryFolder();
  const rollout = await createRollout({
    home: folder.path,
    threadId: threadId(PARENT),
    meta: SAMPLE_META,
    now: () => 0,
  });
  // Some lines are longer than what is read at once, with characters of several bytes at every offset.
  for (let length = 0; length < 40; length += 1) {
    const text = `${'x'.repeat(length)}${'✓'.repeat(length * 9000)}`;
    const content = [{ type: 'input_text' as const, text }];
    rollout.append([{ type: 'response_item', payload: { type: 'message', role: 'user', content } }]);
    rollout.append(SAMPLE_LINES);
  }
  rollout.close();
  const forward = fromTheFront(rollout.path);
  const { lines, ...reading } = await readBack(rollout.path);
  expect(lines).toEqual(forward);
  expect(reading).toEqual({ meta: forward[0]?.payload, skippedLines: 0, tornBytes: 0 });

  expect((await readBack(PEER_FILE)).lines).toEqual(fromTheFront(PEER_FILE));
});

test('when the listener has enough nothing more is read, and the header is known all the same [STORE-61]', async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, `rollout-2026-02-20T10-00-00-${PARENT}.jsonl`);
  const header = fs.readFileSync(PEER_FILE, 'utf8').split('\n', 1)[0] ?? '';
  fs.writeFileSync(file, `${header}\n`);
  const line = `${JSON.stringify({ timestamp: 'T', type: 'event_msg', payload: { type: 'x' } })}\n`;
  fs.appendFileSync(file, 'damage\n'.repeat(1_000_000) + line.repeat(3));
  expect(await readBack(file, { limit: 3 })).toMatchObject({
    meta: { id: PARENT },
    skippedLines: 0,
    lines: { length: 3 },
  });
});

test('lines that are not needed are passed over without being decoded [STORE-61]', async () => {
  const seen: string[] = [];
  const asked = new Set<string>();
  await readRolloutBackwards(PEER_FILE, {
    home: '/nonexistent',
    onLine: (line) => {
      seen.push(line.type);
      return 'continue';
    },
    needs: (type, payloadType) => {
      asked.add(`${type}/${payloadType}`);
      return type === 'turn_context';
    },
    signal,
  });
  expect(seen).toEqual(['turn_context']);
  expect([...asked]).toContain('event_msg/task_complete');
  expect([...asked]).toContain('session_meta/undefined');
});

test('a half-written last line is told and left out, a whole one without its line feed is read [STORE-62]', async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'rollout.jsonl');
  const text = fs.readFileSync(PEER_FILE, 'utf8').trimEnd();
  const whole = await readAll(PEER_FILE);
  fs.writeFileSync(file, text);
  expect(await readBack(file)).toMatchObject({ tornBytes: 0, lines: { length: whole.lines } });
  fs.writeFileSync(file, text.slice(0, -10));
  const lastLength = Buffer.byteLength(text.slice(text.lastIndexOf('\n') + 1));
  expect(await readBack(file)).toMatchObject({ tornBytes: lastLength - 10, lines: { length: whole.lines - 1 } });
});

test('an abort ends the reading with its reason, and so does what the listener throws [STORE-44]', async () => {
  const options = { home: '/nonexistent', onLine: () => 'continue' as const };
  const aborted = AbortSignal.abort(new Error('enough'));
  await expect(readRolloutBackwards(PEER_FILE, { ...options, signal: aborted })).rejects.toThrow('enough');
  const onLine = (): never => {
    throw new Error('from the listener');
  };
  await expect(readRolloutBackwards(PEER_FILE, { ...options, onLine, signal })).rejects.toThrow('from the listener');
  await expect(readBack('/nonexistent/rollout.jsonl')).rejects.toMatchObject({ code: 'not-found' });
});

/** A fork as the peer writes it: its own lines, and where those of its parent end. */
function writeFork(
  home: string,
  fork: { readonly id: string; readonly lines: readonly string[]; readonly base?: object },
) {
  const folder = path.join(home, 'sessions/2026/11/21');
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `rollout-2026-11-21T04-07-18-${fork.id}.jsonl`);
  const payload = { id: fork.id, timestamp: 'T', cwd: '/repo', ...(fork.base && { history_base: fork.base }) };
  const header = JSON.stringify({ timestamp: 'T', ordinal: 0, type: 'session_meta', payload });
  fs.writeFileSync(file, [header, ...fork.lines, ''].join('\n'));
  return file;
}

function said(text: string, ordinal: number): string {
  const payload = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
  return JSON.stringify({ timestamp: 'T', ordinal, type: 'response_item', payload });
}

function textsOf(lines: readonly RolloutLine[]): readonly unknown[] {
  return lines.map((line) => {
    if (line.type !== 'response_item' || line.payload.type !== 'message') return line.type;
    const part = line.payload.content[0];
    return part !== undefined && 'text' in part ? part.text : undefined;
  });
}

test('a fork by reference has the lines of its parents up to where it left them [STORE-63]', async () => {
  using home = temporaryFolder();
  const parent = writeFork(home.path, {
    id: PARENT,
    lines: [said('one', /* ordinal */ 1), said('two', /* ordinal */ 2), said('later', /* ordinal */ 3)],
  });
  const end = fs.readFileSync(parent, 'utf8').indexOf(said('later', /* ordinal */ 3));
  writeFork(home.path, {
    id: CHILD,
    base: { thread_id: PARENT, end_ordinal_exclusive: 3, end_byte_offset: end },
    lines: [said('three', /* ordinal */ 4), said('not for the grandchild', /* ordinal */ 5)],
  });
  // Without a byte offset the numbers of the lines tell.
  const base = { thread_id: CHILD, end_ordinal_exclusive: 5 };
  const grandchild = writeFork(home.path, { id: GRANDCHILD, base, lines: [said('four', /* ordinal */ 6)] });

  const { meta, lines } = await readBack(grandchild, { home: home.path });
  expect([meta.id, textsOf(lines)]).toEqual([GRANDCHILD, ['one', 'two', 'three', 'session_meta', 'four']]);

  // Once there is enough the parents are not needed.
  fs.rmSync(parent);
  expect(textsOf((await readBack(grandchild, { home: home.path, limit: 1 })).lines)).toEqual(['four']);
  await expect(readBack(grandchild, { home: home.path })).rejects.toMatchObject({
    code: 'no-parent',
    message: expect.stringContaining(`goes on from thread ${PARENT}`),
  });
});

test('forks that name each other are an error [STORE-87]', async () => {
  using home = temporaryFolder();
  writeFork(home.path, { id: PARENT, base: { thread_id: CHILD }, lines: [said('one', /* ordinal */ 1)] });
  const child = writeFork(home.path, { id: CHILD, base: { thread_id: PARENT }, lines: [said('two', /* ordinal */ 2)] });
  const circle = { code: 'not-readable', message: expect.stringMatching(/which goes on from it$/) };
  await expect(readBack(child, { home: home.path })).rejects.toMatchObject(circle);
  const forwards = readLineage(child, { home: home.path, onLine: () => 'continue', signal });
  await expect(forwards).rejects.toMatchObject(circle);
});

test('a line of more than 64 forks is an error, one of 64 is read [STORE-87]', async () => {
  using home = temporaryFolder();
  const idAt = (depth: number) => `${PARENT.slice(0, -4)}${String(1000 + depth)}`;
  const files = Array.from({ length: 66 }, (_, depth) =>
    writeFork(home.path, {
      id: idAt(depth),
      lines: [said(`${depth}`, /* ordinal */ 1)],
      ...(depth === 0 ? {} : { base: { thread_id: idAt(depth - 1) } }),
    }),
  );
  expect((await readBack(files[64] ?? '', { home: home.path })).lines).toHaveLength(66);
  await expect(readBack(files[65] ?? '', { home: home.path })).rejects.toMatchObject({
    code: 'not-readable',
    message: expect.stringMatching(/there are more than 64 files behind it$/),
  });
});

test.each([100.5, -1, 2 ** 60, '100', 1_000_000])(
  'a fork whose parent ends at byte %s is an error and nothing worse [STORE-87]',
  async (end) => {
    using home = temporaryFolder();
    writeFork(home.path, { id: PARENT, lines: [said('one', /* ordinal */ 1)] });
    const base = { thread_id: PARENT, end_byte_offset: end };
    const child = writeFork(home.path, { id: CHILD, base, lines: [said('two', /* ordinal */ 2)] });
    await expect(readBack(child, { home: home.path })).rejects.toMatchObject({
      name: 'RolloutError',
      code: 'not-readable',
    });
    const forwards = readLineage(child, { home: home.path, onLine: () => 'continue', signal });
    await expect(forwards).rejects.toMatchObject({ name: 'RolloutError', code: 'not-readable' });
  },
);

test('a file without a readable header is the thread that its name tells [STORE-64]', async () => {
  using home = temporaryFolder();
  const file = writeFork(home.path, { id: PARENT, lines: [said('one', /* ordinal */ 1)] });
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('"session_meta"', '"sessiom_meta"'));
  const nameless = path.join(home.path, 'lines.jsonl');
  fs.writeFileSync(nameless, `${said('one', /* ordinal */ 1)}\n`);

  expect(await readBack(file)).toMatchObject({
    meta: { id: PARENT, cwd: '', source: 'unknown' },
    lines: { length: 1 },
  });
  await expect(readBack(nameless)).rejects.toMatchObject({ code: 'no-header' });
  expect(userMessage.type).toBe('response_item');
});
