import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Home {
  readonly path: string;
  write(name: string, text: string, mode?: number): Promise<void>;
  run(
    argv: readonly string[],
    env?: Readonly<Record<string, string>>,
    /** Who runs it, for tests that root runs. */
    user?: { readonly uid?: number; readonly gid?: number },
  ): Promise<Ended>;
}

/** The whole command in a folder of its own, and homes to run it in. */
export interface BuiltCommand extends AsyncDisposable {
  readonly folder: string;
  home(config?: string): Promise<Home>;
}

export async function buildCommand(): Promise<BuiltCommand> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'quire-commands-')));
  await build({
    absWorkingDir: PACKAGE,
    stdin: {
      contents: "import { main } from './src/main.ts'; await main(process.argv.slice(2));",
      resolveDir: PACKAGE,
    },
    outdir: join(folder, 'bin'),
    entryNames: 'quire',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['quire-source'],
    external: ['sharp', '@silvia-odwyer/photon-node', '@lydell/node-pty', '@napi-rs/keyring'],
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
  return {
    folder,
    home: async (config = '') => {
      const path = await mkdtemp(join(folder, 'home-'));
      await writeFile(join(path, 'config.toml'), config);
      return homeAt(path, join(folder, 'bin/quire.mjs'));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function homeAt(path: string, command: string): Home {
  return {
    path,
    write: (name, text, mode = 0o600) => writeFile(join(path, name), text, { mode }),
    run: async (argv, env = {}, user = {}) => {
      const child = spawn(process.execPath, [command, ...argv], {
        ...user,
        cwd: path,
        env: { PATH: process.env['PATH'], HOME: path, CODEX_HOME: path, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
      const [code] = await once(child, 'close');
      return { code: Number(code), stdout: await stdout, stderr: await stderr };
    },
  };
}

async function textOf(stream: AsyncIterable<unknown> | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}
