import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { environmentOf, eventually, processesWith, uniqueSeconds } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Cells that leave processes behind or can not notice the end of their owner. */
function ownerProgram(seconds: string): string {
  const spawnSleep = `const { spawn } = (await import('node:module')).createRequire('/')('child_process');
    spawn('sleep', ['${seconds}']); spawn('setsid', ['sleep', '${seconds}']);`;
  const cells = [
    `${spawnSleep} await codex.tool('up'); for (;;);`,
    `await codex.tool('up'); await new Promise(() => {});`,
  ];
  return `import { createJavaScriptKernel } from './kernel.mjs';
    for (const code of ${JSON.stringify(cells)}) {
      createJavaScriptKernel({ threadId: '${seconds}' }).run(code, {
        callTool: async () => { console.log('up'); return null; },
        cwd: '/', confinement: { kind: 'none' }, timeoutMs: 60000, signal: new AbortController().signal,
      });
    }`;
}

async function bundle(directory: string): Promise<void> {
  await build({
    entryPoints: [path.join(import.meta.dirname, '../../src/javascript/create-javascript-kernel.ts')],
    bundle: true,
    conditions: ['quire-source'],
    format: 'esm',
    logLevel: 'silent',
    outfile: path.join(directory, 'kernel.mjs'),
    platform: 'node',
    target: 'node20',
  });
}

async function startOwner(directory: string, seconds: string): Promise<ChildProcess> {
  await bundle(directory);
  await writeFile(path.join(directory, 'owner.mjs'), ownerProgram(seconds));
  const owner = spawn(process.execPath, ['owner.mjs'], {
    cwd: directory,
    detached: true,
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let count = 0;
  for await (const _ of createInterface({ input: owner.stdout })) {
    count += 1;
    if (count === 2) break;
  }
  return owner;
}

test.each([
  ['kill -9', (pid: number) => process.kill(pid, 'SIGKILL')],
  ['kill -9 of its whole group', (pid: number) => process.kill(-pid, 'SIGKILL')],
])('%s of the owner leaves no kernel and nothing that one started, in the bundle as well [JS-31]', async (_, kill) => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  const owner = await startOwner(folder.path, seconds);
  const sleeps = (): number => processesWith(`sleep\0${seconds}`).length;
  expect(await eventually(() => sleeps() === 2, { withinMs: 10_000 })).toBe(true);
  const kernels = processesWith('--experimental-vm-modules').filter((pid) => isOf(pid, seconds));
  expect(kernels).toHaveLength(2);

  const exited = once(owner, 'exit');
  kill(owner.pid ?? 0);
  await exited;

  const isGone = (): boolean => sleeps() === 0 && kernels.every((pid) => !isOf(pid, seconds));
  expect(await eventually(isGone, { withinMs: 2_000 })).toBe(true);
  const hasLeft = (): boolean => readdirSync(folder.path).some((name) => name.startsWith('quire-'));
  expect(await eventually(() => !hasLeft(), { withinMs: 10_000 })).toBe(true);
});

test('an owner that neither closes nor waits ends by itself, and its kernel with it [JS-32]', async () => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  await bundle(folder.path);
  const source = `import { createJavaScriptKernel } from './kernel.mjs';
    const kernel = createJavaScriptKernel({ threadId: '${seconds}' });
    const outcome = await kernel.run('setInterval(() => {}, 1000); console.log(1)', {
      callTool: async () => null, cwd: '/', confinement: { kind: 'none' }, timeoutMs: 60000,
      signal: new AbortController().signal,
    });
    console.log(outcome.output);`;
  await writeFile(path.join(folder.path, 'owner.mjs'), source);
  const owner = spawn(process.execPath, ['owner.mjs'], { cwd: folder.path, stdio: ['ignore', 'pipe', 'inherit'] });
  const output = owner.stdout.setEncoding('utf8').toArray() as Promise<string[]>;
  const [code] = (await once(owner, 'exit')) as [number | null];
  expect([code, (await output).join('')]).toEqual([0, '1\n']);
  const kernels = (): number[] => processesWith('--experimental-vm-modules').filter((pid) => isOf(pid, seconds));
  expect(await eventually(() => kernels().length === 0, { withinMs: 10_000 })).toBe(true);
});

function isOf(pid: number, threadId: string): boolean {
  return environmentOf(pid).includes(`CODEX_THREAD_ID=${threadId}\0`);
}
