import { existsSync, lstatSync, realpathSync } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PROTECTED_ANYWHERE, PROTECTED_AT_ROOT } from '@quire/core';
import { parseGitConfig } from '../git/git-config.ts';

/** What must stay as it is below a writable root. */
export interface ProtectedPaths {
  /** Absolute; real but for the last part. They exist. */
  readonly existing: readonly string[];
  /** Absolute. Nothing is there, and nothing may come into being there. */
  readonly missing: readonly string[];
  /** Symbolic links among the names that are protected, wherever they lead. Absolute. */
  readonly links: readonly string[];
}

/** Configuration and hooks of agents and editors that run programs on opening a project; protected where they exist. */
const OTHER_AGENTS: readonly string[] = ['.claude', '.cursor', '.gemini', '.opencode', '.vscode', '.idea', '.envrc'];
/** Not more folders than this are looked at. */
const SCAN_DIRECTORIES = 4_000;
/** Large, and no place for repositories of one's own. */
const NOT_SCANNED: ReadonlySet<string> = new Set(['node_modules', '.git', 'target', 'dist', '.venv', '__pycache__']);

/** What is protected at the top of a writable root, whatever is deeper in it. @param root absolute, real */
export function findTopPaths(root: string): ProtectedPaths {
  const names = [...PROTECTED_ANYWHERE, ...PROTECTED_AT_ROOT].map((name) => join(root, name));
  const others = OTHER_AGENTS.map((name) => join(root, name));
  const all = [...names, ...others];
  return {
    existing: all.flatMap((path) => (existsSync(path) ? [realPathIfLink(path)] : [])),
    missing: names.filter((path) => lstatSync(path, { throwIfNoEntry: false }) === undefined),
    links: all.filter(isLink),
  };
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

function realPathIfLink(path: string): string {
  return isLink(path) ? realpathSync(path) : path;
}

/**
 * The `.git` of every repository in a root, and where it leads: folders elsewhere in the root, and those of hooks, all
 * of which make somebody run something later. Breadth first; links are not followed.
 * @param root absolute, real
 */
export async function findNestedRepositories(
  root: string,
  options: { readonly depth: number },
): Promise<readonly string[]> {
  const found = new Set<string>();
  let level = [root];
  let visited = 0;
  for (let depth = 0; depth <= options.depth && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const folder of level) {
      visited += 1;
      if (visited > SCAN_DIRECTORIES) return [...found];
      for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
        if (entry.name === '.git') {
          for (const path of [join(folder, '.git'), ...(await gitFolders(folder))]) found.add(path);
        } else if (entry.isDirectory() && !NOT_SCANNED.has(entry.name)) next.push(join(folder, entry.name));
      }
    }
    level = next;
  }
  return [...found];
}

/** Where the `.git` of a work tree leads: its own folder, the one it shares with other work trees, and hooks elsewhere. */
async function gitFolders(folder: string): Promise<readonly string[]> {
  const own = await ownGitFolder(join(folder, '.git'));
  if (own === undefined) return [];
  const shared = await readPointer(join(own, 'commondir'), /^(.+)$/m);
  const common = shared === undefined ? own : resolve(own, shared);
  const paths = new Set<string>();
  for (const path of [own, common]) if (existsSync(path)) paths.add(path);
  const hooks = await hooksFolder(join(common, 'config'), folder);
  if (hooks !== undefined && existsSync(hooks)) paths.add(hooks);
  return [...paths];
}

async function ownGitFolder(git: string): Promise<string | undefined> {
  const facts = await stat(git).catch(() => undefined);
  if (facts === undefined) return undefined;
  if (facts.isDirectory()) return realpath(git).catch(() => git);
  const target = await readPointer(git, /^gitdir:\s*(.+)$/m);
  return target === undefined ? undefined : resolve(dirname(git), target);
}

async function hooksFolder(config: string, folder: string): Promise<string | undefined> {
  const text = await readFile(config, 'utf8').catch(() => '');
  const entry = parseGitConfig(text).findLast(({ section, name }) => section === 'core' && name === 'hookspath');
  if (entry === undefined || entry.value.startsWith('~')) return undefined;
  return resolve(folder, entry.value);
}

async function readPointer(path: string, pattern: RegExp): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return pattern.exec(text)?.[1]?.trim();
}
