import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createSandbox, type SandboxBackendName, type SandboxRequest } from '@quire/host';
import { openEgressProxy } from '@quire/network';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findLandlock } from '../../src/sandbox/landlock.ts';
import { systemCallsOf } from '../../src/sandbox/system-calls.ts';
import { eventually, processesWith } from '../support/processes.ts';
import { type ConfinedRun, runStart } from '../support/run-confined.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const report = await createSandbox().probe();
const working = report.tried.filter(({ works }) => works).map(({ backend }) => backend);

let folder: Awaited<ReturnType<typeof temporaryDirectory>>;
let root: string;
beforeEach(async () => {
  folder = await temporaryDirectory();
  root = join(folder.path, 'root');
  mkdirSync(root);
});
afterEach(() => folder[Symbol.asyncDispose]());

function request(script: string, more: Partial<SandboxRequest> = {}): SandboxRequest {
  return {
    argv: ['/bin/sh', '-c', script],
    cwd: root,
    confinement: { kind: 'sandbox', writableRoots: [root], network: 'off' },
    environment: { PATH: process.env['PATH'] ?? '' },
    ...more,
  };
}

describe.each(working)('%s', (backend) => {
  const run = async (
    script: string,
    more: Partial<SandboxRequest> & {
      readonly processEnvironment?: Readonly<Record<string, string>>;
      readonly as?: SandboxBackendName;
    } = {},
  ): Promise<ConfinedRun> => {
    const { processEnvironment = {}, ...rest } = more;
    const sandbox = createSandbox({ backend, environment: processEnvironment });
    const result = await runStart(await sandbox.wrap(request(script, rest)), { cwd: root });
    await sandbox.close();
    return result;
  };

  test('folders, links, pipes and moves work below a root as they do outside [SBX-07]', async () => {
    const script =
      'mkdir -p a/b && echo x > a/b/c && mv a/b/c d && ln -s d e && ln d f && mkfifo g && rm -r a && cat e';
    expect(await run(script)).toEqual({ exitCode: 0, stdout: 'x\n', stderr: '' });
    expect(readdirSync(root).toSorted()).toEqual(['d', 'e', 'f', 'g']);
  });

  test('a language that is not installed reaches the command, and nobody complains about it [SBX-85]', async () => {
    const environment = { PATH: process.env['PATH'] ?? '', LANG: 'qq_QQ.UTF-8', LC_ALL: 'qq_QQ.UTF-8' };
    const ended = await run('echo $LANG $LC_ALL', { environment });
    expect(ended).toEqual({ exitCode: 0, stdout: 'qq_QQ.UTF-8 qq_QQ.UTF-8\n', stderr: '' });
  });

  test('nothing is left in a root of what held protected places [SBX-08]', async () => {
    expect((await run('test -d .git && test -d .codex')).exitCode).toBe(0);
    expect(readdirSync(root)).toEqual([]);
  });

  test('what holds a missing protected place stays as long as something that was left behind runs [SBX-19]', async () => {
    const sandbox = createSandbox({ backend, environment: {} });
    const fifo = join(root, 'go');
    const later = 'read -r line < go; mkdir .codex/x .git/x; rmdir .codex; mkdir -p .codex/y; echo over > ended';
    const script = `mkfifo go; (setsid sh -c '${later}' > /dev/null 2>&1 &) ; true`;
    await runStart(await sandbox.wrap(request(script)), { cwd: root });
    const isLeft = existsSync(join(root, '.codex'));
    if (backend === 'landlock') {
      expect(isLeft).toBe(true);
      writeFileSync(fifo, 'go\n');
      await vi.waitFor(() => expect(existsSync(join(root, 'ended'))).toBe(true), { timeout: 10_000 });
    }
    // Under bubblewrap what was left behind is ended, and nothing reads.
    const hidden = (): readonly string[] => readdirSync(root).filter((name) => name.startsWith('.'));
    await vi.waitFor(() => expect(hidden()).toEqual([]), { timeout: 10_000 });
  });

  test('of two runs in one folder the last one removes what held protected places [SBX-87]', async () => {
    const [first, second] = [0, 1].map(() => createSandbox({ backend, environment: {} }));
    if (first === undefined || second === undefined) throw new Error('no sandboxes');
    const go = join(folder.path, 'go');
    execFileSync('mkfifo', [go]);
    const waits = `echo ready > ready; read -r line < '${go}'; mkdir .codex/x .git/x; true`;
    const started = await first.wrap(request('true'));
    const running = runStart(await second.wrap(request(waits)), { cwd: root });
    await vi.waitFor(() => expect(existsSync(join(root, 'ready'))).toBe(true), { timeout: 10_000 });
    await runStart(started, { cwd: root });
    await first.close();
    expect(existsSync(join(root, '.codex'))).toBe(true);
    writeFileSync(go, 'go\n');
    expect((await running).exitCode).toBe(0);
    expect(readdirSync(join(root, '.codex'))).toEqual([]);
    await second.close();
    await vi.waitFor(() => expect(readdirSync(root)).toEqual(['ready']), { timeout: 10_000 });
  });

  test('what a killed run left there is removed by the next, what a person made stays [SBX-87]', async () => {
    const killed = createSandbox({ backend, environment: {} });
    const start = await killed.wrap(request('true'));
    expect(start.kind).toBe('ready');
    expect(readdirSync(root)).toContain('.codex');
    rmSync(join(root, '.agents'), { recursive: true });
    mkdirSync(join(root, '.agents'));
    expect((await run('test -d .git && test -d .codex && ! mkdir .codex/x .git/x')).exitCode).toBe(0);
    await vi.waitFor(() => expect(readdirSync(root)).toEqual(['.agents']), { timeout: 10_000 });
    // A run whose folders another one removed makes them again.
    if (start.kind === 'ready') start.release();
    const ended = await runStart(await killed.wrap(request('! mkdir .codex .git')), { cwd: root });
    expect(ended.exitCode).toBe(0);
    await killed.close();
    await vi.waitFor(() => expect(readdirSync(root)).toEqual(['.agents']), { timeout: 10_000 });
  });

  test('the folder above a nested repository can not be put elsewhere and replaced [SBX-09]', async () => {
    mkdirSync(join(root, 'libs', 'one', '.git', 'hooks'), { recursive: true });
    await run(
      'mv libs other; mv libs/one libs/two; mkdir -p libs/one/.git/hooks; echo x > libs/one/.git/hooks/pre-commit',
    );
    expect(readdirSync(join(root, 'libs', 'one', '.git', 'hooks'))).toEqual([]);
    expect(readdirSync(root)).toEqual(['libs']);
  });

  test('a file for the loader of programs acts on the command only, never on what confines it [SBX-10]', async () => {
    const marker = join(folder.path, 'marker');
    const library = join(root, 'Marker.pm');
    writeFileSync(library, `open(my $f, '>', '${marker}'); 1;`);
    const environment = { PATH: process.env['PATH'] ?? '', PERL5OPT: '-MMarker', PERL5LIB: root, LD_DEBUG: '' };
    const ended = await run('echo "$PERL5OPT $PERL5LIB"', { environment });
    expect([ended.stdout, existsSync(marker)]).toEqual([`-MMarker ${root}\n`, false]);
  });

  test('no file is made that runs as its owner for others [SBX-11]', async () => {
    const script = [
      'touch a; chmod 4755 a; chmod u+s a',
      `perl -e 'sysopen(my $f, "b", 0x41, 04755); syscall(${process.arch === 'x64' ? 133 : 33}, "c", 0104755, 0)'`,
    ].join('; ');
    await run(script);
    expect(await run('find . -perm -4000')).toMatchObject({ stdout: '' });
    expect((await run('chmod 755 a && chmod 2755 .')).exitCode).toBe(0);
  });

  test('settings of the kernel can be read and not written, whoever runs it [SBX-12]', async () => {
    const path = '/proc/sys/kernel/core_pattern';
    const before = readFileSync(path, 'utf8');
    const ended = await run(`cat ${path}; echo "$(cat ${path})" > ${path}`);
    expect([ended.stdout, ended.exitCode === 0]).toEqual([before, false]);
  });

  test('agents’ and shells’ own files stay as they are where the home folder may be written [SBX-13]', async () => {
    mkdirSync(join(root, '.ssh'));
    mkdirSync(join(root, 'agent', 'trees', 'one'), { recursive: true });
    for (const name of ['.bashrc', 'agent/config.toml']) writeFileSync(join(root, name), 'old\n');
    const script =
      'echo x > .bashrc; echo x > .ssh/authorized_keys; echo x > agent/config.toml; mv agent b; echo y > notes; ' +
      'echo z > agent/trees/one/file';
    await run(script, {
      processEnvironment: { HOME: root, CODEX_HOME: join(root, 'agent') },
      confinement: { kind: 'sandbox', writableRoots: [root, join(root, 'agent', 'trees', 'one')], network: 'off' },
    });
    expect(readFileSync(join(root, '.bashrc'), 'utf8')).toBe('old\n');
    expect(readFileSync(join(root, 'agent', 'config.toml'), 'utf8')).toBe('old\n');
    expect(readdirSync(join(root, '.ssh'))).toEqual([]);
    expect(readFileSync(join(root, 'notes'), 'utf8')).toBe('y\n');
    expect(readFileSync(join(root, 'agent', 'trees', 'one', 'file'), 'utf8')).toBe('z\n');
  });

  test('a worktree’s pointer and where it leads stay as they are [SBX-14]', async () => {
    const store = join(root, 'store', 'worktrees', 'tree');
    for (const path of [join(root, 'tree'), store, join(root, 'store', 'hooks')]) mkdirSync(path, { recursive: true });
    writeFileSync(join(store, 'commondir'), '../..\n');
    writeFileSync(join(root, 'store', 'config'), '[core]\n\thooksPath = myhooks\n');
    mkdirSync(join(root, 'tree', 'myhooks'));
    writeFileSync(join(root, 'tree', '.git'), `gitdir: ${store}\n`);
    await run(
      'cd tree; echo x > .git; rm -f .git; mv .git g; echo x >> ../store/config; echo x > ../store/hooks/pre-commit; ' +
        'echo x > myhooks/pre-commit; echo x > ../store/worktrees/tree/commondir',
    );
    expect(readFileSync(join(root, 'tree', '.git'), 'utf8')).toBe(`gitdir: ${store}\n`);
    expect(readFileSync(join(root, 'store', 'config'), 'utf8')).toBe('[core]\n\thooksPath = myhooks\n');
    expect([...readdirSync(join(root, 'store', 'hooks')), ...readdirSync(join(root, 'tree', 'myhooks'))]).toEqual([]);
    expect(readFileSync(join(store, 'commondir'), 'utf8')).toBe('../..\n');
  });

  test('a link in a protected place can neither be followed nor replaced [SBX-15]', async () => {
    mkdirSync(join(root, 'real'));
    symlinkSync('real', join(root, '.codex'));
    await run('echo x > .codex/config.toml; rm -f .codex; mkdir .codex; echo x > .codex/config.toml');
    expect(existsSync(join(root, '.codex', 'config.toml'))).toBe(false);
  });

  test('hosts that are listed are reached through the proxy, and nothing else is [SBX-16] [SBX-36]', async () => {
    const sandbox = createSandbox({ backend, environment: {}, allowedHosts: ['localhost'] });
    const proxy = await openEgressProxy({ allowedHosts: ['localhost'] });
    const target = await openEgressProxy({ allowedHosts: [] }); // any HTTP server will do: it answers 400
    try {
      const fetch = (port: string, path: string): string =>
        `perl -e 'use IO::Socket::INET; my $s = IO::Socket::INET->new("127.0.0.1:${port}") or do { print "none"; exit }; ` +
        `print $s "GET ${path} HTTP/1.0\\r\\n\\r\\n"; print scalar(<$s>)'`;
      const ask = async (script: string): Promise<string> =>
        (
          await runStart(
            await sandbox.wrap(
              request(script, { confinement: { kind: 'sandbox', writableRoots: [root], network: 'proxied' } }),
            ),
            { cwd: root },
          )
        ).stdout.trim();
      const own = '$(printenv HTTP_PROXY | sed s/.*://)';
      const through = (path: string): string => `P=${own}; ${fetch(`'$P'`, path)}`;
      expect(await ask(through(`http://localhost:${target.port}/`))).toMatch(/^HTTP\/1\.[01] 400/);
      expect(await ask(through('http://elsewhere.test/'))).toMatch(/^HTTP\/1\.[01] 403/);
      expect(await ask(fetch(String(target.port), '/'))).toBe('none');
      expect(await ask(fetch(String(proxy.port), '/'))).toBe('none');
      expect(await ask('echo "$NO_PROXY|$CODEX_SANDBOX_NETWORK_DISABLED"')).toBe('localhost,127.0.0.1,::1|');
      // What leads to the proxy has the folder among its arguments.
      expect(await eventually(() => processesWith(root).length === 0, { withinMs: 10_000 })).toBe(true);
    } finally {
      await Promise.all([proxy.close(), target.close(), sandbox.close()]);
    }
  });
});

test('without namespaces only what is beside a protected place can be written [SBX-17]', async () => {
  const finding = findLandlock(systemCallsOf(process.arch), { usesNamespaces: false });
  if (finding.kind === 'missing') throw new Error(finding.reason);
  mkdirSync(join(root, '.git'));
  mkdirSync(join(root, 'src'));
  chmodSync(root, 0o755);
  const script =
    'echo x > src/file; echo x > .git/config; echo x > top; echo x > ../outside; ' +
    'perl -e \'print socket(my $s, 2, 1, 0) ? "open" : "closed"\'; kill -0 $PPID 2>/dev/null && echo signalled';
  const start = finding.backend.start({
    ...request(script),
    writableRoots: [root],
    protectedPaths: [join(root, '.git')],
    pinnedFolders: [],
    egress: undefined,
  });
  const ended = await runStart({ kind: 'ready', ...start }, { cwd: root });
  expect(ended.stdout).toBe('closed');
  expect([readdirSync(folder.path), readdirSync(root).toSorted()]).toEqual([['root'], ['.git', 'src']]);
  expect([readdirSync(join(root, '.git')), readdirSync(join(root, 'src'))]).toEqual([[], ['file']]);
  expect(finding.backend.gaps.length).toBeGreaterThan(3);
});

test('hosts that nobody listed can not be asked for [SBX-18]', async () => {
  const confinement = { kind: 'sandbox', writableRoots: [], network: 'proxied' } as const;
  expect(await createSandbox().wrap(request('true', { confinement }))).toEqual({
    kind: 'unavailable',
    reason: 'the command may reach certain hosts only, and nobody said which',
  });
});
