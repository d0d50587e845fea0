import type { CommandRules, RuleMatch } from '@quire/core';
import type { LoadedRules } from './loaded-rules.ts';

export interface CommandRulesOptions {
  /** Absolute. Its `rules/*.rules` are the user's, and new ones are written there. See `resolveHome`. */
  readonly home: string;
  /**
   * Configuration folders of the project (`.codex`), lowest precedence first. Absolute. To be given only when the user
   * trusts the project: rules can let commands out of the sandbox.
   */
  readonly projectFolders?: readonly string[];
  /** Told of a file that could not be used. One sentence for a person. Must not throw. */
  readonly onWarning: (message: string) => void;
}

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
