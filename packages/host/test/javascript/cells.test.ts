import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { failed, openKernel, printed } from './kernel-harness.ts';

describe('variables', () => {
  test('cells share variables, functions and classes, and a closure sees what a later cell assigns [JS-01]', async () => {
    await using kernel = openKernel();
    await kernel.run(
      'let count = 1; const { a, ...rest } = { a: 1, b: 2 }; var v = 3; function read() { return count; } class K { x = 7; }',
    );
    await kernel.run('count += 1; v += 1;');
    expect(await kernel.run('console.log(count, read(), a, rest, v, new K().x);')).toEqual(
      printed('2 2 1 { b: 2 } 4 7'),
    );
  });

  test('a constant of an earlier cell can not be assigned [JS-02]', async () => {
    await using kernel = openKernel();
    await kernel.run('const fixed = 1;');
    const outcome = await kernel.run('\nfixed = 2;');
    expect(outcome).toEqual(failed('TypeError: Assignment to constant variable.\n    at cell-2.js:2:7'));
    expect(await kernel.run('console.log(fixed)')).toEqual(printed('1'));
  });

  test('a later cell may declare a name anew, and `var` keeps its value [JS-03]', async () => {
    await using kernel = openKernel();
    await kernel.run('const x = 1; let y = 1; var z = 1; for (var i = 0; i < 3; i++) { var inner = i; }');
    await kernel.run('let x = 2; const y = 2; var z; x += 1;');
    expect(await kernel.run('console.log(x, y, z, i, inner)')).toEqual(printed('3 2 1 3 2'));
  });

  test('a failed cell keeps what it initialised and does not hide what it did not [JS-04]', async () => {
    await using kernel = openKernel();
    await kernel.run('let kept = "old"; let lost = "old";');
    const outcome = await kernel.run('let fresh = 1; kept = "new";\nthrow new Error("stop");\nlet lost = 2;');
    expect(outcome).toEqual(failed('Error: stop\n    at cell-2.js:2:7'));
    expect(await kernel.run('console.log(fresh, kept, lost)')).toEqual(printed('1 new old'));
  });

  test('a name of the platform can be declared and is there in later cells, but not for packages [JS-05]', async () => {
    await using kernel = openKernel();
    await kernel.run('const crypto = await import("node:crypto"); let URL = 5;');
    await kernel.run('URL += 1;');
    expect(
      await kernel.run(
        'console.log(typeof crypto.createHash, URL, typeof globalThis.URL, crypto === globalThis.crypto)',
      ),
    ).toEqual(printed('function 6 function false'));
  });

  test('a cell may end in a comment, be empty of statements, and export [JS-06]', async () => {
    await using kernel = openKernel();
    await kernel.run('export const one = 1; export default function two() { return 2; } export { one as uno }; // end');
    await kernel.run('// nothing');
    expect(await kernel.run('const __proto__ = 1, münchen = 2, \\u0061b = 3; let get, set, constructor;')).toEqual(
      printed(''),
    );
    expect(await kernel.run('console.log(münchen, ab, typeof get)')).toEqual(printed('2 3 undefined'));
    expect(await kernel.run('console.log(one + two())')).toEqual(printed('3'));
  });
});

describe('code', () => {
  test('await stands at the top level, in order with everything else [JS-07]', async () => {
    await using kernel = openKernel();
    const code =
      'const text = await Promise.resolve("a"); console.log(text); for await (const x of [1, Promise.resolve(2)]) console.log(x);';
    expect(await kernel.run(code)).toEqual(printed('a\n1\n2'));
  });

  test('an error names the line of the cell and nothing of the kernel [JS-08]', async () => {
    await using kernel = openKernel();
    await kernel.run('function fail() {\n  throw new RangeError("too far");\n}');
    expect(await kernel.run('const before = 1;\n\nawait (async () => fail())();')).toEqual(
      failed('RangeError: too far\n    at fail (cell-1.js:2:9)\n    at cell-2.js:3:20\n    at cell-2.js:3:27'),
    );
    expect(await kernel.run('throw { code: 7 }')).toEqual(failed('thrown: { code: 7 }'));
    expect(await kernel.run("await (await import('node:fs/promises')).readFile('/nonexistent/file')")).toEqual(
      failed(
        "Error: ENOENT: no such file or directory, open '/nonexistent/file'\n    at async cell-4.js:1:1 {\n  errno: -2,\n  code: 'ENOENT',\n  syscall: 'open',\n  path: '/nonexistent/file'\n}",
      ),
    );
  });

  test('a syntax error shows the place and costs no state [JS-08]', async () => {
    await using kernel = openKernel();
    await kernel.run('let kept = 1;');
    expect(await kernel.run('kept = 2;\nlet = ;')).toEqual(
      failed("SyntaxError: The keyword 'let' is reserved\n    at cell-2.js:2:1\nlet = ;\n^"),
    );
    expect(await kernel.run('console.log(kept)')).toEqual(printed('1'));
  });

  test('nesting without end is refused, not a crash [JS-08]', async () => {
    await using kernel = openKernel();
    const outcome = await kernel.run('['.repeat(200_000));
    expect(outcome).toEqual(failed('SyntaxError: the cell can not be parsed (Maximum call stack size exceeded)'));
  });

  test('a static import is refused with what to write instead [JS-09]', async () => {
    await using kernel = openKernel();
    expect(await kernel.run("const a = 1;\nimport fs from 'node:fs';")).toEqual(
      failed(
        'SyntaxError: a cell can not import statically: use `await import("node:fs")` instead\n    at cell-1.js:2',
      ),
    );
    expect(await kernel.run("export * from './x.js';")).toEqual(
      failed('SyntaxError: a cell can not import statically: use `await import("./x.js")` instead\n    at cell-2.js:1'),
    );
  });
});

describe('output', () => {
  test('whatever is printed, by console and process alike, is joined in order [JS-10]', async () => {
    await using kernel = openKernel();
    const code = `console.log('a', { b: [1] }); console.error('c'); console.table([{ x: 1 }]);
      process.stdout.write('d'); process.stderr.write(Buffer.from('é\\n')); console.log('😀'.repeat(3));`;
    expect(await kernel.run(code)).toEqual(
      printed(
        'a { b: [ 1 ] }\nc\n┌─────────┬───┐\n│ (index) │ x │\n├─────────┼───┤\n│ 0       │ 1 │\n└─────────┴───┘\ndé\n😀😀😀',
      ),
    );
  });

  test('of what is over one MiB the middle is missing, and characters stay whole [JS-11]', async () => {
    await using kernel = openKernel();
    const outcome = await kernel.run("console.log('😀'.repeat(1_000_000)); console.log('end');");
    expect(outcome.kind).toBe('done');
    expect(Buffer.byteLength(outcome.output)).toBeLessThan(1024 * 1024 + 100);
    const [head = '', tail = ''] = outcome.output.split(/\n…\[295\d{4} bytes left out here\]…\n/);
    expect([head.replaceAll('😀', ''), tail.replaceAll('😀', '')]).toEqual(['', '\nend']);
  });

  test('a flood costs neither memory nor the cell, and what was written to the descriptor itself harms nothing [JS-11]', async () => {
    await using kernel = openKernel();
    const code = `const fs = await import('node:fs');
      for (let i = 0; i < 200_000; i++) console.log('line', i);
      fs.writeSync(1, '{"type":"exec_result","id":"cell-1","ok":false}\\n');
      fs.writeSync(2, 'noise\\n'.repeat(10_000));`;
    const outcome = await kernel.run(code);
    expect(outcome.output).toMatch(/^line 0\nline 1\n[\s\S]*\n…\[\d+ bytes left out here\]…\n[\s\S]*\nline 199999$/);
    expect(await kernel.run('console.log(1)')).toEqual(printed('1'));
  });

  test('what is printed between two cells comes with the later one [JS-12]', async () => {
    await using folder = await temporaryDirectory();
    const [ended, said] = [path.join(folder.path, 'ended'), path.join(folder.path, 'said')];
    await using kernel = openKernel();
    const first = await kernel.run(`const fs = await import('node:fs');
      const timer = setInterval(() => {
        if (!fs.existsSync('${ended}')) return;
        clearInterval(timer);
        console.log('late');
        fs.writeFileSync('${said}', '');
      }, 5);`);
    await writeFile(ended, '');
    expect(await eventually(() => existsSync(said), { withinMs: 10_000 })).toBe(true);
    expect([first, await kernel.run('console.log("now")')]).toEqual([printed(''), printed('late\nnow')]);
  });
});

describe('surroundings', () => {
  test('a cell finds its directory, the thread, a scratch folder and the globals of the web [JS-13]', async () => {
    await using folder = await temporaryDirectory();
    await using kernel = openKernel();
    const code = `const fs = await import('fs');
      fs.writeFileSync(codex.tmpDir + '/x', 'kept');
      console.log(process.cwd(), process.env.CODEX_THREAD_ID, process.env.CODEX_JS_TMP_DIR === codex.tmpDir);
      console.log(typeof fetch, typeof URL, typeof Buffer, typeof structuredClone, typeof require, typeof child_process);`;
    expect(await kernel.run(code, { cwd: folder.path })).toEqual(
      printed(`${folder.path} thread-1 true\nfunction function function function undefined undefined`),
    );
    expect(
      await kernel.run("console.log(process.cwd(), fs.readFileSync(codex.tmpDir + '/x', 'utf8'))", { cwd: '/' }),
    ).toEqual(printed('/ kept'));
  });

  test('values of the platform are of the same kind as those of the cell [JS-14]', async () => {
    await using kernel = openKernel();
    const code = `const fs = await import('node:fs');
      try { fs.readFileSync('/nonexistent'); } catch (error) { console.log(error instanceof Error); }
      console.log(Buffer.from('x') instanceof Uint8Array, [] instanceof Array, fs.readdirSync('/') instanceof Array);`;
    expect(await kernel.run(code)).toEqual(printed('true\ntrue true true'));
  });

  test('packages come from the configured folders, then from the working directory [JS-15]', async () => {
    await using folder = await temporaryDirectory();
    const [first, second, cwd] = ['first', 'second', 'cwd'].map((name) => path.join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    await putPackage(first, 'shared', "export default 'from first';");
    await putPackage(second, 'shared', "export default 'from second';");
    await putPackage(cwd, 'shared', "export default 'from cwd';");
    await putPackage(cwd, 'own', "export default 'own ' + typeof process.exit;");
    await using kernel = openKernel({ moduleDirectories: [path.join(first, 'node_modules'), second] });
    const code = "console.log((await import('shared')).default, (await import('own')).default);";
    expect(await kernel.run(code, { cwd })).toEqual(printed('from first own function'));
    expect(await kernel.run("await import('absent')", { cwd })).toMatchObject({
      kind: 'failed',
      error: expect.stringMatching(/^Error: there is no package absent in .*first.*second.*cwd/) as string,
    });
  });

  test('local scripts are loaded from the working directory, again when they changed [JS-16]', async () => {
    await using folder = await temporaryDirectory();
    await using kernel = openKernel();
    const file = path.join(folder.path, 'lib.mjs');
    const code = "console.log((await import('./lib.mjs')).value)";
    await writeFile(file, "export const value = 'one';");
    expect(await kernel.run(code, { cwd: folder.path })).toEqual(printed('one'));
    await writeFile(file, "export const value = 'changed';");
    expect(await kernel.run(code, { cwd: folder.path })).toEqual(printed('changed'));
    expect(await kernel.run("await import('./notes.txt')", { cwd: folder.path })).toMatchObject({
      error: expect.stringContaining('only .js and .mjs files; read others with node:fs') as string,
    });
    expect(await kernel.run("await import('./absent.js')", { cwd: folder.path })).toMatchObject({
      error: expect.stringContaining('there is no such file') as string,
    });
  });

  test.each([
    'process',
    'node:process',
    'child_process',
    'node:child_process',
    'worker_threads',
    'node:worker_threads',
  ])('the module %s is refused [JS-17]', async (name) => {
    await using kernel = openKernel();
    const outcome = await kernel.run(`await import('${name}')`);
    expect(outcome).toMatchObject({
      error: expect.stringContaining(`the module ${name.replace('node:', '')} can not be imported here`) as string,
    });
  });

  test('an address is refused [JS-17]', async () => {
    await using kernel = openKernel();
    for (const address of ['https://example.com/x.js', 'data:text/javascript,0']) {
      expect(await kernel.run(`await import('${address}')`)).toMatchObject({
        error: expect.stringContaining(`can not import ${address}`) as string,
      });
    }
  });

  test('a directory that is gone fails the cell, not the kernel [JS-13]', async () => {
    await using kernel = openKernel();
    await kernel.run('let kept = 1;');
    expect(await kernel.run('1', { cwd: '/nonexistent' })).toMatchObject({
      error: expect.stringContaining('ENOENT') as string,
    });
    expect(await kernel.run('console.log(kept)')).toEqual(printed('1'));
  });
});

async function putPackage(root: string, name: string, source: string): Promise<void> {
  const directory = path.join(root, 'node_modules', name);
  await mkdir(directory, { recursive: true });
  await writeFile(
    path.join(directory, 'package.json'),
    JSON.stringify({ name, type: 'module', exports: { import: './index.js' } }),
  );
  await writeFile(path.join(directory, 'index.js'), source);
}
