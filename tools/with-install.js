/**
 * Installs the dependencies if they are missing or not those of package-lock.json, then becomes the given script.
 *
 *   node tools/with-install.js SCRIPT ARGS…
 *
 * The script runs in this process, so signals, standard streams and the exit code are its own.
 * This file imports nothing that has to be installed.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const COMMON = ['--ignore-scripts', '--no-audit', '--no-fund'];

/**
 * Compares the lock file with npm's own record of what it installed. Optional packages may be absent: they
 * are those of other platforms.
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = readLockedPackages(path.join(root, 'package-lock.json'));
  const present = readLockedPackages(path.join(root, 'node_modules/.package-lock.json'));
  if (present === undefined) return false;
  return Object.entries(wanted ?? {}).every(([location, entry]) => {
    if (!location.includes('node_modules/')) return true;
    const installed = present[location];
    return installed === undefined ? entry.optional === true : installed.version === entry.version;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined} `undefined` when there is no such record
 */
function readLockedPackages(file) {
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** @param {string} root */
async function install(root) {
  const command = existsSync(path.join(root, 'package-lock.json')) ? 'ci' : 'install';
  process.stdout.write(`installing dependencies: npm ${command} ${COMMON.join(' ')}\n`);
  const npm = process.env['npm_execpath'];
  const [program, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const child = spawn(program, [...first, command, ...COMMON], { cwd: root, stdio: 'inherit' });
  const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  process.on('SIGTERM', forward);
  process.on('SIGINT', ignore);
  /** @type {{ code: number | null, signal: NodeJS.Signals | null }} */
  const end = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  process.off('SIGTERM', forward);
  process.off('SIGINT', ignore);
  if (end.signal !== null) process.kill(process.pid, end.signal);
  if (end.code !== 0) {
    process.stderr.write(`npm ${command} failed with exit code ${end.code}\n`);
    process.exit(end.code ?? 1);
  }
}

/** A terminal sends SIGINT to npm as well; its exit says how that went. */
function ignore() {
  return undefined;
}

if (process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [script, ...args] = process.argv.slice(2);
  if (script === undefined) {
    process.stderr.write('usage: node tools/with-install.js SCRIPT ARGS…\n');
    process.exit(2);
  }
  const file = path.resolve(ROOT, script);
  if (!existsSync(file)) {
    process.stderr.write(`${script}: no such script\n`);
    process.exit(2);
  }
  if (!isInstalled(ROOT)) await install(ROOT);
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}
