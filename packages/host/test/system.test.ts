import * as host from '@quire/host';
import { describeHost, systemClock, systemEntropy } from '@quire/host';
import { expect, test } from 'vitest';
import { parseOsRelease } from '../src/describe-host.ts';
import { createEntropy } from '../src/entropy.ts';
import { systemReason } from '../src/system-reason.ts';

test('ids sort in the order they were made, within a millisecond and when the clock goes back [HOST-70]', () => {
  let now = 1_700_000_000_000;
  const entropy = createEntropy(() => now);
  const ids = Array.from({ length: 10_000 }, () => entropy.uuid());
  now -= 5_000;
  ids.push(entropy.uuid());
  now += 60_000;
  ids.push(entropy.uuid());
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids[0]?.slice(0, 13)).toBe('018bcfe5-6800');
});

test('an id is a version 7 UUID of the present time [HOST-70]', () => {
  const before = Date.now();
  const id = systemEntropy.uuid();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const timestampMs = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
  expect(timestampMs).toBeGreaterThanOrEqual(before);
  expect(timestampMs).toBeLessThanOrEqual(Date.now() + 10);
  expect(systemEntropy.random()).toBeLessThan(1);
});

test('a sleep ends after its time, or rejects with the reason of its signal at once [HOST-71]', async () => {
  const startedAt = systemClock.now();
  await systemClock.sleep(/* ms */ 20, { signal: new AbortController().signal });
  expect(systemClock.now() - startedAt).toBeGreaterThanOrEqual(19);
  const reason = new Error('woken');
  const controller = new AbortController();
  const sleeping = systemClock.sleep(/* ms */ 60_000, { signal: controller.signal });
  controller.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(systemClock.sleep(/* ms */ 0, { signal: controller.signal })).rejects.toBe(reason);
});

test('the terminal is told by its program and version, else by its type [HOST-72]', () => {
  const terminals = [
    { TERM_PROGRAM: 'Some.app', TERM_PROGRAM_VERSION: '4.5', TERM: 'xterm' },
    { TERM_PROGRAM: 'Some.app', TERM: 'xterm' },
    { TERM_PROGRAM: '', TERM: 'xterm' },
    {},
  ].map((environment) => describeHost(environment).terminal);
  expect(terminals).toEqual(['Some.app/4.5', 'Some.app', 'xterm', 'unknown']);
});

test('the system is told by the name and version of its distribution [HOST-72]', () => {
  expect(parseOsRelease('PRETTY_NAME="Long Name 12"\nNAME="Some Linux"\nVERSION_ID=12.5\n')).toEqual({
    osName: 'Some Linux',
    osVersion: '12.5',
  });
  expect(parseOsRelease('')).toEqual({ osName: 'Linux', osVersion: expect.stringMatching(/^\d/) });
  const { terminal: _, ...system } = describeHost();
  expect(Object.values(system).every((value) => value.length > 0)).toBe(true);
});

test('the reason of a failed call has no path and no call in it [HOST-36]', () => {
  const error = Object.assign(new Error("ENOENT: no such file, open '/tmp/x'"), { code: 'ENOENT' });
  expect([systemReason(error), systemReason(new Error('a, b')), systemReason('text')]).toEqual([
    'ENOENT: no such file',
    'a, b',
    'text',
  ]);
});

test('the package exports these names and no others [HOST-73]', () => {
  expect(Object.keys(host).sort()).toEqual([
    'DEFAULT_PROJECT_INSTRUCTIONS_MAX_BYTES',
    'FileEditError',
    'IMAGE_MAX_BYTES',
    'ImageError',
    'McpError',
    'ReviewTargetError',
    'SnapshotError',
    'combineHooks',
    'createCommandRunner',
    'createFileDigests',
    'createImageReader',
    'createJavaScriptKernel',
    'createPatchFiles',
    'createSandbox',
    'createToolHooks',
    'createWorkTreeSnapshots',
    'createWorkspaceFiles',
    'describeHost',
    'findUserShell',
    'guardHooks',
    'isInsideGitRepository',
    'loadImage',
    'loadMcpLogins',
    'loadMcpPool',
    'localTimezone',
    'readGitFacts',
    'readProjectInstructions',
    'readReviewTarget',
    'runProgram',
    'startApart',
    'systemClock',
    'systemEntropy',
  ]);
});
