import { GlobError, globToRegExp } from './glob.ts';

export type RuleMatch = 'ignore' | 'include' | undefined;

interface Rule {
  readonly expression: RegExp;
  readonly includes: boolean;
  readonly onlyDirectories: boolean;
}

/** The lines of one ignore file. Source: gitignore(5), as ripgrep reads it. */
export class IgnoreRules {
  readonly #root: string;
  readonly #rules: readonly Rule[];

  /** @param root absolute folder that the lines speak of */
  constructor(root: string, rules: readonly Rule[]) {
    this.#root = root === '/' ? '/' : `${root}/`;
    this.#rules = rules;
  }

  /** Lines that are no globs are passed over, as git does. */
  static parse(root: string, text: string): IgnoreRules {
    const rules = text.split('\n').flatMap((line) => {
      try {
        return parseRule(line) ?? [];
      } catch (error) {
        if (error instanceof GlobError || error instanceof SyntaxError) return [];
        throw error;
      }
    });
    return new IgnoreRules(root, rules);
  }

  /** What the last rule that matches says. */
  match(path: string, { isDirectory }: { readonly isDirectory: boolean }): RuleMatch {
    if (this.#rules.length === 0) return undefined;
    const relative = path.startsWith(this.#root) ? path.slice(this.#root.length) : path;
    const rule = this.#rules.findLast(
      ({ expression, onlyDirectories }) => (isDirectory || !onlyDirectories) && expression.test(relative),
    );
    return rule === undefined ? undefined : rule.includes ? 'include' : 'ignore';
  }
}

/** `undefined` for comments and blank lines. Throws `GlobError`. */
function parseRule(line: string): Rule | undefined {
  let glob = line.endsWith('\\ ') ? line : line.trimEnd();
  if (glob === '' || glob.startsWith('#')) return undefined;
  const includes = glob.startsWith('!');
  if (includes || glob.startsWith('\\!') || glob.startsWith('\\#')) glob = glob.slice(1);
  const isAnchored = glob.startsWith('/');
  if (isAnchored) glob = glob.slice(1);
  const onlyDirectories = glob.endsWith('/');
  if (onlyDirectories) glob = glob.slice(0, -1);
  if (!isAnchored && !glob.includes('/') && glob !== '**') glob = `**/${glob}`;
  if (glob.endsWith('/**')) glob = `${glob}/*`;
  return { expression: globToRegExp(glob), includes, onlyDirectories };
}

/**
 * The glob that limits a search: only files that it matches, or with `!` in front only those that it does not. What it
 * matches is searched even if it is hidden or ignored. Throws `GlobError`.
 */
export class SearchGlob {
  readonly #rules: IgnoreRules;
  readonly #excludes: boolean;

  constructor(root: string, glob: string) {
    const rule = parseRule(glob);
    this.#rules = new IgnoreRules(root, rule === undefined ? [] : [rule]);
    this.#excludes = rule === undefined || rule.includes;
  }

  match(path: string, { isDirectory }: { readonly isDirectory: boolean }): RuleMatch {
    const match = this.#rules.match(path, { isDirectory });
    if (match !== undefined) return match === 'ignore' ? 'include' : 'ignore';
    return this.#excludes || isDirectory ? undefined : 'ignore';
  }
}
