/** Reads every source module of every package and says which module each import means. */
import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { listFiles, listPackages } from '../lib/packages.js';
import { scanModule } from './scan-module.js';

const SOURCE_EXTENSIONS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs'];
const BUILTIN_MODULES = new Set(builtinModules);

/**
 * @typedef {{ kind: 'relative', path: string }
 *   | { kind: 'builtin', name: string }
 *   | { kind: 'package', name: string, subpath: string }
 *   | { kind: 'unsupported' }} ImportTarget `path` is absolute; `name` of a built-in has no `node:`
 * @typedef {import('./scan-module.js').ModuleImport & { target: ImportTarget }} ResolvedImport
 * @typedef {Omit<import('./scan-module.js').ModuleScan, 'imports'>
 *   & { path: string, imports: ResolvedImport[] }} SourceModule
 * @typedef {import('../lib/packages.js').Package & { modules: SourceModule[] }} PackageModules
 */

/**
 * @param {string} root
 * @returns {Promise<PackageModules[]>}
 */
export async function readModules(root) {
  const packages = await listPackages(root);
  return Promise.all(packages.map(async (entry) => ({ ...entry, modules: await readPackageModules(entry.path) })));
}

/**
 * @param {string} packagePath
 * @returns {Promise<SourceModule[]>}
 */
async function readPackageModules(packagePath) {
  const files = await listFiles(path.join(packagePath, 'src'), SOURCE_EXTENSIONS);
  return Promise.all(
    files.map(async (file) => {
      const scan = scanModule(file, await readFile(file, 'utf8'));
      const imports = scan.imports.map((entry) => ({ ...entry, target: importTarget(file, entry.specifier) }));
      return { ...scan, path: file, imports };
    }),
  );
}

/**
 * @param {string} importer absolute path
 * @param {string} specifier
 * @returns {ImportTarget}
 */
function importTarget(importer, specifier) {
  if (/^\.{1,2}(\/|$)/.test(specifier)) {
    return { kind: 'relative', path: path.resolve(path.dirname(importer), specifier) };
  }
  if (specifier.startsWith('node:')) return { kind: 'builtin', name: specifier.slice('node:'.length) };
  if (BUILTIN_MODULES.has(specifier)) return { kind: 'builtin', name: specifier };
  if (/^[#/]|^[a-z][a-z+.-]*:/i.test(specifier)) return { kind: 'unsupported' };
  const parts = specifier.split('/');
  const name = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  return { kind: 'package', name, subpath: `.${specifier.slice(name.length)}` };
}
