import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxMode } from '@quire/protocol';
import { build } from 'esbuild';

export interface EmbeddingOrder {
  readonly home: string;
  readonly workingDirectory: string;
  readonly sandboxMode: SandboxMode;
  readonly configOverrides: readonly string[];
  /** The thread is not closed. */
  readonly leavesOpen?: boolean;
}

export interface EmbeddingProgram extends AsyncDisposable {
  readonly path: string;
}

/** The program as one file, so that it runs in a process of its own with no loader. */
export async function bundleEmbeddingProgram(): Promise<EmbeddingProgram> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'quire-program-')));
  const path = join(folder, 'embedding-program.mjs');
  const require = 'createRequire as createRequireOfNode';
  await build({
    entryPoints: [join(import.meta.dirname, 'embedding-program.ts')],
    outfile: path,
    bundle: true,
    conditions: ['quire-source'],
    external: ['sharp', '@silvia-odwyer/photon-node', '@lydell/node-pty', '@napi-rs/keyring'],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: { js: `import { ${require} } from 'node:module'; const require = createRequireOfNode(import.meta.url);` },
    logLevel: 'error',
  });
  await symlink(join(import.meta.dirname, '../../../../node_modules'), join(folder, 'node_modules'));
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** @param wrapper program and arguments in front of it */
export function runEmbedded(
  program: EmbeddingProgram,
  order: EmbeddingOrder,
  options: { readonly wrapper?: readonly string[]; readonly environment?: Readonly<Record<string, string>> } = {},
): ChildProcess & { readonly stdout: NonNullable<ChildProcess['stdout']> } {
  const [command = '', ...args] = [...(options.wrapper ?? []), process.execPath, program.path, JSON.stringify(order)];
  return spawn(command, args, {
    cwd: order.workingDirectory,
    env: { PATH: process.env['PATH'], HOME: order.home, ...options.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
