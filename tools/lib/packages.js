/** The packages of a repository, as they stand on disk. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { readJson } from './tool.js';

/**
 * @typedef {{ name: string, version: string, exports?: Record<string, unknown>, dependencies?: Record<string, string>,
 *   optionalDependencies?: Record<string, string>, peerDependencies?: Record<string, string>,
 *   devDependencies?: Record<string, string> }} Manifest
 * @typedef {{ directory: string, path: string, manifest: Manifest }} Package `directory` is the name under `packages/`, `path` is absolute
 */

/**
 * Every folder under `packages/` that has a manifest, by name.
 * @param {string} root
 * @returns {Promise<Package[]>}
 */
export async function listPackages(root) {
  const parent = path.join(root, 'packages');
  if (!existsSync(parent)) return [];
  const directories = (await readdir(parent)).filter((name) => existsSync(path.join(parent, name, 'package.json')));
  return Promise.all(
    directories.sort().map(async (directory) => ({
      directory,
      path: path.join(parent, directory),
      manifest: await readJson(path.join(parent, directory, 'package.json')),
    })),
  );
}

/**
 * Files below `directory` whose names end in one of `extensions`, absolute, sorted. Skips `node_modules` and `dist`.
 * @param {string} directory
 * @param {readonly string[]} extensions
 * @returns {Promise<string[]>}
 */
export async function listFiles(directory, extensions) {
  if (!existsSync(directory)) return [];
  const entries = await readdir(directory, { withFileTypes: true });
  const nested = await Promise.all(
    entries.map(async (entry) => {
      const entryPath = path.join(directory, entry.name);
      if (entry.isDirectory()) {
        return entry.name === 'node_modules' || entry.name === 'dist' ? [] : listFiles(entryPath, extensions);
      }
      return extensions.some((extension) => entry.name.endsWith(extension)) ? [entryPath] : [];
    }),
  );
  return nested.flat().sort();
}
