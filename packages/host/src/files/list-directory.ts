import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DirectoryEntry, WorkspaceAnswer } from '@quire/core';
import { systemReason } from '../system-reason.ts';
import { withinTime } from './within-time.ts';

/** More are of no use to anybody and would be held in memory. */
const MAX_ENTRIES = 500_000;
/** Directories read at a time. */
const BATCH = 16;
const TIMEOUT_MS = 60_000;

/** Below the directory itself, what can not be entered is listed without what is in it. */
export async function listDirectory(
  path: string,
  { depth, signal }: { readonly depth: number; readonly signal: AbortSignal },
): Promise<WorkspaceAnswer<readonly DirectoryEntry[]>> {
  const listing = await withinTime((own) => listTree(path, { depth, signal: own }), { timeoutMs: TIMEOUT_MS, signal });
  if (listing.kind === 'done') return listing.value;
  return { kind: 'failed', reason: `\`${path}\` could not be listed within ${TIMEOUT_MS / 1000} seconds` };
}

async function listTree(
  path: string,
  { depth, signal }: { readonly depth: number; readonly signal: AbortSignal },
): Promise<WorkspaceAnswer<readonly DirectoryEntry[]>> {
  const entries: DirectoryEntry[] = [];
  let level: string[] = [''];
  for (let left = depth; left > 0 && level.length > 0; left -= 1) {
    const next: string[] = [];
    for (let start = 0; start < level.length; start += BATCH) {
      const contents = await Promise.all(level.slice(start, start + BATCH).map((folder) => readFolder(path, folder)));
      signal.throwIfAborted();
      for (const { folder, children } of contents) {
        if (!Array.isArray(children)) {
          if (folder !== '') continue;
          return { kind: 'failed', reason: `unable to list \`${path}\`: ${systemReason(children)}` };
        }
        for (const child of children) {
          const entry = { path: folder === '' ? child.name : `${folder}/${child.name}`, type: typeOf(child) };
          entries.push(entry);
          if (entry.type === 'directory') next.push(entry.path);
        }
      }
      if (entries.length > MAX_ENTRIES) {
        const reason = `\`${path}\` has more than ${MAX_ENTRIES} entries on ${depth} levels; ask for a folder in it, or with a smaller depth`;
        return { kind: 'failed', reason };
      }
    }
    level = next;
  }
  return { kind: 'ok', value: entries };
}

/** `children` is the error when the folder could not be read. */
async function readFolder(root: string, folder: string): Promise<{ folder: string; children: Dirent[] | unknown }> {
  try {
    return { folder, children: await readdir(join(root, folder), { withFileTypes: true }) };
  } catch (error) {
    return { folder, children: error };
  }
}

function typeOf(entry: Dirent): DirectoryEntry['type'] {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'directory';
  return entry.isFile() ? 'file' : 'other';
}
