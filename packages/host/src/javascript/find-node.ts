import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { systemReason } from '../system-reason.ts';

/** The oldest version that has what the kernel uses. */
const MINIMUM_VERSION = [20, 19] as const;
const VERSION_TIMEOUT_MS = 5_000;

export type NodeSearch =
  | { readonly kind: 'found'; readonly path: string }
  /** One line that says what to do. */
  | { readonly kind: 'unusable'; readonly reason: string };

/**
 * The Node.js that runs kernels: `CODEX_JS_REPL_NODE_PATH`, the configured one, the one that runs this process, the
 * first of `PATH`. One that somebody chose and that is of no use is not silently replaced by another.
 */
export async function findNode(options: {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly configuredPath: string | undefined;
}): Promise<NodeSearch> {
  const chosen = options.environment['CODEX_JS_REPL_NODE_PATH'] || options.configuredPath;
  const found = chosen ?? ownNode() ?? firstInPath(options.environment['PATH'] ?? '');
  if (found === undefined) {
    return { kind: 'unusable', reason: `js_repl needs Node.js and there is none in PATH; ${REMEDY}` };
  }
  const program = path.resolve(found);
  const version = program === process.execPath ? process.versions.node : await versionOf(program);
  if (typeof version !== 'string') {
    return { kind: 'unusable', reason: `${program} can not be used as Node.js (${version.reason}); ${REMEDY}` };
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minimumMajor, minimumMinor] = MINIMUM_VERSION;
  if (major > minimumMajor || (major === minimumMajor && minor >= minimumMinor))
    return { kind: 'found', path: program };
  const needed = MINIMUM_VERSION.join('.');
  return {
    kind: 'unusable',
    reason: `js_repl needs Node.js ${needed} or newer, and ${program} is ${version}; ${REMEDY}`,
  };
}

const REMEDY = 'set `js_repl_node_path` to a newer one';

function ownNode(): string | undefined {
  const isNode = process.release.name === 'node' && /^node(js)?$/.test(path.basename(process.execPath));
  return isNode ? process.execPath : undefined;
}

function firstInPath(directories: string): string | undefined {
  return directories
    .split(path.delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => path.join(directory, 'node'))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(program: string): Promise<string | { readonly reason: string }> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    const version = /^v(\d+\.\d+\.\d+\S*)\s*$/.exec(stdout)?.[1];
    return version ?? { reason: 'it does not tell its version' };
  } catch (error) {
    return { reason: systemReason(error).split('\n')[0] ?? '' };
  }
}
