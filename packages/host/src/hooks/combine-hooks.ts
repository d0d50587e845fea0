import type { HookVerdict, ToolHooks } from '@quire/core';

/**
 * Several sets of hooks as one: those of the configuration, and functions of a program that embeds the runtime (see
 * `guardHooks`). All are asked at the same time, and one that denies is enough.
 */
export function combineHooks(sets: readonly ToolHooks[]): ToolHooks {
  return {
    before: async (call, options): Promise<HookVerdict> => {
      const verdicts = await Promise.all(sets.map((set) => set.before(call, options)));
      const reasons = verdicts.flatMap((verdict) => (verdict.kind === 'deny' ? [verdict.reason] : []));
      return reasons.length === 0 ? { kind: 'go-on' } : { kind: 'deny', reason: reasons.join('\n') };
    },
    after: async (call, options) => {
      const answers = await Promise.all(sets.map((set) => set.after(call, options)));
      const texts = answers.flatMap(({ feedback }) => (feedback === undefined ? [] : [feedback]));
      return { feedback: texts.length === 0 ? undefined : texts.join('\n') };
    },
  };
}
