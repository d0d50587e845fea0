/** Puts exact versions of foreign packages into a folder of their own, so that the repository does not depend on them. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../tools/lib/run-command.js';

/**
 * Installs what is missing; what is there in the wanted version is used again. No install script runs.
 * @param {string} folder absolute; ignored by git
 * @param {Readonly<Record<string, string>>} versions exact version by package name
 * @param {{ omitOptional?: boolean }} [options] `omitOptional` leaves out per-platform binaries
 * @returns {Promise<void>} rejects with what npm said when the installation fails
 */
export async function installPackages(folder, versions, { omitOptional = false } = {}) {
  const wanted = Object.entries(versions);
  const present = await Promise.all(wanted.map(([name]) => installedVersion(folder, name)));
  if (wanted.every(([, version], index) => present[index] === version)) return;
  await mkdir(folder, { recursive: true });
  const manifest = { private: true, description: 'foreign packages, installed on demand', dependencies: versions };
  await writeFile(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  if (omitOptional) flags.push('--omit=optional');
  process.stdout.write(`installing ${wanted.map((entry) => entry.join('@')).join(', ')}\n`);
  const { exitCode, output } = await runCommand(['npm', 'install', ...flags], { cwd: folder });
  if (exitCode !== 0) throw new Error(`npm install failed with exit code ${exitCode} in ${folder}:\n${output}`);
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {Promise<string | undefined>} `undefined` when the package is not there
 */
export async function installedVersion(folder, name) {
  const manifest = path.join(folder, 'node_modules', name, 'package.json');
  return existsSync(manifest) ? JSON.parse(await readFile(manifest, 'utf8')).version : undefined;
}

/**
 * The native program inside the platform package that `@openai/codex` brings along.
 * Source: layout of the packages of version 0.169; `@openai/codex-sdk` looks in the same place.
 * @param {string} folder where `@openai/codex` is installed with its optional packages
 * @returns {string}
 */
export function findPeerBinary(folder) {
  const target = PEER_TARGETS[`${process.platform}-${process.arch}`];
  if (target === undefined) throw new Error(`the peer has no binary for ${process.platform}-${process.arch}`);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const platformPackage = `node_modules/@openai/codex-${process.platform}-${process.arch}`;
  const binary = path.join(folder, platformPackage, 'vendor', target, 'bin', `codex${suffix}`);
  if (!existsSync(binary)) throw new Error(`the peer's binary is not at ${binary}; delete ${folder} and try again`);
  return binary;
}

/** @type {Readonly<Record<string, string>>} */
const PEER_TARGETS = {
  'linux-x64': 'x86_64-unknown-linux-musl',
  'linux-arm64': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
};
