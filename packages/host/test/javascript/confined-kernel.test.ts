import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Confinement } from '@quire/core';
import { createSandbox } from '@quire/host';
import { expect, test } from 'vitest';
import type { KernelSandbox } from '../../src/javascript/kernel-sandbox.ts';
import { eventually, processesWith, uniqueSeconds } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { failed, openKernel, printed } from './kernel-harness.ts';

const READ_ONLY = { kind: 'sandbox', writableRoots: [], network: 'off' } as const;

const BACKENDS = await workingBackends();

async function workingBackends() {
  const found: ('bubblewrap' | 'landlock')[] = [];
  for (const backend of ['bubblewrap', 'landlock'] as const) {
    const request = { argv: ['/bin/true'], cwd: '/', confinement: READ_ONLY, environment: {} };
    const wrapped = await createSandbox({ backend }).wrap(request);
    if (wrapped.kind === 'unavailable') continue;
    found.push(backend);
    wrapped.release();
  }
  return found;
}

/** Confines nothing, and notes what it was asked for. */
class TestSandbox implements KernelSandbox {
  readonly asked: Confinement[] = [];
  released = 0;

  wrap: KernelSandbox['wrap'] = ({ argv: [program = '', ...args], confinement, environment }) => {
    this.asked.push(confinement);
    return Promise.resolve({
      kind: 'ready',
      path: program,
      args,
      environment,
      extraFds: [],
      release: () => {
        this.released += 1;
      },
    });
  };
}

test.each(BACKENDS)('under %s a kernel writes to its scratch folder and nowhere else [JS-33]', async (backend) => {
  await using folder = await temporaryDirectory();
  await using kernel = openKernel({ sandbox: createSandbox({ backend }) });
  const options = { cwd: folder.path, confinement: READ_ONLY };
  const code = `const fs = await import('node:fs');
    fs.writeFileSync(codex.tmpDir + '/inside', 'kept');
    console.log(fs.readFileSync(codex.tmpDir + '/inside', 'utf8'), process.cwd());
    console.log(await codex.tool('t', {}), process.env.CODEX_SANDBOX_NETWORK_DISABLED);`;
  const callTool = () => Promise.resolve('x'.repeat(100_000));
  expect(await kernel.run(code, { ...options, callTool })).toEqual(
    printed(`kept ${folder.path}\n${'x'.repeat(100_000)} 1`),
  );
  const file = path.join(folder.path, 'outside');
  const attempts = [
    `fs.writeFileSync('${file}', 'x')`,
    `(await import('node:module')).createRequire('/')('child_process').execSync('touch ${file}')`,
  ];
  for (const attempt of attempts) {
    const outcome = await kernel.run(attempt, options);
    expect([attempt, outcome.kind, existsSync(file)]).toEqual([attempt, 'failed', false]);
  }
  const roots = { ...READ_ONLY, writableRoots: [folder.path] };
  const allowed = await kernel.run(`(await import('node:fs')).writeFileSync('${file}', 'x')`, {
    ...options,
    confinement: roots,
  });
  expect([allowed.kind, existsSync(file)]).toEqual(['done', true]);
});

test.each(BACKENDS)(
  'under %s a kernel that is ended takes everything that it started with it [JS-33]',
  async (backend) => {
    const seconds = uniqueSeconds();
    await using kernel = openKernel({ sandbox: createSandbox({ backend }) });
    const code = `const { spawn } = (await import('node:module')).createRequire('/')('child_process');
    spawn('sleep', ['${seconds}']); spawn('setsid', ['sleep', '${seconds}']); await codex.tool('up'); for (;;);`;
    const sleeps = (): number => processesWith(`sleep\0${seconds}`).length;
    const outcome = await kernel.run(code, {
      confinement: READ_ONLY,
      timeoutMs: 1_000,
      callTool: () => eventually(() => sleeps() === 2, { withinMs: 10_000 }),
    });
    expect(outcome).toMatchObject({ error: expect.stringContaining('did not end within 1000') as string });
    expect(sleeps()).toBe(0);
  },
);

test('a kernel is confined to the roots of its cell and its scratch folder [JS-33]', async () => {
  const sandbox = new TestSandbox();
  await using kernel = openKernel({ sandbox });
  const { output } = await kernel.run('console.log(codex.tmpDir)', { confinement: READ_ONLY });
  expect([sandbox.asked, sandbox.released]).toEqual([[{ ...READ_ONLY, writableRoots: [output] }], 0]);
  await kernel.kernel.reset();
  expect(sandbox.released).toBe(1);
});

test('another confinement takes a fresh kernel, and the cell is told so [JS-34]', async () => {
  const sandbox = new TestSandbox();
  await using kernel = openKernel({ sandbox });
  await kernel.run('let before = 1;', { confinement: READ_ONLY });
  expect(await kernel.run('console.log(before)', { confinement: READ_ONLY })).toEqual(printed('1'));
  expect(await kernel.run('console.log(typeof before)', { confinement: { ...READ_ONLY, network: 'on' } })).toEqual(
    printed(
      '[The JavaScript kernel was ended: what it may touch has changed. This cell ran in a fresh one: what earlier cells made is gone.]\nundefined',
    ),
  );
});

test('without a sandbox a confined cell does not run [JS-35]', async () => {
  await using folder = await temporaryDirectory();
  const file = path.join(folder.path, 'ran');
  const code = `(await import('node:fs')).writeFileSync('${file}', '')`;
  await using none = openKernel();
  expect(await none.run(code, { confinement: READ_ONLY })).toEqual(
    failed('there is no sandbox to run the JavaScript kernel in'),
  );
  const wrap: KernelSandbox['wrap'] = () => Promise.resolve({ kind: 'unavailable', reason: 'no backend works' });
  await using broken = openKernel({ sandbox: { wrap } });
  expect(await broken.run(code, { confinement: READ_ONLY })).toEqual(failed('no backend works'));
  await using faulty = openKernel({ sandbox: { wrap: () => Promise.reject(new Error('out of order')) } });
  expect(await faulty.run(code, { confinement: READ_ONLY, cwd: folder.path })).toEqual(
    failed(`the JavaScript kernel could not be started in ${folder.path} (out of order)`),
  );
  expect(existsSync(file)).toBe(false);
});

test('a sandbox that can not start its program is explained with what it said [JS-35]', async () => {
  await using folder = await temporaryDirectory();
  const launcher = path.join(folder.path, 'launcher');
  await writeFile(launcher, '#!/bin/sh\necho "launcher: no user namespaces" >&2\nexit 1\n', { mode: 0o755 });
  const wrap: KernelSandbox['wrap'] = ({ argv, environment }) =>
    Promise.resolve({ kind: 'ready', path: launcher, args: argv, environment, extraFds: [], release: () => undefined });
  await using kernel = openKernel({ sandbox: { wrap } });
  expect(await kernel.run('1', { confinement: READ_ONLY })).toEqual(
    failed(
      'The JavaScript kernel was ended: its process ended unexpectedly. The next cell starts a fresh one: what earlier cells made is gone.\n' +
        '{"status":"exit code 1","stderr":"launcher: no user namespaces"}',
    ),
  );
});

test('the descriptors of a sandbox and those of the kernel do not meet [JS-36]', async () => {
  await using folder = await temporaryDirectory();
  const file = path.join(folder.path, 'policy');
  await writeFile(file, 'policy');
  const { openSync, closeSync } = await import('node:fs');
  const descriptor = openSync(file, 'r');
  const wrap: KernelSandbox['wrap'] = ({ argv: [program = '', ...args], environment }) =>
    Promise.resolve({
      kind: 'ready',
      path: program,
      args,
      environment,
      extraFds: [descriptor],
      release: () => closeSync(descriptor),
    });
  await using kernel = openKernel({ sandbox: { wrap } });
  const code = "console.log((await import('node:fs')).readFileSync(3, 'utf8'))";
  expect(await kernel.run(code, { confinement: READ_ONLY })).toEqual(printed('policy'));
});
