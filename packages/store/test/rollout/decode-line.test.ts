import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readRolloutBackwards } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { readAll, userMessage } from './sample.ts';

const PEER_FILE = fileURLToPath(new URL('../fixtures/peer-0.169.jsonl', import.meta.url));
const ID = '01a1fb9d-feda-7962-89cf-93dc3792b5aa';
const HEADER = `{"timestamp":"2026-02-20T10:00:00.000Z","type":"session_meta","payload":{"id":"${ID}","timestamp":"T","cwd":"/r","originator":"o","cli_version":"1","source":"cli"}}`;
const MESSAGE =
  '{"timestamp":"T","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"Grüße ✓"}]}}';
const META = { id: ID, timestamp: 'T', cwd: '/r', originator: 'o', cli_version: '1', source: 'cli' };

async function readText(text: string) {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'rollout.jsonl');
  fs.writeFileSync(file, text);
  return await readAll(file);
}

test('a file of the peer, 0.169, is read: what is known decoded, what is not passed over [STORE-40]', async () => {
  const { all, ...reading } = await readAll(PEER_FILE);
  expect(reading).toEqual({
    meta: {
      id: ID,
      timestamp: '2026-11-21T00:59:58.070Z',
      cwd: '/repo',
      originator: 'codex_exec',
      cli_version: '0.169.0',
      source: 'exec',
      thread_source: 'user',
      history_mode: 'paginated',
      model_provider: 'mock',
      base_instructions: { text: 'A long text was here.' },
      git: {},
    },
    lines: 17,
    skippedLines: 0,
    tornBytes: 0,
  });
  expect(
    all.map((line) => (line.type === 'response_item' || line.type === 'event_msg' ? line.payload.type : line.type)),
  ).toEqual([
    'session_meta',
    'task_started',
    'unknown',
    'message',
    'message',
    'turn_context',
    'thread_settings_applied',
    'message',
    'item_completed',
    'function_call',
    'item_completed',
    'function_call_output',
    'token_count',
    'item_completed',
    'message',
    'token_count',
    'task_complete',
  ]);
  expect(all[5]).toEqual({
    type: 'turn_context',
    payload: {
      turn_id: '01a1fb9d-ff1a-7741-85a7-9f7d9df2407e',
      cwd: '/repo',
      approval_policy: 'never',
      sandbox_policy: { type: 'danger-full-access' },
      model: 'mock-model',
      summary: 'none',
      collaboration_mode: {
        mode: 'default',
        settings: { model: 'mock-model', reasoning_effort: null, developer_instructions: null },
      },
    },
  });
});

test('lines carry their place in the file; blank ones do not count, unreadable ones are passed over [STORE-41]', async () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'rollout.jsonl');
  const unreadable = ['not json', '[]', '{"type":"response_item","payload":{}}', '{"type":"response_item"}', '\0\0\0'];
  const foreign = '{"type":"later","payload":{}}';
  fs.writeFileSync(file, [HEADER, '', MESSAGE, ...unreadable, foreign, MESSAGE, ''].join('\r\n'));
  const offsets: number[] = [];
  const reading = await readRolloutBackwards(file, {
    home: '/nonexistent',
    onLine: (_line, { offset }) => {
      offsets.unshift(offset);
      return 'continue';
    },
    signal: new AbortController().signal,
  });

  const second = Buffer.byteLength(`${HEADER}\r\n\r\n`);
  const third = second + Buffer.byteLength(`${[MESSAGE, ...unreadable, foreign].join('\r\n')}\r\n`);
  expect(offsets).toEqual([0, second, third]);
  expect(reading).toEqual({ meta: META, skippedLines: unreadable.length, tornBytes: 0 });
});

test('a line of many megabytes is read whole [STORE-41]', async () => {
  const text = '✓'.repeat(2_000_000);
  const { all } = await readText(`${HEADER}\n${MESSAGE.replace('Grüße ✓', text)}\n${MESSAGE}\n`);
  expect(all.slice(1)).toEqual([
    { type: 'response_item', payload: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] } },
    userMessage,
  ]);
});

test('the first header counts: a fork carries that of its parent behind its own [STORE-42]', async () => {
  const { meta, lines } = await readText(`${HEADER}\n${HEADER.replace('"cwd":"/r"', '"cwd":"/parent"')}\n`);
  expect([meta, lines]).toEqual([META, 2]);
});

describe('an older or newer header', () => {
  test.each([
    ['bare', {}, { timestamp: 'T', cwd: '', originator: '', cli_version: '', source: 'unknown' }],
    [
      'with null instructions',
      { instructions: null, git: null },
      { timestamp: 'T', cwd: '', originator: '', cli_version: '', source: 'unknown' },
    ],
    [
      'with a source of its own shape',
      {
        timestamp: 'U',
        cwd: '/r',
        source: { subagent: { thread_spawn: { depth: 1 } } },
        forked_from_id: 'p',
        git: { branch: 'main', extra: 1 },
        cli_version: 5,
      },
      {
        timestamp: 'U',
        cwd: '/r',
        originator: '',
        cli_version: '',
        source: { subagent: { thread_spawn: { depth: 1 } } },
        forked_from_id: 'p',
        git: { branch: 'main' },
      },
    ],
  ])('%s is read [STORE-42]', async (_title, payload, expected) => {
    const line = JSON.stringify({ timestamp: 'T', type: 'session_meta', payload: { id: ID, ...payload } });
    expect((await readText(`${line}\n`)).meta).toEqual({ id: ID, ...expected });
  });
});

test('a turn context keeps a table as approval policy [STORE-42]', async () => {
  const line = JSON.stringify({ type: 'turn_context', payload: { approval_policy: { granular: { rules: true } } } });
  expect((await readText(`${HEADER}\n${line}\n`)).all[1]).toEqual({
    type: 'turn_context',
    payload: { cwd: '', approval_policy: { granular: { rules: true } }, sandbox_policy: {}, model: '', summary: '' },
  });
});

test('a file without a header and a missing file are typed errors [STORE-43]', async () => {
  await expect(readText(`${MESSAGE}\n`)).rejects.toMatchObject({ name: 'RolloutError', code: 'no-header' });
  await expect(readText('')).rejects.toMatchObject({ code: 'no-header' });
  await expect(readAll('/nonexistent/rollout.jsonl')).rejects.toMatchObject({
    code: 'not-found',
    message: '/nonexistent/rollout.jsonl does not exist',
  });
  using folder = temporaryFolder();
  await expect(readAll(folder.path)).rejects.toMatchObject({
    code: 'not-readable',
    message: `${folder.path} can not be read: it is a directory`,
  });
});

test('an abort ends the reading with its reason, and so does what the listener throws [STORE-44]', async () => {
  const aborted = AbortSignal.abort(new Error('enough'));
  const read = (onLine: () => 'continue', signal: AbortSignal) =>
    readRolloutBackwards(PEER_FILE, { home: '/nonexistent', onLine, signal });
  await expect(read(() => 'continue', aborted)).rejects.toThrow('enough');
  const onLine = (): never => {
    throw new Error('from the listener');
  };
  await expect(read(onLine, new AbortController().signal)).rejects.toThrow('from the listener');
});
