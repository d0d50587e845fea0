import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IgnoreRules, type RuleMatch } from './ignore-rules.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Files of rules in a folder. The first that speaks of a path decides. */
const RULE_FILES = ['.rgignore', '.ignore', '.gitignore'] as const;

/** The rules of one folder. */
interface Level {
  /** In the order of `RULE_FILES`, last those of `.git/info/exclude`. */
  readonly rules: readonly (IgnoreRules | undefined)[];
  readonly isRepository: boolean;
}

/** Git's rules count only inside of a repository, and not beyond it. */
const FIRST_GIT_RULES = 2;

/**
 * What ripgrep leaves out of a search when nothing else is said: what ignore files say, and what is hidden.
 * Source: ripgrep's guide, automatic filtering.
 */
export class IgnoredFiles {
  /** From the deepest up. */
  readonly #levels: readonly Level[];
  readonly #isInRepository: boolean;
  readonly #global: readonly IgnoreRules[];

  private constructor(levels: readonly Level[], global: readonly IgnoreRules[]) {
    this.#levels = levels.filter(({ rules, isRepository }) => isRepository || rules.some((own) => own !== undefined));
    this.#global = global;
    this.#isInRepository = levels.some(({ isRepository }) => isRepository);
  }

  /** For what is directly in `folder`, which is absolute. The rules of the folders above count as well. */
  static at(folder: string, options: { readonly cwd: string; readonly environment: Environment }): IgnoredFiles {
    const levels: Level[] = [];
    for (let path = folder; ; path = dirname(path)) {
      levels.push(readRules(path, (name) => existsSync(join(path, name))));
      if (dirname(path) === path) break;
    }
    return new IgnoredFiles(levels, readGlobalRules(options));
  }

  /** For what is in a folder of this one. @param names what is in it */
  below(folder: string, names: ReadonlySet<string>): IgnoredFiles {
    const found = readRules(folder, (name) => names.has(name));
    const isPlain = !found.isRepository && found.rules.every((rules) => rules === undefined);
    return isPlain ? this : new IgnoredFiles([found, ...this.#levels], this.#global);
  }

  isIgnored(path: string, name: string, { isDirectory }: { readonly isDirectory: boolean }): boolean {
    const match = this.#match(path, { isDirectory });
    return match === 'ignore' || (match === undefined && name.startsWith('.'));
  }

  #match(path: string, kind: { readonly isDirectory: boolean }): RuleMatch {
    const matches: RuleMatch[] = [];
    let isBeyondRepository = false;
    for (const { rules, isRepository } of this.#levels) {
      for (const [index, own] of rules.entries()) {
        const isOfGit = index >= FIRST_GIT_RULES;
        if (isOfGit && (!this.#isInRepository || isBeyondRepository)) continue;
        matches[index] ??= own?.match(path, kind);
      }
      isBeyondRepository ||= isRepository;
    }
    if (this.#isInRepository) matches.push(...this.#global.map((rules) => rules.match(path, kind)));
    return matches.find((match) => match !== undefined);
  }
}

function readRules(folder: string, has: (name: string) => boolean): Level {
  const isRepository = has('.git');
  const rules = RULE_FILES.map((name) => (has(name) ? readRuleFile(folder, join(folder, name)) : undefined));
  const excluded = isRepository ? readRuleFile(folder, join(folder, '.git/info/exclude')) : undefined;
  return { rules: [...rules, excluded], isRepository };
}

/** One that can not be read says nothing. */
function readRuleFile(folder: string, path: string): IgnoreRules | undefined {
  const text = readText(path);
  return text === undefined ? undefined : IgnoreRules.parse(folder, text);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // missing, or not for us
  }
}

/** The user's own list: the one that git's configuration names, else the one at its usual place. */
function readGlobalRules({
  cwd,
  environment,
}: {
  readonly cwd: string;
  readonly environment: Environment;
}): IgnoreRules[] {
  const home = environment['HOME'];
  const config = environment['XDG_CONFIG_HOME'] ?? (home === undefined ? undefined : join(home, '.config'));
  const gitConfigs = [
    ...(home === undefined ? [] : [join(home, '.gitconfig')]),
    ...(config === undefined ? [] : [join(config, 'git/config')]),
  ];
  const named = gitConfigs.flatMap((path) => namedList(readText(path) ?? '', home)).at(0);
  const path = named ?? (config === undefined ? undefined : join(config, 'git/ignore'));
  const rules = path === undefined ? undefined : readRuleFile(cwd, path);
  return rules === undefined ? [] : [rules];
}

function namedList(gitConfig: string, home: string | undefined): readonly string[] {
  const named = /^\s*excludesfile\s*=\s*"?\s*(\S+?)\s*"?\s*$/im.exec(gitConfig)?.[1];
  if (named === undefined) return [];
  return [named.startsWith('~/') && home !== undefined ? join(home, named.slice(2)) : named];
}
