import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { findProgram } from '../sandbox/find-program.ts';
import type { Environment } from './login-shell.ts';

/** Longer than any machine runs, and short enough for every language's integers. */
const SMALLEST = 10n ** 18n;
/** It takes milliseconds; but one that fails on a machine that stalls counts for as long as this process lives. */
const PROBE_TIMEOUT_MS = 10_000;

/**
 * A mark that a process passes on to all its offspring and does not shed with its environment, its session and its
 * output: a limit that never takes effect. It is the one for the time that a program with real-time priority may run
 * without a pause, and ends it after some thirty thousand years. Here as `/proc/PID/limits` shows it.
 * Source: getrlimit(2), `RLIMIT_RTTIME`.
 *
 * @param token hexadecimal, at least 15 digits
 */
export function limitMarkOf(token: string): string {
  return String(SMALLEST + BigInt(`0x${token.slice(0, 15)}`));
}

let limiter: Promise<string | undefined> | undefined;

/** The program that gives processes limits, tried once. `undefined`: there is none that works here. Does not reject. */
export function findLimiter(): Promise<string | undefined> {
  limiter ??= process.platform === 'linux' ? tryLimiter(findProgram('prlimit')) : Promise.resolve(undefined);
  return limiter;
}

/** @returns the path, if it works */
export function tryLimiter(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return Promise.resolve(undefined);
  const mark = String(SMALLEST);
  return new Promise((done) => {
    const args = [...limiting(mark), '/bin/cat', '/proc/self/limits'];
    execFile(path, args, { timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' }, (error, stdout) =>
      done(error === null && stdout.includes(mark) ? path : undefined),
    );
  });
}

/** The limit that can be raised again, so that a program that watches over its own commands can mark them too. */
function limiting(mark: string): readonly string[] {
  return [`--rttime=${mark}:`, '--'];
}

/**
 * The same program with the mark. Where program or directory are not there it is left as it is: the system's own error
 * is the clearer one.
 *
 * @param from where and with which variables it is started
 */
export function withLimitMark(
  argv: readonly [string, ...string[]],
  mark: { readonly limiter: string | undefined; readonly text: string },
  from: { readonly cwd: string; readonly environment: Environment },
): readonly [string, ...string[]] {
  if (mark.limiter === undefined || !isExecutable(from.cwd) || !isThere(argv[0], from)) return argv;
  return [mark.limiter, ...limiting(mark.text), ...argv];
}

function isThere(program: string, from: { readonly cwd: string; readonly environment: Environment }): boolean {
  const folders = program.includes('/') ? ['.'] : (from.environment['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => isExecutable(resolve(from.cwd, folder, program)));
}

/** Of a directory: whether it can be entered. */
function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
