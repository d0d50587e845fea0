import fs from 'node:fs';
import path from 'node:path';
import type { RolloutLine } from '@quire/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { createRollout, forkRollout, readRolloutBackwards } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { readAll, SAMPLE_META, threadId } from './sample.ts';

const PARENT = threadId('01a1fb9d-feda-7962-89cf-93dc3792b5aa');
const FORK = threadId('01a1fb9d-feda-7962-89cf-93dc3792b5ab');
const SECOND = threadId('01a1fb9d-feda-7962-89cf-93dc3792b5ac');
const START_MS = new Date(2026, 1, 20, 10, 0, 5, 7).getTime();
const now = (): number => START_MS;
const signal = new AbortController().signal;

afterEach(() => vi.restoreAllMocks());

function event(type: string, fields: Readonly<Record<string, string | number>> = {}): RolloutLine {
  return { type: 'event_msg', payload: { type, ...fields } };
}

function user(text: string): RolloutLine {
  return {
    type: 'response_item',
    payload: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  };
}

function turn(id: string): readonly RolloutLine[] {
  return [
    event('task_started', { turn_id: id }),
    user('<environment_context>\n  <cwd>/repo</cwd>\n</environment_context>'),
    user(`ask ${id}`),
    event('task_complete', { turn_id: id }),
  ];
}

async function parentOf(home: string, lines: readonly RolloutLine[]): Promise<string> {
  const rollout = await createRollout({ home, threadId: PARENT, meta: SAMPLE_META, now });
  rollout.append(lines);
  rollout.close();
  return rollout.path;
}

async function fork(
  home: string,
  source: string,
  beforeUserMessage?: number,
  options: { readonly requiresMessage?: boolean } = {},
) {
  using forked = await forkRollout({
    home,
    source,
    threadId: FORK,
    meta: SAMPLE_META,
    ...(beforeUserMessage === undefined ? {} : { beforeUserMessage }),
    ...options,
    now,
    signal,
  });
  return { path: forked.path, ...(await readAll(forked.path)) };
}

test('a fork is a thread of its own with the lines of its parent, which stays as it is [STORE-70]', async () => {
  using home = temporaryFolder();
  const lines = [...turn('a'), ...turn('b')];
  const source = await parentOf(home.path, lines);
  const before = fs.readFileSync(source);
  const { path: file, meta, all } = await fork(home.path, source);

  expect(meta).toEqual({
    ...SAMPLE_META,
    id: FORK,
    forked_from_id: PARENT,
    timestamp: new Date(START_MS).toISOString(),
  });
  expect(all.slice(1)).toEqual(lines);
  expect(fs.readFileSync(source).equals(before)).toBe(true);
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  expect(fs.readdirSync(path.dirname(file)).sort()).toEqual([path.basename(source), path.basename(file)].sort());
});

test.each<[string, readonly RolloutLine[], RegExp]>([
  ['nothing', [], /^this thread has no user message to fork before, not 2$/],
  ['one thing', turn('a'), /has only one user message, which is number 0, to fork before, not 2$/],
  ['two things', [...turn('a'), ...turn('b')], /has only 2 user messages, .* last is number 1, to fork before, not 2$/],
])(
  'a fork before the third message, which must be there, of %s that a person said is an error, and leaves nothing behind [STORE-112]',
  async (_title, lines, message) => {
    using home = temporaryFolder();
    const source = await parentOf(home.path, lines);
    const before = fs.readdirSync(home.path, { recursive: true });
    const forking = fork(home.path, source, /* beforeUserMessage */ 2, { requiresMessage: true });
    await expect(forking).rejects.toMatchObject({ code: 'no-such-message', message: expect.stringMatching(message) });
    expect(fs.readdirSync(home.path, { recursive: true })).toEqual(before);
  },
);

test.each<[string, number, readonly RolloutLine[]]>([
  ['the first one', 0, []],
  ['the second one', 1, turn('a')],
  [
    'one behind the rolled back ones',
    2,
    [...turn('a'), ...turn('b'), ...turn('x'), event('thread_rolled_back', { num_turns: 1 })],
  ],
  [
    'one beyond the end',
    9,
    [...turn('a'), ...turn('b'), ...turn('x'), event('thread_rolled_back', { num_turns: 1 }), ...turn('c')],
  ],
])('a fork before %s of what a person said ends right before its turn [STORE-71]', async (_title, nth, expected) => {
  using home = temporaryFolder();
  const source = await parentOf(home.path, [
    ...turn('a'),
    ...turn('b'),
    ...turn('x'),
    event('thread_rolled_back', { num_turns: 1 }),
    ...turn('c'),
  ]);
  const { all } = await fork(home.path, source, nth);
  expect(all.slice(1)).toEqual(expected);
});

test('a fork of a thread in the middle of a turn tells the model that the turn was cut [STORE-72]', async () => {
  using home = temporaryFolder();
  const running = await createRollout({ home: home.path, threadId: PARENT, meta: SAMPLE_META, now });
  running.append([...turn('a'), event('task_started', { turn_id: 'b' }), user('ask b')]);
  fs.appendFileSync(running.path, '{"timestamp":"half-');
  const { all } = await fork(home.path, running.path);
  running.close();

  const [marker, aborted, ...rest] = all.slice(1 + 6);
  expect(JSON.stringify(marker)).toContain('<turn_aborted>');
  expect(aborted).toEqual(event('turn_aborted', { turn_id: 'b', reason: 'interrupted' }));
  expect(rest).toEqual([]);
});

test('a message sent into a running turn can be the place of a fork [STORE-72]', async () => {
  using home = temporaryFolder();
  const open = turn('a').slice(0, -1);
  const source = await parentOf(home.path, [...open, user('and this'), event('task_complete', { turn_id: 'a' })]);
  const { all } = await fork(home.path, source, /* beforeUserMessage */ 1);
  expect(all.slice(1, 4)).toEqual(open);
  expect(all.slice(4).map((line) => (line.type === 'event_msg' ? line.payload.type : line.type))).toEqual([
    'response_item',
    'turn_aborted',
  ]);
});

test('a fork of a fork by reference holds the lines of all, and needs none of them [STORE-73]', async () => {
  using home = temporaryFolder();
  const source = await parentOf(home.path, turn('a'));
  const size = fs.statSync(source).size;
  fs.appendFileSync(source, '{"type":"event_msg","payload":{"type":"later"}}\n');
  const child = await createRollout({
    home: home.path,
    threadId: SECOND,
    meta: { ...SAMPLE_META, history_base: { thread_id: PARENT, end_byte_offset: size } },
    now,
  });
  child.append(turn('b'));
  child.close();
  const { path: file, meta } = await fork(home.path, child.path);
  fs.rmSync(source);
  fs.rmSync(child.path);

  expect(meta.forked_from_id).toBe(SECOND);
  const lines: RolloutLine[] = [];
  await readRolloutBackwards(file, {
    home: home.path,
    onLine: (line) => {
      lines.unshift(line);
      return 'continue';
    },
    signal,
  });
  expect(lines.slice(1)).toEqual([...turn('a'), ...turn('b')]);
});

test('secrets that the parent holds do not get into the fork [STORE-74]', async () => {
  using home = temporaryFolder();
  const source = await parentOf(home.path, [user('the key is sk-abcdefghijklmnopqrstuvwx1234')]);
  const { path: file } = await fork(home.path, source);
  expect(fs.readFileSync(source, 'utf8')).not.toContain('sk-abc');
  fs.appendFileSync(
    source,
    `${JSON.stringify({ type: 'event_msg', payload: { type: 'x', text: 'ghp_'.padEnd(40, '7') } })}\n`,
  );
  fs.rmSync(file);
  expect(fs.readFileSync((await fork(home.path, source)).path, 'utf8')).toContain('"text":"[redacted:github-token]"');
});

test('a fork that is aborted leaves nothing behind [STORE-75]', async () => {
  using home = temporaryFolder();
  const source = await parentOf(home.path, turn('a'));
  const abort = new AbortController();
  const openSync = fs.openSync;
  vi.spyOn(fs, 'openSync').mockImplementation((file, ...rest) => {
    if (String(file).endsWith('.draft')) abort.abort(new Error('enough'));
    return openSync(file, ...rest);
  });
  const options = { home: home.path, source, threadId: FORK, meta: SAMPLE_META, now };
  await expect(forkRollout({ ...options, signal: abort.signal })).rejects.toThrow('enough');
  expect(fs.readdirSync(path.dirname(source))).toEqual([path.basename(source)]);
});

test('a fork that fails leaves nothing behind and says why in one line [STORE-75]', async () => {
  using home = temporaryFolder();
  const source = await parentOf(home.path, turn('a'));
  const write = fs.writeSync;
  vi.spyOn(fs, 'writeSync').mockImplementation((() => {
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  }) as typeof write);
  await expect(fork(home.path, source)).rejects.toMatchObject({
    code: 'not-writable',
    message: expect.stringMatching(/can not be written: no space left on the device$/),
  });
  vi.restoreAllMocks();
  expect(fs.readdirSync(path.dirname(source))).toEqual([path.basename(source)]);

  const { path: file } = await fork(home.path, source);
  await expect(fork(home.path, source)).rejects.toMatchObject({ code: 'not-writable', path: file });
  await expect(fork(home.path, path.join(home.path, 'gone.jsonl'))).rejects.toMatchObject({ name: 'RolloutError' });
});
