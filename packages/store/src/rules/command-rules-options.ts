import type { PrefixRule } from '@quire/core';

export interface CommandRulesOptions {
  /** Absolute. Its `rules/*.rules` are the user's, and new ones are written there. See `resolveHome`. */
  readonly home: string;
  /**
   * Configuration folders of the project (`.codex`), lowest precedence first. Absolute. To be given only when the user
   * trusts the project: rules can let commands out of the sandbox.
   */
  readonly projectFolders?: readonly string[];
  /** Of the administrator. They hold beside those of files, and also when a file can not be used. */
  readonly managed?: readonly PrefixRule[];
  /** Told of a file that could not be used. One sentence for a person. Must not throw. */
  readonly onWarning: (message: string) => void;
}
