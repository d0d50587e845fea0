import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileDigest, FileDigests } from '@quire/core';

/** What is larger is not worth reading again. */
const MAX_BYTES = 8 * 1024 * 1024;
const HASH_DIGITS = 12;

export function createFileDigests(): FileDigests {
  return { digest: digestFile };
}

async function digestFile(path: string, { signal }: { readonly signal: AbortSignal }): Promise<FileDigest | undefined> {
  signal.throwIfAborted();
  try {
    // Opening a named pipe would wait for a writer otherwise.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > MAX_BYTES) return undefined;
    const { createHash } = await import('node:crypto');
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(Math.min(64 * 1024, stats.size + 1));
    for (let bytes = 0; ; ) {
      const { bytesRead } = await file.read(buffer);
      signal.throwIfAborted();
      if (bytesRead === 0) return { hash: hash.digest('hex').slice(0, HASH_DIGITS), bytes };
      bytes += bytesRead;
      if (bytes > MAX_BYTES) return undefined; // it grew meanwhile
      hash.update(buffer.subarray(0, bytesRead));
    }
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
