import { join } from 'node:path';
import { build } from 'esbuild';

/** Writes the package as one module into `directory` and returns its path, for a program of its own. */
export async function bundleHost(directory: string): Promise<string> {
  const outfile = join(directory, 'host.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../../src/index.ts')],
    bundle: true,
    conditions: ['quire-source'],
    external: ['sharp', '@silvia-odwyer/photon-node', '@lydell/node-pty', '@lydell/node-pty-*'],
    format: 'esm',
    logLevel: 'silent',
    outfile,
    platform: 'node',
    target: 'node20',
  });
  return outfile;
}
