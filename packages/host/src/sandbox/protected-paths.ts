import { existsSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { PROTECTED_ANYWHERE, PROTECTED_AT_ROOT } from '@quire/core';
import { factsOf, isLink } from './entry-facts.ts';
import { FolderIndex } from './folder-index.ts';
import { findBareRepositoryParts, findGitPlaces } from './git-folders.ts';
import { realPathOf } from './real-path.ts';

/** What must stay as it is below a writable root. */
export interface ProtectedPaths {
  /** Absolute; real but for the last part. They exist. Some may lie outside of the root. */
  readonly existing: readonly string[];
  /** Absolute, in the root. Nothing is there, and nothing may come into being there. */
  readonly missing: readonly string[];
  /** Symbolic links among the names that are protected, wherever they lead. Absolute. */
  readonly links: readonly string[];
}

/** Of other agents: their hooks and servers run on opening a project. Nor may they come into being in one. */
const OTHER_AGENTS: readonly string[] = ['.claude', '.cursor', '.gemini', '.opencode'];
/** Of editors and shells: protected where they exist. */
const OTHER_PROGRAMS: readonly string[] = ['.vscode', '.idea', '.envrc', '.mcp.json'];
const NAMES: readonly string[] = [...PROTECTED_ANYWHERE, ...PROTECTED_AT_ROOT, ...OTHER_AGENTS, ...OTHER_PROGRAMS];
const NEVER_MADE: readonly string[] = [...PROTECTED_ANYWHERE, ...PROTECTED_AT_ROOT];
const NEVER_MADE_IN_PROJECTS: readonly string[] = [...NEVER_MADE, ...OTHER_AGENTS];

/** A tree with more folders than this is not looked through for every command. */
const SMALL_TREE = 500;
/** How long what was found in a large tree counts. */
const FRESH_MS = 5_000;
/** A root that is not worked in is searched at its top only. */
const SHALLOW_DEPTH = 1;
const DEEP_DEPTH = 32;

interface Found {
  readonly paths: ProtectedPaths;
  readonly until: number;
}

/** Looks for what is protected in writable roots; what it has found in large trees counts for some seconds. */
export class ProtectedPathFinder {
  readonly #index = new FolderIndex(NAMES);
  readonly #known = new Map<string, Found>();

  /** @param root absolute, real */
  find(root: string, options: { readonly isWorkedIn: boolean }): ProtectedPaths {
    const depth = options.isWorkedIn ? DEEP_DEPTH : SHALLOW_DEPTH;
    const key = `${depth} ${root}`;
    const now = performance.now();
    const known = this.#known.get(key);
    const deep = known !== undefined && now < known.until ? stillThere(known.paths) : this.#look(root, { depth, key });
    const top = findTopPaths(root, options);
    return {
      existing: [...top.existing, ...deep.existing],
      missing: [...new Set([...top.missing, ...deep.missing])],
      links: [...new Set([...top.links, ...deep.links])],
    };
  }

  #look(root: string, { depth, key }: { readonly depth: number; readonly key: string }): ProtectedPaths {
    const { named, bareRepositories, visited } = this.#index.find(root, { depth });
    const places = named.filter((path) => PROTECTED_ANYWHERE.includes(basename(path))).map(findGitPlaces);
    const bare = bareRepositories.flatMap((path) => (path === root ? findBareRepositoryParts(path) : [path]));
    const paths: ProtectedPaths = {
      existing: [
        ...named.filter((path) => existsSync(path)).map(realPathIfLink),
        ...bare,
        ...places.flatMap(({ existing }) => existing),
      ],
      missing: places.flatMap(({ missing }) => missing).flatMap((path) => firstMissing(path, root) ?? []),
      links: named.filter(isLink),
    };
    this.#known.set(key, { paths, until: visited > SMALL_TREE ? performance.now() + FRESH_MS : 0 });
    return paths;
  }
}

function stillThere({ existing, missing, links }: ProtectedPaths): ProtectedPaths {
  return {
    existing: existing.filter((path) => existsSync(path)),
    missing: missing.filter((path) => factsOf(path) === undefined),
    links,
  };
}

/** At the top of a root something may not come into being either; a link to nothing stands for what it leads to. */
function findTopPaths(root: string, { isWorkedIn }: { readonly isWorkedIn: boolean }): ProtectedPaths {
  const all = NAMES.map((name) => join(root, name));
  const links = all.filter(isLink);
  const absent = (isWorkedIn ? NEVER_MADE_IN_PROJECTS : NEVER_MADE)
    .map((name) => join(root, name))
    .filter((path) => factsOf(path) === undefined);
  const leadingNowhere = links
    .filter((path) => !existsSync(path))
    .flatMap((path) => firstMissing(resolve(dirname(path), readlinkSync(path)), root) ?? []);
  return {
    existing: all.filter((path) => existsSync(path)).map(realPathIfLink),
    missing: [...absent, ...leadingNowhere],
    links,
  };
}

/** The first part of a path that is not there, below `root`; `undefined` when that is not in the root. */
function firstMissing(path: string, root: string): string | undefined {
  let missing = path;
  while (!existsSync(dirname(missing))) missing = dirname(missing);
  return missing.startsWith(root === '/' ? root : `${root}/`) && !isLink(missing) ? missing : undefined;
}

function realPathIfLink(path: string): string {
  return isLink(path) ? (realPathOf(path) ?? path) : path;
}
