/**
 * `node tools/login-page.js`: writes docs/login-success.png, the last page of a login in the browser. Needs Chromium and
 * bwrap.
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { runCommand } from './lib/run-command.js';
import { REPOSITORY_ROOT } from './lib/tool.js';

const CHROMIUM = '/usr/bin/chromium';
const TARGET = path.join(REPOSITORY_ROOT, 'docs/login-success.png');

/** @param {string} folder @returns {Promise<string>} of the program that logs in */
async function bundle(folder) {
  const outfile = path.join(folder, 'login-in-browser.mjs');
  await build({
    entryPoints: [path.join(REPOSITORY_ROOT, 'test/support/login-in-browser.ts')],
    outfile,
    bundle: true,
    conditions: ['quire-source'],
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: {
      js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);",
    },
    logLevel: 'error',
  });
  return outfile;
}

const folder = await mkdtemp(path.join(tmpdir(), 'quire-login-page-'));
try {
  const command = path.join(REPOSITORY_ROOT, 'packages/cli/bin/quire.js');
  const argv = [await bundle(folder), command, folder, REPOSITORY_ROOT, CHROMIUM, 'success'];
  const network = ['bwrap', '--dev-bind', '/', '/', '--unshare-net', '--die-with-parent', '--'];
  const { exitCode, output } = await runCommand([...network, process.execPath, ...argv], { cwd: folder });
  if (exitCode !== 0 || output.includes('"failed"')) throw new Error(output);
  await copyFile(path.join(folder, 'login-success.png'), TARGET);
  process.stdout.write(`wrote ${path.relative(REPOSITORY_ROOT, TARGET)}\n`);
} catch (error) {
  process.stderr.write(`login-page: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
