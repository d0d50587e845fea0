/** One version everywhere: the root manifest, every package, every internal dependency, and what `quire --version` prints. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { listPackages } from './lib/packages.js';
import { readJson } from './lib/tool.js';

/**
 * @param {string} root
 * @returns {Promise<import('./lib/tool.js').CheckResult>}
 */
export async function checkVersion(root) {
  const { version } = await readJson(path.join(root, 'package.json'));
  /** @type {string[]} */
  const findings = [];
  const packages = await listPackages(root);
  const names = new Set(packages.map(({ manifest }) => manifest.name));
  for (const { directory, manifest } of packages) {
    const file = `packages/${directory}/package.json`;
    if (manifest.version !== version)
      findings.push(`${file}: version ${manifest.version}, but package.json says ${version}`);
    const dependencies = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
    for (const [name, wanted] of Object.entries({ ...dependencies, ...manifest.devDependencies })) {
      if (names.has(name) && wanted !== version)
        findings.push(`${file}: asks for ${name} ${wanted}; expected ${version}`);
    }
  }
  for (const { directory } of packages) {
    const constant = await versionConstant(root, directory);
    if (constant === undefined ? directory !== 'cli' : constant === version) continue;
    const found = constant === undefined ? 'no version constant' : `"${constant}"`;
    findings.push(`packages/${directory}/src/version.ts: ${found}; expected: export const VERSION = '${version}';`);
  }
  return { findings, summary: `version ${version}, ${packages.length} packages` };
}

/**
 * What `src/version.ts` of a package says; `undefined` when there is none.
 * @param {string} root
 * @param {string} directory
 */
async function versionConstant(root, directory) {
  const file = path.join(root, 'packages', directory, 'src/version.ts');
  if (!existsSync(file)) return undefined;
  return /export const \w*VERSION(?:: string)? = '([^']*)'/.exec(await readFile(file, 'utf8'))?.[1];
}
