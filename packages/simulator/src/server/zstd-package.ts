import { createRequire } from 'node:module';

/** The part of `@bokuweb/zstd-wasm` that is used; its documented interface. */
interface ZstdPackage {
  init(): Promise<void>;
  compress(bytes: Uint8Array, level?: number): Uint8Array;
  decompress(bytes: Uint8Array, options?: { readonly defaultHeapSize: number }): Uint8Array;
}

let shared: Promise<ZstdPackage> | undefined;

/**
 * The optional package, started. It has one WebAssembly instance for the process, and starting it a second
 * time breaks whoever uses it, so what runs already is left alone. Rejects when it is not installed.
 */
export function zstdPackage(): Promise<ZstdPackage> {
  shared ??= start();
  return shared;
}

/** With `require`, which bundlers leave alone: the package reads its `.wasm` from beside its own script. */
async function start(): Promise<ZstdPackage> {
  const zstd = createRequire(import.meta.url)('@bokuweb/zstd-wasm') as ZstdPackage;
  try {
    zstd.compress(new Uint8Array(1));
  } catch {
    // Not started yet by anyone in this process.
    await zstd.init();
  }
  return zstd;
}
