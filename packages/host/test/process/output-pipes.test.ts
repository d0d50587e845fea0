import type { Confinement } from '@quire/core';
import { expect, test } from 'vitest';
import { runInProgram } from '../support/run-in-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// In worker threads, where tests run, there are no such pipes: hence programs.

/** Starts the scripts, all at once or one after another, and prints their outputs. */
function program(
  scripts: readonly string[],
  options: { order: 'together' | 'in turn'; path?: string; root?: string },
): string {
  return `const environment = { ...process.env, PATH: ${JSON.stringify(options.path)} ?? process.env.PATH };
    const runner = host.createCommandRunner({ threadId: 't', environment, shell: { name: 'bash', path: '/bin/bash' } });
    const run = async (script) => {
      const command = { script, login: false, cwd: '/', confinement: ${JSON.stringify(confinementIn(options.root))}, timeoutMs: 10000 };
      return (await runner.run(command, { signal: new AbortController().signal })).output;
    };
    const outputs = [];
    const scripts = ${JSON.stringify(scripts)};
    if (${options.order === 'together'}) outputs.push(...(await Promise.all(scripts.map(run))));
    else for (const script of scripts) outputs.push(await run(script));
    await runner.close();
    console.log(JSON.stringify(outputs));`;
}

function confinementIn(root: string | undefined): Confinement {
  if (root === undefined) return { kind: 'none' };
  return { kind: 'sandbox', writableRoots: [root], network: 'off' };
}

test('output streams can be opened again by name, as behind a real pipe [HOST-05]', async () => {
  await using folder = await temporaryDirectory();
  const script = 'echo out > /dev/stdout; echo err > /dev/stderr; echo tee | tee /dev/stderr';
  const ran = await runInProgram(folder.path, program([script], { order: 'in turn' }));
  expect(ran).toEqual({ result: ['out\ntee\nerr\ntee\n'], stderr: '' });
});

test('output streams can be opened by name in the sandbox, too [CMD-45]', async () => {
  await using folder = await temporaryDirectory();
  const script = 'echo out > /dev/stdout; echo err > /dev/stderr; echo tee | tee /dev/stderr';
  const ran = await runInProgram(folder.path, program([script], { order: 'in turn', root: folder.path }));
  expect(ran).toEqual({ result: ['out\ntee\nerr\ntee\n'], stderr: '' });
});

test('more commands at once than pipes were made for all get theirs [HOST-05]', async () => {
  await using folder = await temporaryDirectory();
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  const scripts = numbers.map((number) => `echo ${number} > /dev/stderr`);
  const ran = await runInProgram(folder.path, program(scripts, { order: 'together' }));
  expect(ran).toEqual({ result: numbers.map((number) => `${number}\n`), stderr: '' });
});

test('a pipe that a leftover child still writes to is not handed to another command [HOST-05]', async () => {
  await using folder = await temporaryDirectory();
  const noisy = '(while :; do echo noise; sleep 0.01; done) & exec >/dev/null 2>&1; sleep 0.1';
  const scripts = [noisy, noisy, ...Array.from({ length: 12 }, () => 'echo own; sleep 0.02; echo err >&2')];
  const { result, stderr } = await runInProgram(folder.path, program(scripts, { order: 'in turn' }));
  expect({ own: (result as string[]).slice(2), stderr }).toEqual({
    own: Array.from({ length: 12 }, () => 'own\nerr\n'),
    stderr: '',
  });
});

test('all of a large output is read and the cap is kept, again and again [HOST-09]', async () => {
  await using folder = await temporaryDirectory();
  const scripts = Array.from({ length: 6 }, () => 'head -c 5000000 /dev/zero | tr "\\0" x');
  const source = program(scripts, { order: 'in turn' }).replace('(outputs)', '(outputs.map((text) => text.length))');
  const ran = await runInProgram(folder.path, source);
  expect(ran).toEqual({
    result: scripts.map(() => 1024 * 1024 + '\n…[3951424 bytes left out here]…\n'.length),
    stderr: '',
  });
});

test('without mkfifo commands still run and are captured [HOST-05]', async () => {
  await using folder = await temporaryDirectory();
  const source = program(['echo out; echo err >&2'], { order: 'in turn', path: '/nowhere' });
  expect(await runInProgram(folder.path, source)).toEqual({ result: ['out\nerr\n'], stderr: '' });
});
