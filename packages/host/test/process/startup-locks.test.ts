// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell scripts
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { captureLoginShell } from '../../src/process/login-shell.ts';
import { bundleHost } from '../support/bundle-host.ts';
import { eventually, processesWith, uniqueSeconds } from '../support/processes.ts';
import { runInProgram } from '../support/run-in-program.ts';
import { BASH, startRunner } from '../support/runner.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const BASE = { PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' };

/** Takes a lock as pyenv's rehash does and lets go of it in a trap, slowly and through another program. */
function lockingScript(seconds: string): string {
  return `trap 'sleep 0.1; rm -f "$HOME/lock"; echo released >> "$HOME/log"' EXIT
    echo > "$HOME/lock"
    sleep ${seconds}`;
}

const homes: readonly [string, (seconds: string) => string][] = [
  ['a grandchild of the login shell', () => 'eval "$(bash "$HOME/rehash")"\n'],
  ['a process in a session of its own', () => 'setsid bash "$HOME/rehash"\n'],
  ['a process in a group of its own', () => 'set -m; bash "$HOME/rehash" & wait\n'],
  ['one that the finished login shell left behind', () => '(bash "$HOME/rehash" >/dev/null 2>&1 &)\n'],
];

test.each(homes)('after close no lock is left: %s releases it [HOST-28]', async (_, profile) => {
  await using home = await lockingHome(profile);
  const test = startRunner({ environment: { ...BASE, HOME: home.path } });
  test.runner.warmUp();
  expect(await eventually(home.isHeld, { withinMs: 10_000 })).toBe(true);
  const startedAt = performance.now();
  await test.runner.close();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(await home.afterwards()).toEqual({ isLocked: false, log: 'released\n', processes: [] });
});

test.each(homes)('after kill -9 of the owner no lock is left: %s releases it [HOST-28]', async (_, profile) => {
  await using home = await lockingHome(profile);
  await bundleHost(home.path);
  const program = `import { createCommandRunner } from './host.mjs';
    createCommandRunner({ threadId: 't', shell: { name: 'bash', path: '/bin/bash' } }).warmUp();
    setInterval(() => {}, 1000);`;
  await writeFile(join(home.path, 'owner.mjs'), program);
  const env = { ...BASE, HOME: home.path, TMPDIR: home.path };
  const owner = spawn(process.execPath, ['owner.mjs'], { cwd: home.path, env, stdio: ['ignore', 'ignore', 'inherit'] });
  expect(await eventually(home.isHeld, { withinMs: 10_000 })).toBe(true);
  const exited = once(owner, 'exit');
  owner.kill('SIGKILL');
  await exited;
  expect(await eventually(() => processesWith(home.path).length === 0, { withinMs: 2_000 })).toBe(true);
  expect(await home.afterwards()).toEqual({ isLocked: false, log: 'released\n', processes: [] });
});

test('a login shell that is too slow may release its locks [HOST-28]', async () => {
  await using home = await lockingHome(() => 'eval "$(bash "$HOME/rehash")"\n');
  const controller = new AbortController();
  const captured = await captureLoginShell({
    prepare: () => undefined,
    shell: BASH,
    environment: { ...BASE, HOME: home.path, QUIRE_OWNER: `${home.seconds}.0` },
    marker: `QUIRE_OWNER=${home.seconds}.0\0`,
    cwd: home.path,
    makePrivateDirectory: async () => home.path,
    onStart: () => undefined,
    onEnd: () => undefined,
    timeoutMs: 3_000,
    signal: controller.signal,
  });
  expect(captured).toBeUndefined();
  expect(await home.afterwards()).toEqual({ isLocked: false, log: 'released\n', processes: [] });
});

test('close in the midst of a capture settles although nothing else keeps the process alive [HOST-16]', async () => {
  await using home = await temporaryDirectory();
  // It leaves the tree and takes the pipe with it that the state would come through.
  const profile = 'env -i setsid /bin/sleep 2 & echo > "$HOME/started"; sleep 5\n';
  await writeFile(join(home.path, '.bash_profile'), profile);
  const program = `import { existsSync } from 'node:fs';
    import { setTimeout } from 'node:timers/promises';
    const environment = { PATH: '/usr/bin:/bin', HOME: ${JSON.stringify(home.path)} };
    const shell = { name: 'bash', path: '/bin/bash' };
    const runner = host.createCommandRunner({ threadId: 't', environment, shell });
    runner.warmUp();
    while (!existsSync(environment.HOME + '/started')) await setTimeout(1);
    await runner.close();
    console.log(JSON.stringify('closed'));`;
  expect(await runInProgram(home.path, program)).toEqual({ result: 'closed', stderr: '' });
});

test('what a login shell started and what ignores to be asked is killed, within the bound of close [HOST-16]', async () => {
  const seconds = uniqueSeconds();
  await using home = await temporaryDirectory();
  const stubborn = `trap "" TERM; sleep ${seconds}`;
  await writeFile(join(home.path, '.bash_profile'), `setsid bash -c '${stubborn}' & bash -c '${stubborn}'\n`);
  const test = startRunner({ environment: { ...BASE, HOME: home.path } });
  test.runner.warmUp();
  expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 2, { withinMs: 10_000 })).toBe(true);
  const startedAt = performance.now();
  await test.runner.close();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(processesWith(seconds)).toEqual([]);
});

async function lockingHome(profile: (seconds: string) => string) {
  const folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('.bash_profile'), profile(seconds));
  await writeFile(at('rehash'), lockingScript(seconds));
  return {
    ...folder,
    seconds,
    isHeld: () => existsSync(at('lock')) && processesWith(`sleep\0${seconds}`).length === 1,
    afterwards: async () => ({
      isLocked: existsSync(at('lock')),
      log: await readFile(at('log'), 'utf8').catch(() => 'never released'),
      processes: processesWith(seconds),
    }),
  };
}
