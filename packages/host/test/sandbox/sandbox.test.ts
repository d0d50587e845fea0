import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSandbox, type SandboxBackendName } from '@quire/host';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const report = await createSandbox().probe();
const working = report.tried.filter(({ works }) => works).map(({ backend }) => backend);

interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function runConfined(
  script: string,
  options: {
    readonly backend: SandboxBackendName;
    readonly cwd: string;
    readonly roots?: readonly string[];
    readonly network?: 'on' | 'off';
  },
): Promise<Run> {
  const { backend, cwd, roots = [cwd], network = 'off' } = options;
  const sandbox = createSandbox({ backend });
  const start = await sandbox.wrap({
    argv: ['/bin/sh', '-c', script],
    cwd,
    confinement: { kind: 'sandbox', writableRoots: roots, network },
    environment: { PATH: process.env['PATH'] ?? '', HOME: '/root' },
  });
  if (start.kind === 'unavailable') throw new Error(start.reason);
  try {
    const child = spawn(start.path, start.args, {
      cwd,
      env: start.environment,
      stdio: ['ignore', 'pipe', 'pipe', ...start.extraFds],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('utf8');
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    const [exitCode] = (await once(child, 'close')) as [number | null];
    return { exitCode, stdout, stderr };
  } finally {
    start.release();
    await sandbox.close();
  }
}

test('a sandbox works on this machine [SBX-01]', () => {
  expect(report.chosen, JSON.stringify(report.tried)).toBe(working[0]);
  expect(working.length).toBeGreaterThan(0);
});

describe.each(working)('%s', (backend) => {
  let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
  let root: string;
  let outside: string;
  beforeAll(async () => {
    folder = await temporaryDirectory();
    root = join(realpathSync(folder.path), 'root');
    outside = join(realpathSync(folder.path), 'outside');
    for (const path of [outside, join(root, 'src'), join(root, '.git', 'hooks'), join(root, 'lib', '.git')]) {
      mkdirSync(path, { recursive: true });
    }
    writeFileSync(join(root, '.git', 'config'), '[core]\n');
    symlinkSync(outside, join(root, 'src', 'way-out'));
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  const run = (script: string, options: { readonly network?: 'on' | 'off' } = {}): Promise<Run> =>
    runConfined(script, { backend, cwd: root, ...options });

  test('a command writes below its roots and nowhere else [SBX-02]', async () => {
    const { exitCode, stderr } = await run('echo x > src/file');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const target of [outside, 'src/way-out', '/etc', '/usr/local']) {
      expect((await run(`echo x > ${target}/file`)).exitCode, target).not.toBe(0);
    }
    expect(readdirSync(outside)).toEqual([]);
  });

  test('git folders and agents’ configuration stay as they are, there or not [SBX-03]', async () => {
    const targets = [
      '.git/hooks/pre-commit',
      '.git/config',
      'lib/.git/config',
      '.codex/config.toml',
      '.agents/x',
      '.quire/x',
    ];
    for (const target of targets) {
      expect((await run(`mkdir -p $(dirname ${target}); echo x >> ${target}`)).exitCode, target).not.toBe(0);
    }
    await run('rm -rf .git; mv .git git; mv lib/.git lib/git');
    expect(existsSync(join(root, '.git', 'hooks'))).toBe(true);
    expect(readdirSync(root).toSorted()).toEqual(['.git', 'lib', 'src']);
  });

  test('without network nothing is reached; with it the host’s own is [SBX-04]', async () => {
    const count =
      'grep -c . /proc/net/dev; perl -e \'use Socket; socket(my $s, AF_UNIX, SOCK_STREAM, 0) and print "unix"\'';
    const without = await run(count);
    expect(without.stdout).not.toContain('unix');
    expect((await run(count, { network: 'on' })).stdout).not.toContain('unix');
    const echo = 'perl -e \'use Socket; print socket(my $s, AF_INET, SOCK_STREAM, 0) ? "open" : "closed"\'';
    expect((await run(echo, { network: 'on' })).stdout).toBe('open');
  });

  test('exit codes, arguments and the working directory come through [SBX-05]', async () => {
    expect((await run('exit 3')).exitCode).toBe(3);
    expect((await run('pwd')).stdout).toBe(`${root}\n`);
    expect((await run('echo "$CODEX_SANDBOX_NETWORK_DISABLED$QUIRE_SANDBOX_CWD"')).stdout).toBe('1\n');
  });
});

test('a backend that is not there says so, with what it means [SBX-06]', async () => {
  const start = await createSandbox({ backend: 'seatbelt' }).wrap({
    argv: ['true'],
    cwd: '/',
    confinement: { kind: 'sandbox', writableRoots: [], network: 'off' },
    environment: {},
  });
  expect(start.kind).toBe('unavailable');
});
