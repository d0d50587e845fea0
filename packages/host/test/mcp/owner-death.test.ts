import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { eventually, processesWith, uniqueSeconds } from '../support/processes.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { stdioConfig } from './support/pool.ts';

/** A server with a helper that left its group, and one that never answers. */
function program(seconds: string): string {
  const good = stdioConfig('good', { fault: 'none', startsFile: '' });
  const transport = {
    ...good.transport,
    command: '/bin/sh',
    args: ['-c', `setsid sleep ${seconds} & exec "$@"`, 'sh', process.execPath, ...argsOf(good), seconds],
  };
  const mute = { ...stdioConfig('mute', { args: [...argsOf(stdioConfig('m', { fault: 'never-answers' })), seconds] }) };
  return `import { loadMcpPool } from './pool.mjs';
    const options = { environment: process.env, home: '/nonexistent', clientInfo: { name: 'q', version: '0' } };
    const pool = (await loadMcpPool())({ ...options, loadDialer: () => undefined });
    const servers = ${JSON.stringify([{ ...good, transport }, mute])};
    const lease = pool.acquire({ servers, cwd: '/', onNotice: (notice) => process.stderr.write(notice) });
    await lease.readResource({ server: 'good', uri: 'r://1' }, { signal: new AbortController().signal });
    process.stdout.write('up');
    if (process.argv[2] === 'stay') setInterval(() => {}, 1000);
    if (process.argv[2] === 'close') await pool.close();`;
}

function argsOf({ transport }: ReturnType<typeof stdioConfig>): readonly string[] {
  return transport.kind === 'stdio' ? transport.args : [];
}

async function startOwner(directory: string, seconds: string, manner: string) {
  await build({
    entryPoints: [join(import.meta.dirname, '../../src/mcp/load-mcp-pool.ts')],
    bundle: true,
    conditions: ['quire-source'],
    format: 'esm',
    logLevel: 'silent',
    outfile: join(directory, 'pool.mjs'),
    platform: 'node',
    target: 'node20',
  });
  await writeFile(join(directory, 'owner.mjs'), program(seconds));
  const owner = spawn(process.execPath, ['owner.mjs', manner], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');
  return owner;
}

test('kill -9 of the owner leaves no server and no helper of one after two seconds [MCP-21]', async () => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  const owner = await startOwner(folder.path, seconds, 'stay');
  expect(processesWith(seconds)).toHaveLength(3);
  const exited = once(owner, 'exit');
  owner.kill('SIGKILL');
  await exited;
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 2_000 })).toBe(true);
});

test('an owner that forgets its servers ends all the same, and they with it [MCP-22]', async () => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  const owner = await startOwner(folder.path, seconds, 'forget');
  if (owner.exitCode === null) await once(owner, 'exit', { signal: AbortSignal.timeout(8_000) });
  expect(owner.exitCode).toBe(0);
  expect(await eventually(() => processesWith(seconds).length === 0, { withinMs: 10_000 })).toBe(true);
});

test('an owner that closes the pool ends soon, and nothing is left at once [MCP-23]', async () => {
  await using folder = await temporaryDirectory();
  const seconds = uniqueSeconds();
  const owner = await startOwner(folder.path, seconds, 'close');
  const begun = performance.now();
  if (owner.exitCode === null) await once(owner, 'exit', { signal: AbortSignal.timeout(15_000) });
  expect(performance.now() - begun).toBeLessThan(8_000);
  expect([owner.exitCode, processesWith(seconds)]).toEqual([0, []]);
});
