import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSION } from '../src/version.ts';
import { OPTIONAL_MODULES } from './support/bundle-program.ts';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

let folder: string;
let meta: Metafile;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quire-main-'));
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'unbuilt/bin'), { recursive: true });
  await copyFile(join(PACKAGE, 'bin/quire.js'), join(folder, 'bin/quire.mjs'));
  await copyFile(join(PACKAGE, 'bin/quire.js'), join(folder, 'unbuilt/bin/quire.mjs'));
  const result = await build({
    absWorkingDir: PACKAGE,
    entryPoints: { main: 'src/main.ts' },
    outdir: join(folder, 'dist'),
    bundle: true,
    external: OPTIONAL_MODULES,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['quire-source'],
    metafile: true,
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  await writeFile(join(folder, 'dist/package.json'), '{"type":"module"}');
  meta = result.metafile;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  argv: readonly string[],
  options: { readonly launcher?: string; readonly until?: RegExp } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [join(folder, options.launcher ?? 'bin/quire.mjs'), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], QUIRE_HOME: folder },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    if (options.until?.test(stdout)) child.kill('SIGINT');
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** Source files that are evaluated when the bundle of `source` is loaded. */
function loadedWith(source: string): readonly string[] {
  const entry = Object.entries(meta.outputs).find(([, output]) => output.entryPoint === source)?.[0];
  if (entry === undefined) throw new Error(`${source} is in no bundle of its own`);
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: next, kind } of meta.outputs[path]?.imports ?? []) {
      if (kind === 'import-statement') visit(next);
    }
  };
  visit(entry);
  return [...seen].flatMap((path) => Object.keys(meta.outputs[path]?.inputs ?? {}));
}

test('the version is the one of the manifest [CLI-01]', async () => {
  const manifest = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8'));
  expect(VERSION).toBe(manifest.version);
  for (const option of ['--version', '-V']) {
    expect(await run([option])).toEqual({ code: 0, stdout: `quire ${VERSION}\n`, stderr: '' });
  }
});

test('a start loads the command table and nothing else [CLI-02]', () => {
  expect([...loadedWith('src/main.ts')].sort()).toEqual([
    'src/end-process.ts',
    'src/exit-codes.ts',
    'src/main.ts',
    'src/say.ts',
    'src/version.ts',
    'src/waiting-output.ts',
  ]);
});

test('exec loads neither the simulator nor an output it does not use [CLI-03]', () => {
  const exec = [...loadedWith('src/exec/command.ts'), ...loadedWith('../agent/src/index.ts')];
  expect(
    exec.filter((path) => /simulator|human-output|json-output|item-format|help\.ts|^src\/thread\//.test(path)),
  ).toEqual([]);
  expect(exec).toContain('src/exec/run-in-thread.ts');
});

test('exec loads nothing of status and doctor, nor what keeps a refusal of credentials [CLI-10]', () => {
  const exec = [...loadedWith('src/exec/command.ts'), ...loadedWith('../agent/src/index.ts')];
  expect(
    exec.filter((path) =>
      /\/(?:status|doctor)\/|\/(?:account-snapshot|refresh-usage|usage-endpoint|walk|ask|refusal-file|find-rate-limits)\.ts$/.test(
        path,
      ),
    ),
  ).toEqual([]);
  expect(exec.some((path) => path.endsWith('/remember-refusals.ts'))).toBe(true);
});

describe('usage', () => {
  const rows: readonly (readonly [readonly string[], number, string])[] = [
    [['exce', 'x'], 2, 'quire: unknown command "exce"; did you mean quire exec?'],
    [['fix the tests'], 2, 'quire: unknown command "fix the tests"; to run a prompt use quire exec'],
    [['--nope'], 2, 'quire: unknown option --nope'],
    [['--json'], 2, 'quire: a command is missing; options belong to quire exec'],
    [['help', 'nope'], 2, 'quire: unknown command "nope"; to run a prompt use quire exec'],
    [['exec', '--jsn'], 2, 'quire: unknown option --jsn; did you mean --json?'],
    [['-c', 'a=exec', 'exec', '--jsn'], 2, 'quire: unknown option --jsn; did you mean --json?'],
    [
      ['-m', 'exec', '--json', 'e', '-s', 'x'],
      2,
      'quire: --sandbox must be one of read-only, workspace-write, danger-full-access, not "x"',
    ],
    [['reviw', '--uncommitted'], 2, 'quire: unknown command "reviw"; did you mean quire review?'],
    [
      ['review'],
      2,
      'quire: review needs --uncommitted, --base BRANCH, --commit SHA, or a prompt that says what to review',
    ],
    [['-m', 'a', 'review', '--title', 't', '--base', 'b'], 2, 'quire: --title goes with --commit'],
    [['thread', 'lst'], 2, 'quire: unknown sub-command "lst"; did you mean list?'],
    [['-C', '/', 'thread', 'compact'], 2, 'quire: compact needs a thread id, or --last'],
    [['archive'], 2, 'quire: archive needs a thread id, or --last'],
    [['simulate', '--port', 'x'], 2, 'quire: --port needs a number from 0 to 65535, not "x"'],
    [['simulate', '--script', '/nope.json'], 1, 'quire: /nope.json can not be read: no such file or folder'],
  ];
  for (const [argv, code, firstLine] of rows) {
    test(`quire ${argv.join(' ')} ends with ${code} and one clear line [CLI-04]`, async () => {
      const ended = await run(argv);
      expect({ ...ended, stderr: ended.stderr.split('\n')[0] }).toEqual({ code, stdout: '', stderr: firstLine });
    });
  }

  for (const argv of [
    ['--help'],
    ['help'],
    ['help', 'exec'],
    ['exec', '--help'],
    ['simulate', '-h'],
    ['review', '--help'],
    ['help', 'thread'],
    ['archive', '-h'],
  ]) {
    test(`quire ${argv.join(' ')} prints help on stdout [CLI-05]`, async () => {
      const ended = await run(argv);
      expect({ ...ended, stdout: /^Usage: quire .*$/m.test(ended.stdout) }).toEqual({
        code: 0,
        stdout: true,
        stderr: '',
      });
    });
  }

  test('no command at all prints the help on stderr with exit code 2 [CLI-05]', async () => {
    const ended = await run([]);
    expect({ code: ended.code, stdout: ended.stdout, help: ended.stderr.includes('Commands:') }).toEqual({
      code: 2,
      stdout: '',
      help: true,
    });
  });
});

describe('text on stdout that nobody takes', () => {
  const shell = (line: string): Promise<{ readonly code: number | null; readonly stderr: string }> =>
    new Promise((resolve) => {
      const child = spawn('sh', ['-c', line, 'sh', process.execPath, join(folder, 'bin/quire.mjs')], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { PATH: process.env['PATH'], QUIRE_HOME: folder },
      });
      let stderr = '';
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      child.on('close', (code) => resolve({ code, stderr }));
    });

  for (const argv of ['--help', '--version', 'exec --help', 'simulate --help']) {
    test.runIf(process.platform === 'linux')(
      `quire ${argv} on a full disk says so and exits with 1 [CLI-08]`,
      async () => {
        expect(await shell(`"$1" "$2" ${argv} > /dev/full`)).toEqual({
          code: 1,
          stderr: 'quire: stdout can not be written: ENOSPC: no space left on device, write\n',
        });
      },
    );

    test(`quire ${argv} into a closed pipe exits with 141 [CLI-08]`, async () => {
      // The pipe has lost its reader when the program starts.
      const line = `{ read -r _; "$1" "$2" ${argv}; echo "code $?" >&2; } | :`;
      expect(await shell(`(sleep 0.2; echo) | { ${line}; }`)).toEqual({ code: 0, stderr: 'code 141\n' });
    });
  }
});

test.runIf(process.platform === 'linux')(
  'a long text arrives whole over a pipe that does not block [CLI-11]',
  async () => {
    const home = join(folder, 'long');
    await mkdir(home);
    const settings = Array.from({ length: 4000 }, (_, index) => `name_${index} = "${'x'.repeat(60)}"\n`);
    await writeFile(join(home, 'config.toml'), settings.join(''));
    const script =
      '{ dd if=/dev/null oflag=nonblock 2>/dev/null; "$0" "$@"; } | { read first; echo "$first"; cat; }; exit "$?"';
    const argv = [process.execPath, join(folder, 'bin/quire.mjs'), 'config', 'list'];
    const child = spawn('sh', ['-c', script, ...argv], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], QUIRE_HOME: home },
    });
    let lines = 0;
    child.stdout.on('data', (chunk: Uint8Array) => {
      lines += chunk.filter((byte) => byte === 0x0a).length;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, lines }).toEqual({ code: 0, lines: 4000 });
  },
);

test('without a build the launcher says how to make one [CLI-06]', async () => {
  expect(await run(['--version'], { launcher: 'unbuilt/bin/quire.mjs' })).toEqual({
    code: 1,
    stdout: '',
    stderr: 'quire: the command is not built yet; run `npm run build` in the repository\n',
  });
});

test('simulate prints where it serves and ends cleanly on Ctrl-C [CLI-07]', async () => {
  const ended = await run(['simulate'], { until: /Ctrl-C ends this/ });
  expect({ ...ended, stdout: ended.stdout.replaceAll(/:\d+/g, ':PORT') }).toEqual({
    code: 0,
    stdout: `Serving on http://127.0.0.1:PORT/v1
A rehearsal answers, not a language model. In another terminal:

  quire exec -c model_provider=simulator -c 'model_providers.simulator={name="simulator",base_url="http://127.0.0.1:PORT/v1",wire_api="responses"}' -m rehearsal -s danger-full-access "the tests fail, please repair the code"

Ctrl-C ends this.
`,
    stderr: '',
  });
});
