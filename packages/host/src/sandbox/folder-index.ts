import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { targetFactsOf } from './entry-facts.ts';

/** What is looked for: names of entries, and a repository without a work tree. */
export interface FolderFinds {
  /** Absolute paths of entries with one of the names. */
  readonly named: readonly string[];
  /** Absolute paths of folders that are repositories themselves. */
  readonly bareRepositories: readonly string[];
}

interface Folder {
  readonly changedAtMs: number;
  /** It was read so soon after a change that another one may bear the same time. */
  readonly isUnsettled: boolean;
  readonly named: readonly string[];
  readonly isBareRepository: boolean;
  /** Absolute. */
  readonly folders: readonly string[];
}

/** Not more folders than this are looked at, those near the root first. */
const MAX_FOLDERS = 4_000;
/** Times of changes may be as coarse as this. */
const SETTLED_AFTER_MS = 50;
/** Large, and not worked in: only what lies directly in their entries is looked at. */
const DEPENDENCIES: ReadonlySet<string> = new Set(['node_modules', '.venv', '__pycache__']);
/** What makes a folder a repository. Source: gitrepository-layout(5). */
const REPOSITORY_PARTS: readonly string[] = ['HEAD', 'objects', 'refs'];

/** Finds entries by their names in a tree. Folders that did not change are not read again. */
export class FolderIndex {
  readonly #names: ReadonlySet<string>;
  readonly #folders = new Map<string, Folder>();

  constructor(names: Iterable<string>) {
    this.#names = new Set(names);
  }

  /** Breadth first; links are not followed. What can not be read holds nothing. @param root absolute, real */
  find(root: string, options: { readonly depth: number }): FolderFinds & { readonly visited: number } {
    const named: string[] = [];
    const bareRepositories: string[] = [];
    let level: readonly string[] = [root];
    let visited = 0;
    for (let depth = 0; depth <= options.depth && level.length > 0; depth += 1) {
      const next: string[] = [];
      for (const path of level) {
        if (visited >= MAX_FOLDERS) return { named, bareRepositories, visited };
        visited += 1;
        const folder = this.#look(path);
        if (folder === undefined) continue;
        named.push(...folder.named);
        if (folder.isBareRepository) bareRepositories.push(path);
        else next.push(...folder.folders);
      }
      level = next;
    }
    return { named, bareRepositories, visited };
  }

  #look(path: string): Folder | undefined {
    const changedAtMs = targetFactsOf(path)?.mtimeMs;
    const known = this.#folders.get(path);
    if (known !== undefined && !known.isUnsettled && known.changedAtMs === changedAtMs) return known;
    const entries = changedAtMs === undefined ? undefined : entriesOf(path);
    if (changedAtMs === undefined || entries === undefined) {
      this.#folders.delete(path);
      return undefined;
    }
    const folder: Folder = {
      changedAtMs,
      isUnsettled: Math.abs(Date.now() - changedAtMs) < SETTLED_AFTER_MS,
      named: this.#named(path, entries),
      isBareRepository: REPOSITORY_PARTS.every((name) => entries.some((entry) => entry.name === name)),
      folders: entries
        .filter((entry) => entry.isDirectory() && !this.#names.has(entry.name) && !DEPENDENCIES.has(entry.name))
        .map((entry) => join(path, entry.name)),
    };
    this.#folders.set(path, folder);
    return folder;
  }

  #named(path: string, entries: readonly Dirent[]): readonly string[] {
    const own = entries.filter((entry) => this.#names.has(entry.name)).map((entry) => join(path, entry.name));
    const dependencies = entries.filter((entry) => entry.isDirectory() && DEPENDENCIES.has(entry.name));
    return [...own, ...dependencies.flatMap((entry) => this.#namedInDependencies(join(path, entry.name)))];
  }

  #namedInDependencies(path: string): readonly string[] {
    const folders = (entriesOf(path) ?? []).filter((entry) => entry.isDirectory());
    return folders.flatMap(({ name }) => {
      const folder = join(path, name);
      if (name.startsWith('@')) return this.#namedInDependencies(folder); // packages of one publisher
      return existsSync(join(folder, '.git')) ? [join(folder, '.git')] : [];
    });
  }
}

function entriesOf(path: string): readonly Dirent[] | undefined {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return undefined;
  }
}
