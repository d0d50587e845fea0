import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findLimiter, tryLimiter } from '../../src/process/limit-mark.ts';
import { OutputPipes, releasePipes } from '../../src/process/output-pipes.ts';
import type { SandboxBackend } from '../../src/sandbox/backend.ts';
import { findProgram } from '../../src/sandbox/find-program.ts';
import { findLandlock, readAbility } from '../../src/sandbox/landlock.ts';
import { systemCallsOf } from '../../src/sandbox/system-calls.ts';
import { tryBackend } from '../../src/sandbox/try-backend.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** How late a program begins. Longer than it takes when nothing else runs, shorter than what hangs. */
const LATE = 'sleep 2.5';
const calls = systemCallsOf(process.arch);
const perl = findProgram('perl');
const limiter = await findLimiter();
const finding = findLandlock(calls, { usesNamespaces: true });

let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeEach(async () => {
  folder = await temporaryDirectory();
});
afterEach(() => folder[Symbol.asyncDispose]());

/** A program that begins late. */
async function late(name: string, program: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, `#!/bin/sh\n${LATE}\nexec ${program} "$@"\n`);
  await chmod(path, 0o755);
  return path;
}

describe.runIf(process.platform === 'linux')('on a machine that is slow to start programs', () => {
  test.runIf(finding.kind === 'found')('a sandbox works as on any other [SBX-01]', async () => {
    const { backend } = finding as { readonly backend: SandboxBackend };
    const slow: SandboxBackend = {
      ...backend,
      start: (request) => {
        const started = backend.start(request);
        return { ...started, path: '/bin/sh', args: ['-c', `${LATE}; exec "$@"`, 'sh', started.path, ...started.args] };
      },
    };
    expect(await tryBackend(slow)).toBe(await tryBackend(backend));
  });

  test.runIf(perl !== undefined && calls !== undefined)('the kernel is asked all the same [SBX-01]', async () => {
    if (perl === undefined || calls === undefined) return;
    expect(readAbility(await late('perl', perl), calls)).toEqual(readAbility(perl, calls));
  });

  test.runIf(limiter !== undefined)('processes are marked all the same [CMD-43]', async () => {
    const path = await late('prlimit', limiter ?? '');
    expect(await tryLimiter(path)).toBe(path);
  });

  test('commands print to real pipes all the same [HOST-05]', async () => {
    await late('mkfifo', findProgram('mkfifo') ?? '');
    const makeDirectory = (): Promise<string> => mkdtemp(join(folder.path, 'pipes-'));
    const pipes = new OutputPipes({ path: `${folder.path}:/usr/bin:/bin`, makeDirectory });
    const pair = await pipes.acquirePair();
    expect(pair).toHaveLength(2);
    releasePipes(pair ?? []);
    await pipes.close();
  });
});
