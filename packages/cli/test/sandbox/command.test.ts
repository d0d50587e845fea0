import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleProgram } from '../support/bundle-program.ts';

const COMMAND = fileURLToPath(new URL('../../src/sandbox/command.ts', import.meta.url));

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'quire-sandbox-command-')));
  const contents = `import { sandboxCommand } from ${JSON.stringify(COMMAND)};
process.exitCode = (await sandboxCommand(process.argv.slice(2))).exitCode;`;
  program = await bundleProgram(folder, contents);
  for (const name of ['home', 'work']) mkdirSync(join(folder, name));
}, 30_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(argv: readonly string[], inheritedFd?: number): Promise<Ended> {
  // A descriptor behind a gap: the runtime of the program does not see it at its start.
  const gap = Array.from({ length: 37 }, () => 'ignore' as const);
  const child = spawn(process.execPath, [program, ...argv], {
    cwd: join(folder, 'work'),
    env: { PATH: process.env['PATH'] ?? '', HOME: join(folder, 'home'), CODEX_HOME: join(folder, 'home') },
    stdio: ['ignore', 'pipe', 'pipe', ...(inheritedFd === undefined ? [] : [...gap, inheritedFd])],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

describe('quire sandbox', () => {
  test('runs nothing when a folder of --add-dir does not exist [SBX-82]', async () => {
    expect(await run(['-s', 'workspace-write', '--add-dir', '/nope', '--', 'echo', 'ran'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'quire: the directory /nope does not exist; give an existing one with --add-dir\n',
    });
  });

  test('ends as the command did, and writes what it wrote [SBX-55]', async () => {
    expect(await run(['--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect((await run(['--', 'sh', '-c', 'kill -9 $$'])).code).toBe(137);
    expect((await run(['--', '/no/such/program'])).code).toBe(127);
    expect((await run(['-s', 'danger-full-access', '--', 'sh', '-c', 'exit 4'])).code).toBe(4);
    expect((await run(['-s', 'read-only', '--', 'sh', '-c', 'echo x > file'])).code).not.toBe(0);
    expect((await run(['-s', 'workspace-write', '--', 'sh', '-c', 'echo x > file && cat file'])).stdout).toBe('x\n');
  });

  test('gives the command the variables that the policy for commands lets through [CMD-78]', async () => {
    const policy = ['-c', 'shell_environment_policy.inherit=none', '-c', 'shell_environment_policy.set.ADDED="1"'];
    for (const mode of ['danger-full-access', 'workspace-write']) {
      const { stdout, stderr } = await run(['-s', mode, ...policy, '--', '/usr/bin/env']);
      expect(stderr).toBe('');
      const names = stdout.split('\n').map((line) => line.split('=')[0]);
      expect(names).toContain('ADDED');
      expect(names.filter((name) => ['PATH', 'HOME', 'CODEX_HOME'].includes(name ?? ''))).toEqual([]);
    }
    const refused = await run(['-c', 'shell_environment_policy.inherit=some', '--', 'echo', 'ran']);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('shell_environment_policy.inherit must be one of all, core, none, found "some"');
  });

  test('a backend that can not be had is said, and nothing runs [SBX-55]', async () => {
    const ended = await run(['--backend', process.platform === 'linux' ? 'seatbelt' : 'landlock', '--', 'echo', 'ran']);
    expect([ended.code, ended.stdout]).toEqual([1, '']);
    expect(ended.stderr).toContain('quire: no sandbox works on this machine');
  });

  test.each(['landlock', 'bubblewrap'])('%s: open files are not handed on [SBX-35]', async (backend) => {
    const path = join(folder, 'secret');
    const fd = openSync(path, 'w');
    try {
      const script = 'for fd in 40 41; do (eval "echo leaked >&$fd") 2>/dev/null; done; echo done';
      const ended = await run(['--backend', backend, '--', 'bash', '-c', script], fd);
      expect([readFileSync(path, 'utf8'), ended.stdout === 'done\n' || ended.code === 1]).toEqual(['', true]);
    } finally {
      closeSync(fd);
    }
  });
});
