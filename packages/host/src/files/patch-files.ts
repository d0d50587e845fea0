import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileReading, PatchFiles } from '@quire/core';
import { systemCode, systemReason } from '../system-reason.ts';
import { applyEdits } from './apply-edits.ts';
import { resolveTarget } from './resolve-target.ts';

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
    return decodeText(await file.readFile());
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    if (code === 'EISDIR') return { kind: 'directory' };
    return { kind: 'unreadable', reason: systemReason(error) };
  }
}

function decodeText(bytes: Uint8Array): FileReading {
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    const isTooLong = systemCode(error) === 'ERR_STRING_TOO_LONG';
    return { kind: 'unreadable', reason: isTooLong ? 'too large' : 'not valid UTF-8' };
  }
}
