import type { RuleDecision, RuleMatch } from '../ports/command-rules.ts';

/** Commands that begin with certain words. */
export interface PrefixRule {
  /** For each word the words that it may be. Not empty. */
  readonly pattern: readonly (readonly string[])[];
  readonly decision: RuleDecision;
  readonly justification: string | undefined;
}

/** For an egress proxy. */
export interface NetworkRule {
  readonly host: string;
  readonly protocol: 'http' | 'https' | 'socks5_tcp' | 'socks5_udp';
  readonly decision: RuleDecision;
  readonly justification: string | undefined;
}

export interface RuleSet {
  readonly prefixRules: readonly PrefixRule[];
  /** By file name the absolute paths that rules for that name hold for. */
  readonly hostExecutables: ReadonlyMap<string, readonly string[]>;
  readonly networkRules: readonly NetworkRule[];
}

export interface RuleSetMatch extends RuleMatch {
  /** The absolute path that stands in the command where the rule has a bare name. */
  readonly resolvedProgram: string | undefined;
}

export const NO_RULES: RuleSet = { prefixRules: [], hostExecutables: new Map(), networkRules: [] };

/** Only the administrator writes there, so that a program found there is the one that its name says. */
const SYSTEM_FOLDERS = ['/bin/', '/sbin/', '/usr/bin/', '/usr/sbin/', '/usr/local/bin/', '/opt/homebrew/bin/'];

export function mergeRuleSets(sets: readonly RuleSet[]): RuleSet {
  const hostExecutables = new Map<string, readonly string[]>();
  for (const set of sets) for (const [name, paths] of set.hostExecutables) hostExecutables.set(name, paths);
  return {
    prefixRules: sets.flatMap(({ prefixRules }) => prefixRules),
    hostExecutables,
    networkRules: sets.flatMap(({ networkRules }) => networkRules),
  };
}

/**
 * All rules that match, in their order. The program is compared as it is written; if nothing matches, an absolute path
 * may stand for its file name: only a listed one when there is a list for that name. Without a list a rule that
 * allows holds only for the folders of the system, because a command could have put a file of that name anywhere else.
 */
export function matchRules(
  rules: RuleSet,
  words: readonly string[],
  options: { readonly resolvesPaths: boolean } = { resolvesPaths: true },
): readonly RuleSetMatch[] {
  const exact = rules.prefixRules.flatMap((rule) => matchOne(rule, words, /* resolvedProgram */ undefined));
  const [program = ''] = words;
  if (exact.length > 0 || !options.resolvesPaths || !program.startsWith('/')) return exact;
  const folder = program.slice(0, program.lastIndexOf('/') + 1);
  const name = program.slice(folder.length);
  const listed = rules.hostExecutables.get(name);
  if (listed !== undefined && !listed.includes(program)) return [];
  const isTrusted = listed !== undefined || SYSTEM_FOLDERS.includes(folder);
  return rules.prefixRules
    .flatMap((rule) => matchOne(rule, [name, ...words.slice(1)], program))
    .filter(({ decision }) => isTrusted || decision !== 'allow');
}

function matchesPattern(pattern: PrefixRule['pattern'], words: readonly string[]): boolean {
  return pattern.length <= words.length && pattern.every((choices, index) => choices.includes(words[index] ?? ''));
}

function matchOne(
  { pattern, decision, justification }: PrefixRule,
  words: readonly string[],
  resolvedProgram: string | undefined,
): readonly RuleSetMatch[] {
  if (!matchesPattern(pattern, words)) return [];
  return [{ decision, matchedPrefix: words.slice(0, pattern.length), justification, resolvedProgram }];
}

const STRICTNESS: Readonly<Record<RuleDecision, number>> = { allow: 0, prompt: 1, forbidden: 2 };

/** `undefined` when nothing matched. */
export function strictestDecision(matches: readonly RuleMatch[]): RuleDecision | undefined {
  return matches
    .map(({ decision }) => decision)
    .reduce<RuleDecision | undefined>(
      (strictest, decision) =>
        strictest !== undefined && STRICTNESS[strictest] >= STRICTNESS[decision] ? strictest : decision,
      undefined,
    );
}
