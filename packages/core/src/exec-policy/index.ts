export { parseRules } from './parse-rules.ts';
export {
  matchRules,
  mergeRuleSets,
  type NetworkRule,
  NO_RULES,
  type PrefixRule,
  type RuleSet,
  type RuleSetMatch,
  strictestDecision,
} from './rule-set.ts';
export { allowRuleText } from './rule-text.ts';
export { RulesError, type RulesErrorCode, type RulesPlace } from './rules-error.ts';
