export type RuleDecision = 'allow' | 'prompt' | 'forbidden';

export interface RuleMatch {
  readonly decision: RuleDecision;
  /** Words of the command that the rule matched. */
  readonly matchedPrefix: readonly string[];
  readonly justification: string | undefined;
}

/** Rules for commands, from files and from decisions of this session. */
export interface CommandRules {
  /** Reads what was not read yet. Awaited before every decision. Never rejects. Absent: nothing has to be read. */
  load?(): Promise<void>;
  /** All rules that match one command: its words, a program first. */
  matches(words: readonly string[]): readonly RuleMatch[];
  /** Allows what begins like this from now on, in this session and on disk. Rejects when it could not be written. */
  allow(prefix: readonly string[]): Promise<void>;
}
