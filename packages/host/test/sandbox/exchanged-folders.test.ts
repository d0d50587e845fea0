import { mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SandboxBackend } from '../../src/sandbox/backend.ts';
import { findBubblewrap } from '../../src/sandbox/bubblewrap.ts';
import { readSetupFault } from '../../src/sandbox/setup-fault.ts';
import { systemCallsOf } from '../../src/sandbox/system-calls.ts';
import { tryBackend } from '../../src/sandbox/try-backend.ts';
import { runStart } from '../support/run-confined.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const forms = [
  { form: 'mounts of its own', ownMounts: true },
  { form: 'mounts of bubblewrap, looked at afterwards', ownMounts: false },
] as const;
const found = forms.map(({ form, ownMounts }) => {
  const finding = findBubblewrap(systemCallsOf(process.arch), { ownMounts });
  return { form, backend: finding.kind === 'found' ? finding.backend : undefined };
});
const working: { readonly form: string; readonly backend: SandboxBackend }[] = [];
for (const { form, backend } of found) {
  if (backend !== undefined && (await tryBackend(backend)) === undefined) working.push({ form, backend });
}

let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let root: string;
let one: string;
let outside: string;
beforeEach(async () => {
  folder = await temporaryDirectory();
  [root, one, outside] = [join(folder.path, 'root'), join(folder.path, 'root', 'one'), join(folder.path, 'outside')];
  for (const path of [root, one, outside, join(one, '.git'), join(one, '.git', 'hooks')]) mkdirSync(path);
});
afterEach(() => folder[Symbol.asyncDispose]());

describe.each(working)('bubblewrap with $form', ({ backend }) => {
  const start = (paths: { readonly writableRoots: readonly string[]; readonly protectedPaths: readonly string[] }) =>
    backend.start({
      argv: ['/bin/sh', '-c', 'echo x > one/new; echo x > one/.git/hooks/new; echo x > ../outside/new; ls one'],
      cwd: root,
      confinement: { kind: 'sandbox', writableRoots: paths.writableRoots, network: 'off' },
      environment: { PATH: process.env['PATH'] ?? '' },
      pinnedFolders: [],
      egress: undefined,
      ...paths,
    });
  const run = (started: ReturnType<typeof start>) => runStart({ kind: 'ready', ...started }, { cwd: root });

  test('a root below a root can be written, what is protected in it can not [SBX-83]', async () => {
    const ended = await run(start({ writableRoots: [root, one], protectedPaths: [join(one, '.git')] }));
    expect([ended.exitCode, ended.stdout]).toEqual([0, 'new\n']);
    expect([readdirSync(join(one, '.git', 'hooks')), readdirSync(outside)]).toEqual([[], []]);
  });

  test('nothing is started when a root has become a link to elsewhere [SBX-83]', async () => {
    const started = start({ writableRoots: [root, one], protectedPaths: [] });
    renameSync(one, join(root, 'two'));
    symlinkSync('../outside', one);
    const { exitCode, stderr } = await run(started);
    expect(readSetupFault({ exitCode: exitCode ?? 0, output: stderr })).toContain(one);
    expect(readdirSync(outside)).toEqual([]);
  });

  test('nothing is started when a folder above something protected has become a link [SBX-83]', async () => {
    mkdirSync(join(outside, '.git'));
    const started = start({ writableRoots: [root], protectedPaths: [join(one, '.git')] });
    renameSync(one, join(root, 'two'));
    symlinkSync('../outside', one);
    const { exitCode, stderr } = await run(started);
    expect(readSetupFault({ exitCode: exitCode ?? 0, output: stderr })).toContain(join(one, '.git'));
    expect(readdirSync(outside)).toEqual(['.git']);
  });
});

describe.runIf(working.some(({ form }) => form === forms[1].form))('mounts of bubblewrap', () => {
  test('nothing is started when another folder stands where a root was [SBX-83]', async () => {
    const backend = working.find(({ form }) => form === forms[1].form)?.backend;
    const started = backend?.start({
      argv: ['/bin/sh', '-c', 'echo x > one/new'],
      cwd: root,
      confinement: { kind: 'sandbox', writableRoots: [root, one], network: 'off' },
      environment: { PATH: process.env['PATH'] ?? '' },
      writableRoots: [root, one],
      protectedPaths: [],
      pinnedFolders: [],
      egress: undefined,
    });
    if (started === undefined) throw new Error('bubblewrap worked before');
    renameSync(one, join(root, 'two'));
    mkdirSync(one);
    const { exitCode, stderr } = await runStart({ kind: 'ready', ...started }, { cwd: root });
    expect(readSetupFault({ exitCode: exitCode ?? 0, output: stderr })).toContain(one);
    expect(readdirSync(one)).toEqual([]);
  });

  test('what can not be ruled out with them is said [SBX-83]', () => {
    expect(found[1]?.backend?.gaps.join()).toContain('exchanges a folder for a link');
  });
});
