/** Keeps docs/architecture.svg in step with the real imports: checks it, or writes it with `--write`. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { drawArchitecture } from './architecture/draw.js';
import { readModules } from './layers/read-modules.js';
import { isMain, parseToolArguments, reportResult } from './lib/tool.js';

const PICTURE = 'docs/architecture.svg';

/**
 * @param {string} root
 * @returns {Promise<{ svg: string, packageCount: number, importCount: number }>}
 */
async function drawFromSources(root) {
  const packages = (await readModules(root)).filter(({ modules }) => modules.length > 0);
  const directories = new Map(packages.map(({ manifest, directory }) => [manifest.name, directory]));
  const boxes = packages.map(({ directory, modules }) => {
    const targets = modules.flatMap((module) => module.imports.map(({ target }) => target));
    const names = targets.flatMap((target) => (target.kind === 'package' ? [directories.get(target.name)] : []));
    const imports = [...new Set(names.filter((name) => name !== undefined && name !== directory))].sort();
    return { name: directory, moduleCount: modules.length, imports: /** @type {string[]} */ (imports) };
  });
  const importCount = boxes.reduce((sum, { imports }) => sum + imports.length, 0);
  return { svg: drawArchitecture(boxes), packageCount: boxes.length, importCount };
}

/**
 * @param {string} root
 * @returns {Promise<import('./lib/tool.js').CheckResult>}
 */
export async function checkArchitecture(root) {
  const { svg, packageCount, importCount } = await drawFromSources(root);
  const file = path.join(root, PICTURE);
  const current = existsSync(file) ? await readFile(file, 'utf8') : undefined;
  const findings = [];
  if (packageCount === 0) findings.push('packages/*/src: no module was seen, so nothing was drawn');
  if (current === undefined) findings.push(`${PICTURE}: missing; run: node tools/architecture.js --write`);
  else if (current !== svg) {
    findings.push(`${PICTURE}: differs from the real imports; run: node tools/architecture.js --write`);
  }
  return { findings, summary: `${packageCount} packages, ${importCount} arrows` };
}

/**
 * @param {string} root
 */
export async function writeArchitecture(root) {
  const { svg } = await drawFromSources(root);
  const file = path.join(root, PICTURE);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, svg);
}

if (isMain(import.meta.url)) {
  const { root, flags } = parseToolArguments(process.argv.slice(2), ['write']);
  if (flags.has('write')) await writeArchitecture(root);
  reportResult('architecture', await checkArchitecture(root));
}
