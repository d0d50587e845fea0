import { constants } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join, sep } from 'node:path';
import { describeHost } from '@quire/host';
import { VERSION } from '../../version.ts';
import { type CheckResult, type Finding, resultOf } from '../check.ts';

const CHECK = 'installation';

/** Oldest platform that is supported: that of `engines` in the manifest. */
const OLDEST_NODE = { major: 20, minor: 19 };

/** Packages that are used where they are, and what is missing without them. */
const OPTIONAL_PACKAGES: readonly (readonly [string, string])[] = [
  ['@napi-rs/keyring', "logins in the system's keyring"],
  ['@lydell/node-pty', 'commands on a terminal of their own'],
  ['sharp', 'fast scaling of pictures'],
  ['@silvia-odwyer/photon-node', 'scaling of pictures'],
];

export interface InstallationFacts {
  /** As the platform says it, such as `v22.1.0`. */
  readonly nodeVersion: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of the command that runs; absent where that can not be told. */
  readonly script: string | undefined;
}

/** Versions, where this command is, which others there are, and what is optional and missing. */
export async function checkInstallation(facts: InstallationFacts): Promise<CheckResult> {
  const { nodeVersion, environment } = facts;
  const running = facts.script === undefined ? undefined : await realpath(facts.script).catch(() => facts.script);
  const onPath = await commandsOnPath(environment);
  const { osName, osVersion, arch } = describeHost(environment);
  return resultOf(CHECK, {
    summary: `quire ${VERSION} on Node.js ${nodeVersion}, ${osName} ${osVersion} (${arch})`,
    details: [
      `runs from ${running ?? 'an unknown place'} (${manner(running)})`,
      ...onPath.map((path) => `on PATH: ${path}`),
      ...OPTIONAL_PACKAGES.map(
        ([name, use]) => `${name}: ${isInstalled(name) ? 'installed' : 'not installed'} (${use})`,
      ),
    ],
    findings: [...oldNode(nodeVersion), ...severalCommands(onPath)],
  });
}

function oldNode(nodeVersion: string): readonly Finding[] {
  const [, major = 0, minor = 0] = (/^v(\d+)\.(\d+)/.exec(nodeVersion) ?? []).map(Number);
  if (major > OLDEST_NODE.major || (major === OLDEST_NODE.major && minor >= OLDEST_NODE.minor)) return [];
  const text = `Node.js ${nodeVersion} is too old`;
  return [{ verdict: 'failed', text, remedy: `install Node.js ${OLDEST_NODE.major}.${OLDEST_NODE.minor} or newer` }];
}

function severalCommands(paths: readonly string[]): readonly Finding[] {
  const [first] = paths;
  if (first === undefined || paths.length === 1) return [];
  const text = `there are ${paths.length} different quire commands on PATH; ${first} is the one that is found`;
  return [{ verdict: 'warning', text, remedy: 'remove those that are not wanted, or change the order in PATH' }];
}

function manner(path: string | undefined): string {
  if (path === undefined) return 'not known how it was installed';
  const parts = path.split(sep);
  if (parts.includes('_npx')) return 'fetched by npx';
  return parts.includes('node_modules') ? 'installed as a package' : 'a checkout, or a copy';
}

/** Different files named quire, in the order of PATH. */
async function commandsOnPath(environment: InstallationFacts['environment']): Promise<readonly string[]> {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const names = process.platform === 'win32' ? ['quire.cmd', 'quire.exe'] : ['quire'];
  const candidates = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  const found = await Promise.all(candidates.map(executableAt));
  return [...new Set(found.filter((path) => path !== undefined))];
}

async function executableAt(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    return await realpath(path);
  } catch {
    return undefined; // nothing there, or nothing that could be run
  }
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (error) {
    // A package that only has an `import` entry is there all the same.
    return error instanceof Error && 'code' in error && error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}
