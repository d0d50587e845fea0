import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileReading, PatchFiles } from '@quire/core';
import { systemErrorCode } from '@quire/files';
import { systemReason } from '../system-reason.ts';
import { applyEdits } from './apply-edits.ts';
import { resolveTarget } from './resolve-target.ts';

/** What is larger is data rather than text that somebody patches, and a patch holds several copies in memory. */
const MAX_BYTES = 128 * 1024 * 1024;

/** Files on disk. It holds nothing, so one may serve many threads. */
export function createPatchFiles(): PatchFiles {
  return { read: readText, resolveTarget, apply: applyEdits };
}

async function readText(path: string): Promise<FileReading> {
  try {
    // Opening a named pipe would wait for a writer otherwise.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (stats.isDirectory()) return { kind: 'directory' };
    if (!stats.isFile()) return { kind: 'unreadable', reason: 'not a regular file' };
    if (stats.size > MAX_BYTES) return { kind: 'unreadable', reason: 'too large' };
    return decodeText(await file.readFile());
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    if (code === 'EISDIR') return { kind: 'directory' };
    return { kind: 'unreadable', reason: systemReason(error) };
  }
}

function decodeText(bytes: Uint8Array): FileReading {
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { kind: 'unreadable', reason: 'not valid UTF-8' };
  }
}
