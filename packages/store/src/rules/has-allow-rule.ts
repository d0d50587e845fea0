import type { RuleSet } from '@quire/core';

/** Whether exactly this is allowed by a rule already. */
export function hasAllowRule(rules: RuleSet, prefix: readonly string[]): boolean {
  return rules.prefixRules.some(
    ({ pattern, decision }) =>
      decision === 'allow' &&
      pattern.length === prefix.length &&
      pattern.every((choices, index) => choices.length === 1 && choices[0] === prefix[index]),
  );
}
