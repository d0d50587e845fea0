import { expect, test } from 'vitest';
import { processesWith, uniqueSeconds } from '../support/processes.ts';
import { startRunner } from '../support/runner.ts';

const HOUR_MS = 60 * 60 * 1000;
const MEBIBYTE = 1024 * 1024;

test('a command of the user prints gigabytes at flat memory and keeps head and tail [HOST-127]', async () => {
  await using shell = startRunner();
  await shell.run('yes | head -c 100M', { login: true, timeoutMs: HOUR_MS });
  const before = process.memoryUsage().rss;
  let peak = before;
  const outcome = await shell.run('echo first; yes | head -c 512M; echo last', {
    login: true,
    timeoutMs: HOUR_MS,
    onOutput: () => {
      peak = Math.max(peak, process.memoryUsage().rss);
    },
  });
  expect(outcome).toMatchObject({
    end: { kind: 'exited', exitCode: 0 },
    output: expect.stringMatching(/^first\ny\ny\n.*bytes left out here.*\ny\nlast\n$/s),
    totalLines: 256 * MEBIBYTE + 2,
  });
  expect(outcome.output.length).toBeLessThan(MEBIBYTE + 100);
  expect(peak - before).toBeLessThan(64 * MEBIBYTE);
});

test('the limit of an hour does not fire early, and an abort ends the tree at once [HOST-127]', async () => {
  await using shell = startRunner();
  const seconds = uniqueSeconds();
  const controller = new AbortController();
  const reason = new Error('the user had enough');
  const running = shell.run(`sleep ${seconds} & setsid sleep ${seconds} & echo up; wait`, {
    login: true,
    timeoutMs: HOUR_MS,
    signal: controller.signal,
    onOutput: () => controller.abort(reason),
  });
  await expect(running).rejects.toBe(reason);
  expect(processesWith(seconds)).toEqual([]);
});
