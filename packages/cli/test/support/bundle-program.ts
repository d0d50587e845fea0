import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/** Installed where they are wanted, and never part of a bundle. */
export const OPTIONAL_MODULES = [
  'sharp',
  '@silvia-odwyer/photon-node',
  '@lydell/node-pty',
  '@napi-rs/keyring',
  '@bokuweb/zstd-wasm',
];

/** A program from the text of its main module, whose relative imports start at this package. Gives back its path. */
export async function bundleProgram(folder: string, contents: string): Promise<string> {
  await build({
    absWorkingDir: PACKAGE,
    stdin: { contents, resolveDir: PACKAGE },
    outdir: join(folder, 'dist'),
    entryNames: 'program',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['quire-source'],
    external: OPTIONAL_MODULES,
    logLevel: 'error',
  });
  return join(folder, 'dist', 'program.mjs');
}
