/** The table of patches that every form of a call, and the peer's program, are held against. */
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { REPOSITORY_ROOT } from '../../tools/lib/tool.js';

/**
 * Text, bytes that are no text, or a symbolic link.
 * @typedef {string | { readonly base64: string } | { readonly linkTo: string }} FileContent
 * @typedef {Readonly<Record<string, FileContent>>} Files by path below the folder of the case; folders exist where files do
 */

/**
 * `{root}` in a patch or a report stands for the absolute path of the folder.
 * @typedef {object} PatchCase
 * @property {string} name
 * @property {Files} files
 * @property {string} patch
 * @property {Files | null} after `null`: refused, and nothing changed
 * @property {readonly string[]} [report] lines after the first one
 */

const FOLDER = path.join(REPOSITORY_ROOT, 'packages/core/test/patch');
/** The second one holds cases where the peer differs, or that need more than text files. */
const PARTS = ['observed-cases.json', 'own-cases.json'];

/** @returns {Promise<readonly PatchCase[]>} with names that differ */
export async function readPatchTable() {
  const parts = await Promise.all(
    PARTS.map(async (name) => /** @type {PatchCase[]} */ (JSON.parse(await readFile(path.join(FOLDER, name), 'utf8')))),
  );
  return parts.flat();
}

/**
 * @param {string} folder exists and is empty
 * @param {Files} files
 */
export async function layFiles(folder, files) {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    if (typeof content === 'string') await writeFile(file, content);
    else if ('base64' in content) await writeFile(file, Buffer.from(content.base64, 'base64'));
    else await symlink(content.linkTo, file);
  }
}

/**
 * Everything below a folder, sorted by path. Empty folders do not show.
 * @param {string} folder
 * @returns {Promise<Record<string, FileContent>>}
 */
export async function readFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = await Promise.all(
    entries.flatMap((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const name = path.relative(folder, file);
      if (entry.isSymbolicLink()) return [readlink(file).then((linkTo) => [name, { linkTo }])];
      return entry.isFile() ? [readFile(file).then((bytes) => [name, contentOf(bytes)])] : [];
    }),
  );
  return sortFiles(Object.fromEntries(found));
}

/**
 * @param {Files} files
 * @returns {Record<string, FileContent>}
 */
export function sortFiles(files) {
  return Object.fromEntries(Object.entries(files).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/**
 * @param {Buffer} bytes
 * @returns {FileContent}
 */
function contentOf(bytes) {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString('base64') };
}
