import path from 'node:path';
import {
  matchRules,
  mergeRuleSets,
  NO_RULES,
  type PrefixRule,
  type RuleSet,
  type RuleSetMatch,
  strictestDecision,
} from '@quire/core';
import { readRulesFile, readRulesFolder } from './read-rules.ts';

/** What rules say of a command, in the spelling of the peer's checker. */
export interface RulesCheck {
  readonly matchedRules: readonly { readonly prefixRuleMatch: PrefixRuleMatch }[];
  /** The strictest; absent when no rule matched. */
  readonly decision?: string;
}

interface PrefixRuleMatch {
  readonly matchedPrefix: readonly string[];
  readonly decision: string;
  readonly resolvedProgram?: string;
  readonly justification?: string;
}

/**
 * Checks one command: a program and its arguments, taken as they are. Rejects with an error that names the file when
 * one can not be used.
 */
export async function checkRules(options: {
  readonly words: readonly string[];
  /** Relative ones start at the working directory of the process. Absent: those of `home`. */
  readonly files: readonly string[];
  /** Absolute. See `resolveHome`. */
  readonly home: string;
  /** Of the administrator; they count beside those of `home`. */
  readonly managed: readonly PrefixRule[];
  /** An absolute path may stand for a rule with a bare name, as when a command runs. */
  readonly resolvesPaths: boolean;
}): Promise<RulesCheck> {
  const { words, files, home, managed, resolvesPaths } = options;
  const sets: readonly RuleSet[] =
    files.length === 0
      ? [{ ...NO_RULES, prefixRules: managed }, ...(await readRulesFolder(home))]
      : await Promise.all(files.map((file) => readRulesFile(path.resolve(file))));
  const matches = matchRules(mergeRuleSets(sets), words, { resolvesPaths });
  const decision = strictestDecision(matches);
  return { matchedRules: matches.map(toJson), ...(decision === undefined ? {} : { decision }) };
}

function toJson(match: RuleSetMatch): { readonly prefixRuleMatch: PrefixRuleMatch } {
  const { matchedPrefix, decision, resolvedProgram, justification } = match;
  return {
    prefixRuleMatch: {
      matchedPrefix,
      decision,
      ...(resolvedProgram === undefined ? {} : { resolvedProgram }),
      ...(justification === undefined ? {} : { justification }),
    },
  };
}
