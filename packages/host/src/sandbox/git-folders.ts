import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type GitConfigEntry, parseGitConfig } from '../git/git-config.ts';
import { isLink, targetFactsOf } from './entry-facts.ts';
import { realPathOf } from './real-path.ts';

export interface GitPlaces {
  readonly existing: readonly string[];
  /** Named by the configuration, and not there yet. */
  readonly missing: readonly string[];
}

/**
 * Where the `.git` of a work tree leads: its own folder, the one it shares with other work trees, folders of hooks, and
 * files that its configuration includes. All of them make git run something.
 * @param git absolute path of `.git`: a folder, a file that points to one, or a link
 */
export function findGitPlaces(git: string): GitPlaces {
  const own = ownGitFolder(git);
  if (own === undefined) return { existing: [], missing: [] };
  const shared = readPointer(join(own, 'commondir'), /^(.+)$/m);
  const common = shared === undefined ? own : resolve(own, shared);
  const named = placesInConfiguration(join(common, 'config'), dirname(git));
  const hooks = join(common, 'hooks');
  const all = [own, common, ...(isLink(hooks) ? [hooks] : []), ...named.hooks, ...named.included];
  return {
    existing: all.flatMap((path) => realPathOf(path) ?? []),
    missing: named.hooks.filter((path) => !existsSync(path)),
  };
}

/** What may not change in a repository without a work tree that is a writable root itself. */
export function findBareRepositoryParts(folder: string): readonly string[] {
  return ['HEAD', 'config', 'hooks', 'info'].map((name) => join(folder, name)).filter((path) => existsSync(path));
}

interface NamedPlaces {
  readonly hooks: readonly string[];
  readonly included: readonly string[];
}

/** Paths that begin with `~` are the user's, and not the project's. */
function placesInConfiguration(config: string, workTree: string): NamedPlaces {
  const entries = parseGitConfig(readText(config)).filter(({ value }) => !value.startsWith('~'));
  const isHooks = ({ section, name }: GitConfigEntry): boolean => section === 'core' && name === 'hookspath';
  const isInclude = ({ section, name }: GitConfigEntry): boolean => /^include(?:if)?$/.test(section) && name === 'path';
  return {
    hooks: entries.filter(isHooks).map(({ value }) => resolve(workTree, value)),
    included: entries.filter(isInclude).map(({ value }) => resolve(dirname(config), value)),
  };
}

function ownGitFolder(git: string): string | undefined {
  const facts = targetFactsOf(git);
  if (facts === undefined) return undefined;
  if (facts.isDirectory()) return realPathOf(git);
  const target = readPointer(git, /^gitdir:\s*(.+)$/m);
  return target === undefined ? undefined : resolve(dirname(git), target);
}

function readPointer(path: string, pattern: RegExp): string | undefined {
  return pattern.exec(readText(path))?.[1]?.trim();
}

/** What is not there, or can not be read, says nothing. */
function readText(path: string): string {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : '';
  } catch {
    return '';
  }
}
