import { existsSync } from 'node:fs';
import path from 'node:path';
import type { JsonValue } from '@quire/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { failed, openKernel, printed } from './kernel-harness.ts';

/** One transparent pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==';
const PNG_URL = `data:image/png;base64,${PNG}`;

function output(text: string): JsonValue {
  return { type: 'function_call_output', call_id: 'call', output: text };
}

test('a call of a tool gives back its raw output item [JS-40]', async () => {
  await using kernel = openKernel();
  const calls: [string, JsonValue][] = [];
  const outcome = await kernel.run(
    "const a = await codex.tool('read', { path: 'x' }); const b = await codex.tool('patch', 'free text'); const c = await codex.tool('plain'); console.log(a, b.output);",
    {
      callTool: (name, input) => {
        calls.push([name, input]);
        return Promise.resolve(output(`from ${name}`));
      },
    },
  );
  expect(outcome).toEqual(printed("{ type: 'function_call_output', call_id: 'call', output: 'from read' } from patch"));
  expect(calls).toEqual([
    ['read', { path: 'x' }],
    ['patch', 'free text'],
    ['plain', {}],
  ]);
});

test('calls of tools can be under way together [JS-41]', async () => {
  await using kernel = openKernel();
  const waiting: (() => void)[] = [];
  const outcome = await kernel.run(
    "const all = await Promise.all([1, 2, 3].map((n) => codex.tool('t', { n }))); console.log(all);",
    {
      callTool: (_, input) =>
        new Promise((resolve) => {
          waiting.unshift(() => resolve((input as { n: number }).n));
          if (waiting.length === 3) for (const answer of waiting) answer();
        }),
    },
  );
  expect(outcome).toEqual(printed('[ 1, 2, 3 ]'));
});

test('at most a hundred calls are under way at a time [JS-41]', async () => {
  await using folder = await temporaryDirectory();
  const flag = path.join(folder.path, 'refused');
  await using kernel = openKernel();
  const outcome = await kernel.run(
    `const fs = await import('node:fs');
     const all = Array.from({ length: 101 }, () => codex.tool('t'));
     await all[100].catch((error) => console.log(error.message));
     fs.writeFileSync('${flag}', '');
     console.log((await Promise.all(all.slice(0, 100))).length);`,
    { callTool: async () => await eventually(() => existsSync(flag), { withinMs: 10_000 }) },
  );
  expect(outcome).toEqual(printed('a cell can have 100 calls of tools under way\n100'));
});

test('a cell does not end before the calls that it made, also when it did not wait for them [JS-42]', async () => {
  await using kernel = openKernel();
  const order: string[] = [];
  await kernel.run("codex.tool('slow');", {
    callTool: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push('called');
      return null;
    },
  });
  order.push('ended');
  expect(order).toEqual(['called', 'ended']);
});

test('the time limit stands still while a tool is called [JS-43]', async () => {
  await using kernel = openKernel();
  await kernel.run('1');
  const outcome = await kernel.run("await codex.tool('slow'); console.log('after');", {
    timeoutMs: 2_000,
    callTool: () => new Promise((resolve) => setTimeout(() => resolve(null), 2_500)),
  });
  expect(outcome).toEqual(printed('after'));
});

test.each(['js_repl', 'js_repl_reset'])('%s can not be called from within [JS-44]', async (name) => {
  await using kernel = openKernel();
  expect(await kernel.run(`await codex.tool('${name}', {})`)).toMatchObject({
    error: expect.stringMatching(new RegExp(`^Error: ${name} can not be called from within a cell`)) as string,
  });
});

test.each(['codex.tool(5)', "codex.tool('a', 5)", "codex.tool('a', null)"])(
  'a call that makes no sense, %s, fails by itself [JS-45]',
  async (call) => {
    await using kernel = openKernel();
    const outcome = await kernel.run(`await ${call}`);
    expect(outcome).toMatchObject({ error: expect.stringMatching(/^TypeError: codex.tool takes the name/) as string });
  },
);

test('arguments that are no JSON, or too large, fail by themselves [JS-45]', async () => {
  await using kernel = openKernel();
  const cycle = await kernel.run("const a = {}; a.a = a; await codex.tool('t', a);");
  expect(cycle).toMatchObject({ error: expect.stringContaining('circular structure') as string });
  const large = await kernel.run("await codex.tool('t', { x: 'x'.repeat(40_000_000) });");
  expect(large).toMatchObject({ error: expect.stringMatching(/^RangeError: this is too large/) as string });
});

test('images are given as data URL, bytes, bytes with a type, or output of a tool [JS-46]', async () => {
  await using kernel = openKernel();
  const outcome = await kernel.run(
    `const bytes = Buffer.from('${PNG}', 'base64');
     await codex.emitImage('${PNG_URL}');
     await codex.emitImage(bytes);
     await codex.emitImage({ bytes: new Uint8Array(bytes), mimeType: 'image/png', detail: 'original' });
     await codex.emitImage({ image_url: '${PNG_URL}', detail: 'low' });
     await codex.emitImage(codex.tool('view_image', { path: 'x.png' }));
     console.log('shown');`,
    {
      callTool: () =>
        Promise.resolve({
          type: 'function_call_output',
          call_id: 'c',
          output: [
            { type: 'input_text', text: 'a pixel' },
            { type: 'input_image', image_url: PNG_URL, detail: 'original' },
          ],
        }),
    },
  );
  const plain = { url: PNG_URL, detail: undefined };
  const original = { url: PNG_URL, detail: 'original' };
  const low = { url: PNG_URL, detail: 'low' };
  expect(outcome).toEqual({ kind: 'done', output: 'shown', images: [plain, plain, original, low, original] });
});

test('images of tools that were called are not shown by themselves [JS-46]', async () => {
  await using kernel = openKernel();
  const callTool = () => Promise.resolve({ output: [{ type: 'input_image', image_url: PNG_URL }] });
  expect(await kernel.run("await codex.tool('view_image', {});", { callTool })).toEqual(printed(''));
});

test.each([
  ['42', 'codex.emitImage takes a data URL, bytes'],
  ["{ bytes: 'text' }", 'codex.emitImage takes a data URL, bytes'],
  ["{ output: 'text only' }", 'codex.emitImage takes a data URL, bytes'],
  ["'https://example.com/x.png'", 'an image is given as bytes or as a base64 data URL'],
  ["'data:image/png;base64,AAAA'", 'this is not a PNG, JPEG, WebP or GIF image'],
  [`Buffer.from('${PNG}', 'base64').subarray(0, 40)`, 'this png image is damaged: it ends too early'],
])('what is no image, %s, fails the cell, waited for or not [JS-47]', async (value, message) => {
  await using kernel = openKernel();
  for (const statement of [`await codex.emitImage(${value});`, `codex.emitImage(${value});`]) {
    const outcome = await kernel.run(`${statement} console.log('after');`);
    expect(outcome).toMatchObject({ kind: 'failed', images: [], error: expect.stringContaining(message) as string });
  }
  expect(await kernel.run(`await codex.emitImage(${value}).catch(() => console.log('caught'));`)).toEqual(
    printed('caught'),
  );
});

test('a cell can emit 32 images and 30 MiB of them [JS-47]', async () => {
  await using kernel = openKernel();
  const outcome = await kernel.run(`for (let i = 0; i < 33; i++) await codex.emitImage('${PNG_URL}');`);
  expect(outcome.images).toHaveLength(32);
  expect(outcome).toMatchObject({ error: expect.stringMatching(/^Error: a cell can emit 32 images/) as string });
  const large = await kernel.run("await codex.emitImage('data:image/png;base64,' + 'A'.repeat(31_500_000));");
  expect(large).toMatchObject({
    error: expect.stringMatching(/^Error: the images of a cell are over 30 MiB/) as string,
  });
});

test('nothing can be called when no cell runs [JS-45]', async () => {
  await using kernel = openKernel();
  await kernel.run("let message; setImmediate(() => codex.tool('t').catch((error) => { message = error.message; }));");
  expect(await kernel.run('console.log(message)')).toEqual(
    printed('codex.tool and codex.emitImage can only be called while a cell runs'),
  );
});

test('an error of the host is not an error of the cell that follows [JS-45]', async () => {
  await using kernel = openKernel();
  expect(await kernel.run("await codex.tool('js_repl').catch((error) => console.log(error.message));")).toEqual(
    printed('js_repl can not be called from within a cell'),
  );
  expect(await kernel.run('throw new Error("own")')).toEqual(failed('Error: own\n    at cell-2.js:1:7'));
});
