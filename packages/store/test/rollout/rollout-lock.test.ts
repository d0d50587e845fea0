import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createRollout, listRollouts, openRollout, RolloutError } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { readAll, SAMPLE_META, threadId, userMessage } from './sample.ts';

const ID = threadId('01a1fb9d-feda-7962-89cf-93dc3792b5aa');
const now = (): number => Date.UTC(2026, 1, 20, 10);

const folder = temporaryFolder();
const holder = path.join(folder.path, 'hold-rollout.mjs');
beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL('./hold-rollout.ts', import.meta.url))],
    outfile: holder,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['quire-source'],
    logLevel: 'error',
  });
});
afterAll(() => folder[Symbol.dispose]());

/** Another process that has the rollout open. */
async function holdElsewhere(file: string): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(process.execPath, [holder, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  expect(String(line)).toBe('open\n');
  if (child.pid === undefined) throw new Error('the process did not start');
  return Object.assign(child, { pid: child.pid });
}

async function makeRollout(home: string): Promise<string> {
  const rollout = await createRollout({ home, threadId: ID, meta: SAMPLE_META, now });
  rollout.append([userMessage]);
  rollout.close();
  return rollout.path;
}

const namesBeside = (file: string): readonly string[] => fs.readdirSync(path.dirname(file)).sort();

test('a thread that another process writes is refused with its number and what to do, and is left as it is [STORE-38]', async () => {
  using home = temporaryFolder();
  const file = await makeRollout(home.path);
  const other = await holdElsewhere(file);
  fs.appendFileSync(file, '{"half');
  const before = fs.readFileSync(file);

  const error = await openRollout(file, { now }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RolloutError);
  expect(error).toMatchObject({
    code: 'in-use',
    path: file,
    message: `${file} is being written by process ${other.pid}; wait until it ends or end it, or remove ${file}.lock if it is no quire`,
  });
  expect(fs.readFileSync(file).equals(before)).toBe(true);

  other.stdin?.end();
  expect(await once(other, 'exit')).toEqual([0, null]);
  expect(namesBeside(file)).toEqual([path.basename(file)]);
  (await openRollout(file, { now })).close();
});

test('what a killed process left behind is taken over at once [STORE-39]', async () => {
  using home = temporaryFolder();
  const file = await makeRollout(home.path);
  const other = await holdElsewhere(file);
  other.kill('SIGKILL');
  await once(other, 'exit');
  expect(namesBeside(file)).toEqual([path.basename(file), `${path.basename(file)}.lock`]);

  const rollout = await openRollout(file, { now });
  rollout.append([userMessage]);
  rollout.close();
  expect((await readAll(file)).lines).toBe(3);
  expect(namesBeside(file)).toEqual([path.basename(file)]);
});

test.each([
  // Only Linux tells when a process began.
  ...(process.platform === 'linux'
    ? [['a process that runs, but began at another time', JSON.stringify({ pid: process.ppid, startedAt: '1' })]]
    : []),
  ['nobody', 'half a l'],
  ['no process', JSON.stringify({ pid: -1 })],
])('a lock of %s is taken over [STORE-39]', async (_title, text) => {
  using home = temporaryFolder();
  const file = await makeRollout(home.path);
  fs.writeFileSync(`${file}.lock`, text);
  (await openRollout(file, { now })).close();
  expect(namesBeside(file)).toEqual([path.basename(file)]);
});

test('a new rollout whose lock another process has is not left behind [STORE-38]', async () => {
  using home = temporaryFolder();
  const file = await makeRollout(home.path);
  fs.rmSync(file);
  fs.writeFileSync(`${file}.lock`, JSON.stringify({ pid: process.ppid }));
  await expect(createRollout({ home: home.path, threadId: ID, meta: SAMPLE_META, now })).rejects.toMatchObject({
    code: 'in-use',
    path: file,
  });
  expect(namesBeside(file)).toEqual([`${path.basename(file)}.lock`]);
});

test('a process that ends without closing gives its lock back [STORE-38]', async () => {
  using home = temporaryFolder();
  const file = await makeRollout(home.path);
  const other = await holdElsewhere(file);
  other.stdin?.end('exit');
  await once(other, 'exit');
  expect(namesBeside(file)).toEqual([path.basename(file)]);
});

test('writers of one process share the lock until the last is closed [STORE-38]', async () => {
  using home = temporaryFolder();
  const exits = process.listenerCount('exit');
  const first = await createRollout({ home: home.path, threadId: ID, meta: SAMPLE_META, now });
  const second = await openRollout(first.path, { now });
  first.close();
  first.close();
  expect(namesBeside(first.path)).toEqual([path.basename(first.path), `${path.basename(first.path)}.lock`]);
  second.close();
  expect(namesBeside(first.path)).toEqual([path.basename(first.path)]);
  expect(process.listenerCount('exit')).toBe(exits);
});

test('a rollout beside which no file can be made is written without a lock [STORE-38]', async () => {
  using home = temporaryFolder();
  const file = await makeRollout(home.path);
  const link = vi.spyOn(fs, 'linkSync').mockImplementation(() => {
    throw Object.assign(new Error('no'), { code: 'EPERM' });
  });
  try {
    const rollout = await openRollout(file, { now });
    expect(namesBeside(file)).toEqual([path.basename(file)]);
    rollout.append([userMessage]);
    rollout.close();
  } finally {
    link.mockRestore();
  }
  expect((await readAll(file)).lines).toBe(3);
});

test('a listing passes over locks [STORE-38]', async () => {
  using home = temporaryFolder();
  using rollout = await createRollout({ home: home.path, threadId: ID, meta: SAMPLE_META, now });
  const { threads: found } = await listRollouts({ home: home.path, limit: 10, signal: new AbortController().signal });
  expect(found.map((summary) => summary.path)).toEqual([rollout.path]);
});
