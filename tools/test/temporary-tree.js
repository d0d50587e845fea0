/** Small repositories in temporary folders, for checks that read one from disk. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Writes the files into a new folder that is removed when the test ends. Values that are no strings are written as JSON.
 * @param {Record<string, unknown>} files path to content
 * @returns {Promise<string>} the folder
 */
export async function temporaryTree(files) {
  const root = await mkdtemp(path.join(tmpdir(), 'quire-tools-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await writeFiles(root, files);
  return root;
}

/**
 * @param {string} root
 * @param {Record<string, unknown>} files
 */
export async function writeFiles(root, files) {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
  }
}

/** An id as tests cite it; written apart, so that the requirements check does not take it for a citation. @param {string} id */
export function cite(id) {
  return `[${id}]`;
}
