/** What every tool of this repository shares: its root folder, its arguments and how it reports. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What a check found. No findings means success.
 * @typedef {{ findings: string[], summary: string, notes?: string[] }} CheckResult
 */

/** Absolute path of the repository that holds this file. */
export const REPOSITORY_ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * True when the module at `moduleUrl` is the program that was started.
 * @param {string} moduleUrl `import.meta.url`
 */
export function isMain(moduleUrl) {
  return process.argv[1] !== undefined && path.resolve(process.argv[1]) === fileURLToPath(moduleUrl);
}

/**
 * Reads `--root DIR` and the named flags. Exits with 2 on anything else.
 * @param {readonly string[]} args
 * @param {readonly string[]} knownFlags
 * @returns {{ root: string, flags: Set<string> }}
 */
export function parseToolArguments(args, knownFlags) {
  let root = REPOSITORY_ROOT;
  /** @type {Set<string>} */
  const flags = new Set();
  for (let index = 0; index < args.length; index += 1) {
    const argument = args[index] ?? '';
    const next = args[index + 1];
    if (argument === '--root' && next !== undefined) {
      root = path.resolve(next);
      index += 1;
    } else if (argument.startsWith('--') && knownFlags.includes(argument.slice(2))) {
      flags.add(argument.slice(2));
    } else {
      const known = ['--root DIR', ...knownFlags.map((flag) => `--${flag}`)].join(', ');
      process.stderr.write(`unknown argument ${argument}; known: ${known}\n`);
      process.exit(2);
    }
  }
  return { root, flags };
}

/**
 * Prints the outcome of one check and sets the exit code: 0 clean, 1 findings.
 * @param {string} name
 * @param {CheckResult} result
 */
export function reportResult(name, result) {
  for (const finding of result.findings) process.stdout.write(`${finding}\n`);
  for (const note of result.notes ?? []) process.stdout.write(`note: ${note}\n`);
  const count = result.findings.length;
  const verdict = count === 0 ? 'ok' : `${count} finding${count === 1 ? '' : 's'}`;
  process.stdout.write(`${name}: ${verdict} (${result.summary})\n`);
  process.exitCode = count === 0 ? 0 : 1;
}

/**
 * @param {string} file
 * @returns {Promise<any>}
 */
export async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} cannot be read as JSON`, { cause: error });
  }
}
