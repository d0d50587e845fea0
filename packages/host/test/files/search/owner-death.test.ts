import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { put } from '../../support/git-repository.ts';
import { eventually, processesWith, uniqueSeconds } from '../../support/processes.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('a search does not outlive the program that started it, however that dies [FILE-44]', async () => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  put(folder.path, 'bin/rg', `#!/bin/sh\nsleep ${seconds} &\nsleep ${seconds}\n`, /* mode */ 0o755);
  await build({
    entryPoints: [join(import.meta.dirname, '../../../src/files/workspace-files.ts')],
    bundle: true,
    conditions: ['quire-source'],
    format: 'esm',
    logLevel: 'silent',
    outfile: join(folder.path, 'files.mjs'),
    platform: 'node',
    target: 'node20',
  });
  const query = { pattern: 'a', path: folder.path, cwd: folder.path, limit: 1 };
  const program = `import { createWorkspaceFiles } from './files.mjs';
    await createWorkspaceFiles().search(${JSON.stringify(query)}, { signal: new AbortController().signal });`;
  await writeFile(join(folder.path, 'program.mjs'), program);
  const environment = { PATH: `${join(folder.path, 'bin')}:${process.env['PATH']}` };
  const owner = spawn(process.execPath, [join(folder.path, 'program.mjs')], { env: environment, stdio: 'ignore' });
  const exited = once(owner, 'exit');
  const isRunning = await eventually(() => processesWith(seconds).length === 2, { withinMs: 10_000 });
  owner.kill('SIGKILL');
  await exited;
  const isGone = await eventually(() => processesWith(seconds).length === 0, { withinMs: 2_000 });
  expect({ isRunning, isGone }).toEqual({ isRunning: true, isGone: true });
});
