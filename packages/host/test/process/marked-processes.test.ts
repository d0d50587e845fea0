import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { killMarkedProcesses } from '../../src/process/marked-processes.ts';
import { environmentOf, eventually, uniqueSeconds } from '../support/processes.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('what was killed is waited for, however late the system lets go of it [HOST-14]', async () => {
  const mark = `MARK=${uniqueSeconds()}`;
  const child = spawn('sleep', ['1000'], { env: { PATH: process.env['PATH'], MARK: mark }, stdio: 'ignore' });
  const exited = once(child, 'exit');
  const pid = child.pid ?? 0;
  expect(await eventually(() => environmentOf(pid).includes(mark), { withinMs: 10_000 })).toBe(true);
  let isAsked = false;
  vi.spyOn(process, 'kill').mockImplementation(() => {
    if (!isAsked) setTimeout(() => child.kill('SIGKILL'), 500);
    isAsked = true;
    return true;
  });
  await killMarkedProcesses(mark);
  expect(environmentOf(pid)).toBe('');
  await exited;
});
