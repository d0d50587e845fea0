// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell scripts
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { bundleHost } from '../support/bundle-host.ts';
import { environmentOf, eventually, processesWith, uniqueSeconds } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Runs commands that hide from their owner in every way known here; says `up` when all are there. */
function ownerProgram(seconds: string): string {
  const scripts = [
    `echo up; sleep ${seconds}`,
    `sleep ${seconds} & echo up; wait`,
    `setsid sleep ${seconds} & echo up; wait`,
    `(setsid nohup sh -c '(sleep ${seconds} &)' >/dev/null 2>&1 &); echo up`,
    `echo up; sleep ${seconds} | cat | cat`,
    `env -i /bin/sleep ${seconds} & echo up; wait`,
    `setsid env -i /bin/sleep ${seconds} >/dev/null 2>&1 & echo up; wait`,
    `(setsid env -i /bin/sleep ${seconds} &); echo up`,
    `(setsid env -i /bin/sleep ${seconds} >/dev/null 2>&1 </dev/null &); echo up`,
  ];
  return `import { createCommandRunner } from './host.mjs';
    const runner = createCommandRunner({ threadId: 't', shell: { name: 'bash', path: '/bin/bash' } });
    runner.warmUp();
    for (const script of ${JSON.stringify(scripts)}) {
      const options = { signal: new AbortController().signal, onOutput: (text) => process.stdout.write(text) };
      runner.run({ script, login: script.includes('setsid'), cwd: '/', confinement: { kind: 'none' }, timeoutMs: 60000 }, options);
    }
    setInterval(() => {}, 1000);`;
}

const COMMANDS = 9;

async function startOwner(directory: string, seconds: string): Promise<ChildProcess> {
  await bundleHost(directory);
  await writeFile(join(directory, 'owner.mjs'), ownerProgram(seconds));
  const profile = 'left() { :; }\n'; // makes the login state need a file
  await writeFile(join(directory, '.bash_profile'), profile);
  const owner = spawn(process.execPath, ['owner.mjs'], {
    cwd: directory,
    detached: true,
    env: { ...process.env, HOME: directory, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let count = 0;
  for await (const _ of createInterface({ input: owner.stdout })) {
    count += 1;
    if (count === COMMANDS) break;
  }
  return owner;
}

const deaths: readonly [string, (pid: number) => void][] = [
  ['kill -9', (pid) => process.kill(pid, 'SIGKILL')],
  ['an interrupt of its whole group', (pid) => process.kill(-pid, 'SIGINT')],
  ['kill -9 of its whole group', (pid) => process.kill(-pid, 'SIGKILL')],
];

test.each(deaths)('%s of the owner leaves no process alive and no file behind [HOST-17]', async (_, kill) => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  const owner = await startOwner(folder.path, seconds);
  const hasAll = () => processesWith(`sleep\0${seconds}`).length === COMMANDS;
  expect(await eventually(hasAll, { withinMs: 10_000 })).toBe(true);
  const token = processesWith(seconds)
    .map((pid) => /QUIRE_OWNER=(\w+)/.exec(environmentOf(pid))?.[1])
    .find((found) => found !== undefined);
  expect(processesWith(`quire-watchdog\0QUIRE_OWNER=${token}`)).toHaveLength(1);

  const exited = once(owner, 'exit');
  kill(owner.pid ?? 0);
  await exited;

  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 2_000 })).toBe(true);
  expect(await eventually(() => processesWith(token ?? '').length === 0, { withinMs: 10_000 })).toBe(true);
  expect((await readdir(folder.path)).filter((name) => name.startsWith('quire-'))).toEqual([]);
});

test('kill -9 of the owner ends sessions and confined commands, however they hide [CMD-42, CMD-43]', async () => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  await bundleHost(folder.path);
  await symlink(join(import.meta.dirname, '../../../../node_modules'), join(folder.path, 'node_modules'));
  const daemon = `(setsid nohup sh -c '(sleep ${seconds} &)' >/dev/null 2>&1 &); setsid sleep ${seconds} & echo up; sleep ${seconds} | cat`;
  const hidden = `setsid env -i /bin/sleep ${seconds} >/dev/null 2>&1 & echo up; wait`;
  const program = `import { createCommandRunner } from './host.mjs';
    const runner = createCommandRunner({ threadId: 't', shell: { name: 'bash', path: '/bin/bash' } });
    const sandbox = { kind: 'sandbox', writableRoots: [], network: 'off' };
    const look = { yieldMs: 60000, signal: new AbortController().signal,
      onOutput: (text) => process.stdout.write(text.replaceAll('\\r', '')) };
    const open = (script, tty, confinement) =>
      runner.openSession({ script, login: false, cwd: '/', tty, confinement }, look);
    for (const tty of [false, true]) {
      open(${JSON.stringify(daemon)}, tty, { kind: 'none' });
      open(${JSON.stringify(daemon)}, tty, sandbox);
    }
    open(${JSON.stringify(hidden)}, false, sandbox);
    setInterval(() => {}, 1000);`;
  await writeFile(join(folder.path, 'owner.mjs'), program);
  const owner = spawn(process.execPath, ['owner.mjs'], {
    cwd: folder.path,
    env: { ...process.env, TMPDIR: folder.path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const hasAll = () => processesWith(`sleep\0${seconds}`).length >= 4 * 3 + 1;
  const isUp = await eventually(hasAll, { withinMs: 10_000 });
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  expect(isUp).toBe(true);
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 2_000 })).toBe(true);
});

test('an owner that neither closes nor waits ends by itself, and its leftovers with it [HOST-18]', async () => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  await bundleHost(folder.path);
  const program = `import { createCommandRunner } from './host.mjs';
    const runner = createCommandRunner({ threadId: 't' });
    runner.warmUp();
    const options = { signal: new AbortController().signal };
    const script = 'setsid sleep ${seconds} & sleep ${seconds} & echo $?';
    const { output } = await runner.run({ script, login: false, cwd: '/', confinement: { kind: 'none' }, timeoutMs: 60000 }, options);
    process.stdout.write(output);`;
  await writeFile(join(folder.path, 'owner.mjs'), program);
  const owner = spawn(process.execPath, ['owner.mjs'], { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] });
  owner.stderr.resume();
  owner.stdout.resume();
  // 'close' comes only when nobody holds the owner's own output any more: the watchdog must not.
  expect(await once(owner, 'close', { signal: AbortSignal.timeout(10_000) })).toEqual([0, null]);
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).toBe(true);
});

test('a watchdog that was killed is replaced with the next command [HOST-19]', async () => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  await bundleHost(folder.path);
  const program = `import { createCommandRunner } from './host.mjs';
    const runner = createCommandRunner({ threadId: 't', shell: { name: 'bash', path: '/bin/bash' } });
    const run = (script) => runner.run({ script, login: false, cwd: '/', confinement: { kind: 'none' }, timeoutMs: 60000 },
      { signal: new AbortController().signal, onOutput: (text) => process.stdout.write(text) });
    await run('env -i /bin/sleep ${seconds} & pkill -9 -f "quire-watchdog.QUIRE_OWNER=\${QUIRE_OWNER%.*}"; sleep 0.3');
    await run('sleep ${seconds} & echo up; wait');`;
  await writeFile(join(folder.path, 'owner.mjs'), program);
  const owner = spawn(process.execPath, ['owner.mjs'], { cwd: folder.path, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(owner.stdout, 'data');
  expect(await eventually(() => processesWith(`sleep\0${seconds}`).length === 2, { withinMs: 10_000 })).toBe(true);
  owner.kill('SIGKILL');
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 2_000 })).toBe(true);
});

test('making a runner and closing it again starts no process and reads nothing [HOST-20]', async () => {
  await using folder = await temporaryDirectory();
  await bundleHost(folder.path);
  const program = `import { createCommandRunner } from './host.mjs';
    import { readdirSync, readFileSync } from 'node:fs';
    const runner = createCommandRunner({ threadId: 't' });
    await runner.close();
    const children = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8');
    process.stdout.write(JSON.stringify(children));`;
  await writeFile(join(folder.path, 'owner.mjs'), program);
  const owner = spawn(process.execPath, ['owner.mjs'], { cwd: folder.path, stdio: ['ignore', 'pipe', 'inherit'] });
  const [data] = await once(owner.stdout, 'data');
  expect(String(data)).toBe('""');
});
