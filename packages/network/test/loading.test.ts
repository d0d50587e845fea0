import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
/** Sources in the part of a bundle that is loaded with the entry. */
let eager: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-loading-'));
  const { metafile } = await build({
    entryPoints: { network: new URL('../src/index.ts', import.meta.url).pathname },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    metafile: true,
  });
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? []) {
      if (kind === 'import-statement') visit(next);
    }
  };
  visit(Object.keys(metafile.outputs).find((path) => path.endsWith('/network.mjs')) ?? '');
  const sources = [...reached].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
  eager = sources.map((path) => path.slice(path.lastIndexOf('/src/') + '/src/'.length)).sort();
});
afterAll(() => rm(folder, { recursive: true }));

test('no proxy and no certificate code is loaded before it is needed [DIAL-07]', () => {
  expect(eager.filter((path) => /^(proxy|trust)\//.test(path))).toEqual([]);
  expect(eager).toContain('dialer.ts');
  expect(eager).toContain('route/plain-route.ts');
});

/** Which of these modules of the platform are loaded after `code` ran with the package as `network`. */
async function loadedAfter(code: string): Promise<string[]> {
  const main = join(folder, 'main.mjs');
  const entry = pathToFileURL(join(folder, 'network.mjs')).href;
  const report = `process.stdout.write(JSON.stringify(['https', 'tls', 'crypto', 'dns/promises', 'zlib', 'http']
    .filter((name) => process.moduleLoadList.includes('NativeModule ' + name))));`;
  await writeFile(main, `const network = await import(${JSON.stringify(entry)});\n${code}\n${report}`);
  const env = { PATH: process.env['PATH'] };
  return JSON.parse(execFileSync(process.execPath, [main], { env, encoding: 'utf8' })) as string[];
}

test('importing the package, and a plain http route, load node:http only [DIAL-07]', async () => {
  expect(await loadedAfter('')).toEqual(['http']);
  const plain = `await network.createDialer({ environment: {} }).route(new URL('http://127.0.0.1:1'));`;
  expect(await loadedAfter(plain)).toEqual(['http']);
  const secure = `await network.createDialer({ environment: {} }).route(new URL('https://127.0.0.1:1'));`;
  expect(await loadedAfter(secure)).toContain('https');
});
