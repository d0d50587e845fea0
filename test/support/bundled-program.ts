import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

/** A program of this folder as one file, so that it runs in a process of its own with no loader. */
export interface BundledProgram extends AsyncDisposable {
  readonly path: string;
}

/** @param name file name in `support` without its extension */
export async function bundleProgram(name: string): Promise<BundledProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'quire-program-'));
  const path = join(folder, `${name}.mjs`);
  await build({
    entryPoints: [join(import.meta.dirname, `${name}.ts`)],
    outfile: path,
    bundle: true,
    conditions: ['quire-source'],
    format: 'esm',
    platform: 'node',
    external: ['sharp', '@silvia-odwyer/photon-node', '@lydell/node-pty', '@napi-rs/keyring'],
    target: 'node20',
    banner: {
      js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);",
    },
    logLevel: 'error',
  });
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
