/**
 * Checks package-lock.json; `--write` mends what can be mended (see lockfile/lockfile.js).
 * Run it with `--write` after every change of dependencies.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { listPackages } from './lib/packages.js';
import { isMain, parseToolArguments, readJson, reportResult } from './lib/tool.js';
import { completeLockfile, lockfileFindings, unpinnedDependencies } from './lockfile/lockfile.js';

/**
 * @param {string} root
 * @returns {Promise<import('./lib/tool.js').CheckResult>}
 */
export async function checkLockfile(root) {
  const lockfile = await readJson(path.join(root, 'package-lock.json'));
  const findings = lockfileFindings(lockfile);
  findings.push(...unpinnedDependencies('package.json', await readJson(path.join(root, 'package.json'))));
  for (const { directory, manifest } of await listPackages(root)) {
    findings.push(...unpinnedDependencies(`packages/${directory}/package.json`, manifest));
  }
  return { findings, summary: `${Object.keys(lockfile.packages).length} entries` };
}

/** @param {string} root */
async function mendLockfile(root) {
  const file = path.join(root, 'package-lock.json');
  const before = await readFile(file, 'utf8');
  const after = `${JSON.stringify(completeLockfile(JSON.parse(before)), null, 2)}\n`;
  if (after !== before) await writeFile(file, after);
  process.stdout.write(after === before ? 'package-lock.json: nothing to mend\n' : 'package-lock.json: written\n');
}

if (isMain(import.meta.url)) {
  const { root, flags } = parseToolArguments(process.argv.slice(2), ['write']);
  if (flags.has('write')) await mendLockfile(root);
  reportResult('lockfile', await checkLockfile(root));
}
