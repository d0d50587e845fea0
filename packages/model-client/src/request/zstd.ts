import { createRequire } from 'node:module';

/** One zstd frame. */
export type ZstdCompressor = (body: Buffer) => Promise<Buffer>;

/** Source: wire format, request compression. */
const LEVEL = 3;

/** What newer Nodes have (22.15, 23.8) and the types of Node 20 do not list. */
interface NativeZstd {
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
  zstdCompress(
    body: Buffer,
    options: { readonly params: Readonly<Record<number, number>> },
    callback: (error: Error | null, compressed: Buffer) => void,
  ): void;
}

/** The part of `@bokuweb/zstd-wasm` that is used. */
interface WasmZstd {
  init(): Promise<void>;
  compress(body: Uint8Array, level: number): Uint8Array;
}

/** Node's own zstd, else the optional package. Rejects when there is neither; the cause says why. */
export async function loadZstd(): Promise<ZstdCompressor> {
  const zlib: object = await import('node:zlib');
  return isNative(zlib) ? nativeCompressor(zlib) : await wasmCompressor();
}

function isNative(zlib: object): zlib is NativeZstd {
  return 'zstdCompress' in zlib && typeof zlib.zstdCompress === 'function';
}

function nativeCompressor({ zstdCompress, constants }: NativeZstd): ZstdCompressor {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  return (body) =>
    new Promise((resolve, reject) => {
      zstdCompress(body, { params }, (error, compressed) => (error === null ? resolve(compressed) : reject(error)));
    });
}

/** The package has one WebAssembly instance for the process, and starting it a second time breaks calls meanwhile. */
let sharedWasm: Promise<ZstdCompressor> | undefined;

/** Exported for the test, which may run where Node has its own. Rejects when the package is not installed. */
export function wasmCompressor(): Promise<ZstdCompressor> {
  sharedWasm ??= startWasm();
  return sharedWasm;
}

/**
 * Loaded with `require`, which bundlers leave alone: the package reads its `.wasm` from beside its own script,
 * and a bundle has neither.
 */
async function startWasm(): Promise<ZstdCompressor> {
  const load = createRequire(import.meta.url);
  // An optional dependency without types for Node; `WasmZstd` is its documented interface.
  const { init, compress } = load('@bokuweb/zstd-wasm') as WasmZstd;
  try {
    compress(new Uint8Array(1), LEVEL);
  } catch {
    // Not started yet by anyone in this process.
    await init();
  }
  return (body) => Promise.resolve(Buffer.from(compress(body, LEVEL)));
}
