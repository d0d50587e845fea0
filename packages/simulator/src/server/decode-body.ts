import { promisify } from 'node:util';
import { zstdPackage } from './zstd-package.ts';

/** A request body without its content encoding, or why that could not be had. */
export type DecodedBody =
  | { readonly kind: 'decoded'; readonly bytes: Buffer }
  /** No decoder for it. */
  | { readonly kind: 'unknown-encoding'; readonly encoding: string }
  /** The bytes are not what the encoding says. */
  | { readonly kind: 'corrupt'; readonly encoding: string };

type Decoder = (bytes: Buffer) => Promise<Buffer>;

/** Never rejects. */
export async function decodeBody(bytes: Buffer, encoding: string): Promise<DecodedBody> {
  const decode = await findDecoder(encoding.trim().toLowerCase());
  if (decode === undefined) return { kind: 'unknown-encoding', encoding };
  try {
    return { kind: 'decoded', bytes: await decode(bytes) };
  } catch {
    return { kind: 'corrupt', encoding }; // the decoder's own words name nothing that helps
  }
}

async function findDecoder(encoding: string): Promise<Decoder | undefined> {
  if (encoding === 'zstd') return findZstdDecoder();
  if (encoding === 'gzip') return promisify((await import('node:zlib')).gunzip);
  return undefined;
}

/** The runtime's own, from Node 22.15 on, else the optional package. */
async function findZstdDecoder(): Promise<Decoder | undefined> {
  const native = Object.entries(await import('node:zlib')).find(([name]) => name === 'zstdDecompress')?.[1];
  if (typeof native === 'function') return promisify(native as (bytes: Buffer, done: NodeCallback) => void);
  try {
    const { decompress } = await zstdPackage();
    return async (bytes) => growToFit((size) => decompress(bytes, { defaultHeapSize: size }), bytes);
  } catch {
    return undefined; // not installed: it is optional
  }
}

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const MIN_HEAP_BYTES = 4 * 1024 * 1024;
const MAX_HEAP_BYTES = 512 * 1024 * 1024;

/** A frame need not say how long its content is, and the package then fails when its heap is too small. */
function growToFit(decompress: (heapBytes: number) => Uint8Array, bytes: Buffer): Buffer {
  if (!bytes.subarray(0, ZSTD_MAGIC.length).equals(ZSTD_MAGIC)) throw new Error('no zstd frame');
  for (let heapBytes = MIN_HEAP_BYTES; ; heapBytes *= 8) {
    try {
      return Buffer.from(decompress(heapBytes));
    } catch (error) {
      if (heapBytes >= MAX_HEAP_BYTES) throw error;
    }
  }
}

type NodeCallback = (error: Error | null, result: Buffer) => void;
