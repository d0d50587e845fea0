import type { CommandRules, RuleMatch } from '@quire/core';
import type { CommandRulesOptions } from './command-rules-options.ts';
import type { LoadedRules } from './loaded-rules.ts';

/** Until the files were read nothing is let through. */
const NOT_READ: RuleMatch = {
  decision: 'prompt',
  matchedPrefix: [],
  justification: 'the rules of the user were not read yet',
};

/** The rules of files, read with the first command, and those that were allowed since. One for the life of a thread. */
export function createCommandRules(options: CommandRulesOptions): CommandRules {
  let loading: Promise<LoadedRules> | undefined;
  let loaded: LoadedRules | undefined;
  const load = (): Promise<LoadedRules> => {
    loading ??= import('./loaded-rules.ts').then(async ({ LoadedRules }) => {
      loaded = await LoadedRules.read(options);
      return loaded;
    });
    return loading;
  };
  return {
    load: async () => {
      if (loaded === undefined) await load();
    },
    matches: (words) => loaded?.matches(words) ?? [NOT_READ],
    allow: async (prefix) => (await load()).allow(prefix),
  };
}
