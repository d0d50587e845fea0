import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandEnd } from '@quire/core';
import type { CommandRunnerOptions } from '@quire/host';
import { expect, test } from 'vitest';
import { startRunner } from '../support/runner.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

type CommandSandbox = NonNullable<CommandRunnerOptions['sandbox']>;
type Request = Parameters<CommandSandbox['wrap']>[0];

const CONFINED = { kind: 'sandbox', writableRoots: ['/w'], network: 'off' } as const;

/** Starts commands through `env`, hands them a file as descriptor 3, and counts what is open. */
function envSandbox(path: string): { sandbox: CommandSandbox; requests: Request[]; open: () => number } {
  const requests: Request[] = [];
  let open = 0;
  const wrap: CommandSandbox['wrap'] = async (request) => {
    requests.push(request);
    const fd = openSync(path, 'r');
    open += 1;
    return {
      kind: 'ready',
      path: '/usr/bin/env',
      args: ['WRAPPED=yes', ...request.argv],
      environment: request.environment,
      extraFds: [fd],
      release: () => {
        closeSync(fd);
        open -= 1;
      },
    };
  };
  return { sandbox: { wrap }, requests, open: () => open };
}

test('a confined command is started by way of the sandbox, which is released with its end [CMD-40]', async () => {
  await using folder = await temporaryDirectory();
  const file = join(folder.path, 'policy');
  await writeFile(file, 'from the sandbox');
  const { sandbox, requests, open } = envSandbox(file);
  await using test = startRunner({ sandbox, environment: { PATH: '/usr/bin:/bin' } });
  const script = 'cat <&3; echo " $WRAPPED $COLOR"';
  const command = { cwd: '/', confinement: CONFINED, environment: { COLOR: 'blue' } } as const;
  const { output } = await test.run(script, command);
  expect([output, open()]).toEqual(['from the sandbox yes blue\n', 0]);
  expect(requests).toEqual([
    {
      argv: expect.arrayContaining(['/bin/bash', '-c', script]),
      cwd: '/',
      confinement: CONFINED,
      environment: {
        PATH: '/usr/bin:/bin',
        CODEX_THREAD_ID: 'thread-1',
        COLOR: 'blue',
        QUIRE_OWNER: expect.stringMatching(/^\w+\.1$/),
      },
    },
  ]);
  for (const tty of [false, true]) {
    const look = { yieldMs: 20_000, signal: new AbortController().signal };
    const session = await test.runner.openSession({ ...command, script, login: false, tty }, look);
    expect([session.output.trim(), session.end]).toEqual([
      'from the sandbox yes blue',
      { kind: 'exited', exitCode: 0 },
    ]);
  }
  const missing = await test.run('true', { ...command, cwd: '/missing' });
  expect([missing.end.kind, open()]).toEqual(['not-started', 0]);
});

test('without a sandbox that works nothing is started, and the reason is told [CMD-41]', async () => {
  await using folder = await temporaryDirectory();
  const unavailable: CommandSandbox = {
    wrap: async () => ({ kind: 'unavailable', reason: 'no backend works' }),
  };
  const broken: CommandSandbox = {
    wrap: async () => {
      throw new Error('out of descriptors');
    },
  };
  for (const [sandbox, reason] of [
    [unavailable, 'no backend works'],
    [broken, 'the sandbox could not be set up (out of descriptors), so nothing was started'],
  ] as const) {
    await using test = startRunner({ sandbox });
    const command = { cwd: folder.path, confinement: CONFINED } as const;
    const script = 'touch ran';
    const ends: (CommandEnd | undefined)[] = [(await test.run(script, command)).end];
    for (const tty of [false, true]) {
      const look = { yieldMs: 20_000, signal: new AbortController().signal };
      ends.push((await test.runner.openSession({ ...command, script, login: false, tty }, look)).end);
    }
    expect(ends).toEqual([1, 2, 3].map(() => ({ kind: 'not-started', reason })));
    expect((await test.run('ls', { cwd: folder.path })).output).toBe('');
  }
});
