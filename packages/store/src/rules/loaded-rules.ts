import path from 'node:path';
import { matchRules, mergeRuleSets, NO_RULES, type PrefixRule, type RuleMatch, type RuleSet } from '@quire/core';
import { addAllowRule } from './add-allow-rule.ts';
import type { CommandRulesOptions } from './command-rules-options.ts';
import { hasAllowRule } from './has-allow-rule.ts';
import { RULES_FOLDER, readRulesFolder } from './read-rules.ts';

/** The file that decisions of a person are written to. Source: the peer. */
const DECISIONS_FILE = 'default.rules';

/** Rules of files as they were when they were read, and those of this session. */
export class LoadedRules {
  readonly #decisionsFile: string;
  #rules: RuleSet;

  private constructor(rules: RuleSet, home: string) {
    this.#rules = rules;
    this.#decisionsFile = path.join(home, RULES_FOLDER, DECISIONS_FILE);
  }

  /** Never rejects: when a file can not be used there is a warning, and there are no rules of files at all. */
  static async read({ home, projectFolders = [], managed = [], onWarning }: CommandRulesOptions): Promise<LoadedRules> {
    const ofAdministrator: RuleSet = { ...NO_RULES, prefixRules: managed };
    const sets: RuleSet[] = [ofAdministrator];
    try {
      for (const folder of new Set([home, ...projectFolders])) sets.push(...(await readRulesFolder(folder)));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const rest = managed.length === 0 ? 'no rules for commands are' : 'only rules of the administrator are';
      onWarning(`${rest} in effect, because a rules file can not be used: ${reason}`);
      return new LoadedRules(ofAdministrator, home);
    }
    return new LoadedRules(mergeRuleSets(sets), home);
  }

  matches(words: readonly string[]): readonly RuleMatch[] {
    return matchRules(this.#rules, words);
  }

  /** In effect at once, also when it can not be written. */
  async allow(prefix: readonly string[]): Promise<void> {
    if (prefix.length === 0) throw new Error('a rule needs at least one word');
    const rule: PrefixRule = { pattern: prefix.map((word) => [word]), decision: 'allow', justification: undefined };
    if (!hasAllowRule(this.#rules, prefix)) {
      this.#rules = { ...this.#rules, prefixRules: [...this.#rules.prefixRules, rule] };
    }
    await addAllowRule(this.#decisionsFile, prefix);
  }
}
