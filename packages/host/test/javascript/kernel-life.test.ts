import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CellOutcome } from '@quire/core';
import { describe, expect, test } from 'vitest';
import { createJavaScriptKernel } from '../../src/javascript/create-javascript-kernel.ts';
import { environmentOf, eventually, processesWith, uniqueSeconds } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { failed, openKernel, printed, type TestKernel } from './kernel-harness.ts';

const NEXT_IS_FRESH = 'The next cell starts a fresh one: what earlier cells made is gone.';

/** What a cell can do in spite of the import rules, which are no border. */
const SPAWN = "const { spawn } = (await import('node:module')).createRequire('/')('child_process');";

/** Ids of the processes of kernels that belong to this value of `CODEX_THREAD_ID`. */
function kernelsOf(threadId: string): number[] {
  return processesWith('--experimental-vm-modules').filter((pid) =>
    environmentOf(pid).includes(`CODEX_THREAD_ID=${threadId}\0`),
  );
}

async function expectFresh(kernel: TestKernel): Promise<void> {
  expect(await kernel.run('console.log(typeof before)')).toEqual(printed('undefined'));
}

describe('a kernel that ends', () => {
  test.each([
    ['waits for nothing', 'await new Promise(() => {})'],
    ['loops', 'while (true) {}'],
    ['prints without end', 'while (true) console.log("y".repeat(1000))'],
  ])('a cell that %s is ended at its time limit, with what it printed [JS-20]', async (_, code) => {
    await using kernel = openKernel();
    await kernel.run('let before = 1;');
    const outcome = await kernel.run(`console.log('begun'); ${code}`, { timeoutMs: 1_500 });
    expect(outcome).toEqual({
      ...failed(`The JavaScript kernel was ended: the cell did not end within 1500 milliseconds. ${NEXT_IS_FRESH}`),
      output: expect.stringMatching(/^begun/) as string,
    });
    await expectFresh(kernel);
  });

  test('too many objects end it with a clear reason, and the machine keeps its memory [JS-21]', async () => {
    await using kernel = openKernel({ heapLimitMebibytes: 48 });
    await kernel.run('let before = 1;');
    const outcome = await kernel.run(
      "console.log('begun'); const all = []; for (;;) all.push({ text: [all.length] });",
    );
    expect(outcome).toEqual(failed(`The JavaScript kernel was ended: it ran out of memory. ${NEXT_IS_FRESH}`, 'begun'));
    await expectFresh(kernel);
  });

  test.runIf(process.platform === 'linux')('too large buffers fail the cell only [JS-21]', async () => {
    await using kernel = openKernel();
    const outcome = await kernel.run('const all = []; for (let i = 0; i < 100; i++) all.push(Buffer.alloc(1e8));');
    expect(outcome).toMatchObject({
      error: expect.stringMatching(/^RangeError: Array buffer allocation failed/) as string,
    });
    expect(await kernel.run('console.log(all.length < 20); all.length = 0;')).toEqual(printed('true'));
  });

  test('an exit is explained by its status and the last lines of standard error [JS-22]', async () => {
    await using kernel = openKernel();
    expect(await kernel.run('process.exit(3)')).toMatchObject({
      error: expect.stringMatching(/^Error: process.exit is not available: a cell ends with its last line/) as string,
    });
    const code = `const fs = await import('node:fs');
      for (let i = 0; i < 100; i++) fs.writeSync(2, 'line ' + i + ' ' + 'x'.repeat(i === 98 ? 10_000 : 0) + '\\n');
      globalThis.process.exit(3);`;
    const outcome = await kernel.run(code);
    const error = outcome.kind === 'failed' ? outcome.error : '';
    const [sentence, json = ''] = error.split('\n');
    expect(sentence).toBe(`The JavaScript kernel was ended: its process ended unexpectedly. ${NEXT_IS_FRESH}`);
    const lines = Array.from({ length: 98 }, (_, i) => `line ${i} `);
    const stderr = [...lines, `line 98 ${'x'.repeat(512 - 8)}`, 'line 99 '].join('\n').slice(-1024);
    const kept = stderr.slice(stderr.indexOf('line 80'));
    expect(JSON.parse(json)).toEqual({ status: 'exit code 3', stderr: kept });
    expect(await kernel.run('console.log(typeof fs)')).toEqual(printed('undefined'));
  });

  test('a signal is explained by its name [JS-22]', async () => {
    await using kernel = openKernel();
    const outcome = await kernel.run("globalThis.process.kill(process.pid, 'SIGTERM'); await new Promise(() => {});");
    expect(outcome).toEqual(
      failed(
        `The JavaScript kernel was ended: its process ended unexpectedly. ${NEXT_IS_FRESH}\n{"status":"signal SIGTERM","stderr":""}`,
      ),
    );
  });

  test('a rejection that nobody handles ends it and says so [JS-23]', async () => {
    await using kernel = openKernel();
    const outcome = await kernel.run(
      'let before = 1;\nPromise.reject(new TypeError("nobody looks")); await new Promise(() => {});',
    );
    expect(outcome).toEqual(
      failed(
        `The JavaScript kernel was ended: a rejection was not handled. ${NEXT_IS_FRESH}\nTypeError: nobody looks\n    at cell-1.js:2:16`,
      ),
    );
    await expectFresh(kernel);
  });

  test('an exception outside of a cell ends it, and the next cell is told that it runs in a fresh one [JS-23]', async () => {
    const threadId = uniqueSeconds();
    await using kernel = openKernel({ threadId });
    expect(await kernel.run('let before = 1; setImmediate(() => { throw new Error("too late"); });')).toEqual(
      printed(''),
    );
    expect(await eventually(() => kernelsOf(threadId).length === 0, { withinMs: 10_000 })).toBe(true);
    expect(await kernel.run('console.log(typeof before)')).toEqual(
      printed(
        '[The JavaScript kernel was ended: an exception was not caught. This cell ran in a fresh one: what earlier cells made is gone.\nError: too late\n    at Immediate.<anonymous> (cell-1.js:1:44)]\nundefined',
      ),
    );
  });

  test('a cell that finds its kernel killed runs in a fresh one and is told [JS-23]', async () => {
    const threadId = uniqueSeconds();
    await using kernel = openKernel({ threadId });
    await kernel.run('let before = 1;');
    for (const pid of kernelsOf(threadId)) process.kill(pid, 'SIGKILL');
    expect(await kernel.run('console.log(typeof before)')).toEqual(
      printed(
        '[The JavaScript kernel was ended: its process ended unexpectedly. This cell ran in a fresh one: what earlier cells made is gone.\n{"status":"signal SIGKILL","stderr":""}]\nundefined',
      ),
    );
  });

  test('one that sends something else than messages is ended [JS-24]', async () => {
    await using kernel = openKernel();
    const outcome = await kernel.run(
      "(await import('node:fs')).writeSync(11, 'hello\\n'); await new Promise(() => {});",
    );
    expect(outcome).toEqual(failed(`The JavaScript kernel was ended: what it sent was no message. ${NEXT_IS_FRESH}`));
    const flood = await kernel.run(
      "const fs = await import('node:fs'); const chunk = 'x'.repeat(1e6); for (;;) fs.writeSync(11, chunk);",
    );
    expect(flood).toEqual(
      failed(`The JavaScript kernel was ended: it sent a message that is too long. ${NEXT_IS_FRESH}`),
    );
  });
});

describe('being ended', () => {
  test('reset ends the kernel and a cell that runs, and the next one knows nothing [JS-25]', async () => {
    await using kernel = openKernel();
    await kernel.kernel.reset();
    await kernel.run('let before = 1;');
    await kernel.kernel.reset();
    await expectFresh(kernel);
    const running = kernel.run('console.log("begun"); await codex.tool("wait"); await new Promise(() => {});', {
      callTool: async () => {
        void kernel.kernel.reset();
        return 'waited';
      },
    });
    expect(await running).toEqual(
      failed(`The JavaScript kernel was ended: it was reset while the cell ran. ${NEXT_IS_FRESH}`, 'begun'),
    );
  });

  test('an abort rejects with its reason when all that the cell started is gone [JS-26]', async () => {
    const seconds = uniqueSeconds();
    const threadId = uniqueSeconds();
    await using kernel = openKernel({ threadId });
    const controller = new AbortController();
    const reason = new Error('stopped by a person');
    const running = kernel.run(`${SPAWN} spawn('setsid', ['sleep', '${seconds}']); await codex.tool('up'); for (;;);`, {
      signal: controller.signal,
      callTool: async () => {
        await eventually(() => processesWith(seconds).length > 0, { withinMs: 10_000 });
        setImmediate(() => controller.abort(reason));
        return 'up';
      },
    });
    await expect(running).rejects.toBe(reason);
    expect([kernelsOf(threadId), processesWith(`sleep\0${seconds}`)]).toEqual([[], []]);
    await expect(kernel.run('1', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await kernel.run('console.log(typeof before)')).toEqual(
      printed(
        '[The JavaScript kernel was ended: it was aborted. This cell ran in a fresh one: what earlier cells made is gone.]\nundefined',
      ),
    );
  });

  test('close ends everything, may be called twice, and no cell runs after it [JS-27]', async () => {
    const seconds = uniqueSeconds();
    const threadId = uniqueSeconds();
    const kernel = openKernel({ threadId });
    const scratch = await kernel.run(`console.log(codex.tmpDir); ${SPAWN} spawn('sleep', ['${seconds}']);`);
    const running = kernel.run('await codex.tool("up"); await new Promise(() => {});', {
      callTool: async () => {
        void kernel.kernel.close();
        return null;
      },
    });
    const outcome: CellOutcome = await running;
    expect(outcome).toEqual(
      failed(`The JavaScript kernel was ended: it was closed while the cell ran. ${NEXT_IS_FRESH}`),
    );
    await kernel.kernel.close();
    expect([kernelsOf(threadId), processesWith(`sleep\0${seconds}`)]).toEqual([[], []]);
    await expect(readdir(scratch.output)).rejects.toThrow('ENOENT');
    await expect(kernel.run('1')).rejects.toThrow('the JavaScript kernel is closed');
  });

  test('making a kernel, and closing one that was never used, starts nothing [JS-28]', async () => {
    const threadId = uniqueSeconds();
    const kernel = createJavaScriptKernel({ threadId });
    expect(kernelsOf(threadId)).toEqual([]);
    await kernel.close();
    expect((await readdir(tmpdir())).filter((name) => name.includes(threadId))).toEqual([]);
  });
});

describe('one kernel', () => {
  test('cells run one at a time, in the order of their calls [JS-29]', async () => {
    await using kernel = openKernel();
    const outcomes = await Promise.all([
      kernel.run('let list = []; await new Promise((resolve) => setTimeout(resolve, 20)); list.push("first");'),
      kernel.run('list.push("second");'),
      kernel.run('console.log(list)'),
    ]);
    expect(outcomes.at(-1)).toEqual(printed("[ 'first', 'second' ]"));
  });

  test('a cell that waits for its turn can be aborted alone [JS-29]', async () => {
    await using kernel = openKernel();
    const controller = new AbortController();
    const reason = new Error('not this one');
    const first = kernel.run('await codex.tool("go"); console.log("first")', {
      callTool: async () => {
        controller.abort(reason);
        await expect(second).rejects.toBe(reason);
        return null;
      },
    });
    const second = kernel.run('console.log("second")', { signal: controller.signal });
    expect(await first).toEqual(printed('first'));
    expect(await kernel.run('console.log("third")')).toEqual(printed('third'));
  });
});

describe('Node.js', () => {
  test('one that somebody chose and that is missing, no Node.js or too old is refused in one line [JS-30]', async () => {
    await using folder = await temporaryDirectory();
    const old = path.join(folder.path, 'old-node');
    await writeFile(old, '#!/bin/sh\necho v16.20.2\n', { mode: 0o755 });
    const other = path.join(folder.path, 'other');
    await writeFile(other, '#!/bin/sh\necho hello\n', { mode: 0o755 });
    const remedy = 'set `js_repl_node_path` to a newer one';
    const { CODEX_JS_REPL_NODE_PATH: _, ...unchosen } = process.env;
    await using first = openKernel({ environment: unchosen, nodePath: old });
    expect(await first.run('1')).toEqual(
      failed(`js_repl needs Node.js 20.19 or newer, and ${old} is 16.20.2; ${remedy}`),
    );
    await using second = openKernel({ environment: unchosen, nodePath: other });
    expect(await second.run('1')).toEqual(
      failed(`${other} can not be used as Node.js (it does not tell its version); ${remedy}`),
    );
    const environment = { ...process.env, CODEX_JS_REPL_NODE_PATH: '/nonexistent/node' };
    await using third = openKernel({ environment, nodePath: process.execPath });
    expect(await third.run('1')).toEqual(
      failed(`/nonexistent/node can not be used as Node.js (spawn /nonexistent/node ENOENT); ${remedy}`),
    );
  });

  test('the one of the environment goes before the configured one [JS-30]', async () => {
    await using folder = await temporaryDirectory();
    const chosen = path.join(folder.path, 'node');
    await writeFile(chosen, `#!/bin/sh\nexport CHOSEN=yes\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
    await using kernel = openKernel({
      environment: { ...process.env, CODEX_JS_REPL_NODE_PATH: chosen },
      nodePath: '/nonexistent/node',
    });
    expect(await kernel.run('console.log(process.env.CHOSEN)')).toEqual(printed('yes'));
  });

  test('options of Node.js in the environment do not reach the kernel [JS-30]', async () => {
    await using kernel = openKernel({ environment: { ...process.env, NODE_OPTIONS: '--require /nonexistent.js' } });
    expect(await kernel.run('console.log(process.env.NODE_OPTIONS)')).toEqual(printed('undefined'));
  });
});
