import type { FinishedWord } from './script-word.ts';

const LONGEST_VALUE = 4_096;
/** Words that may stand in front of a command inside compound commands. */
const LEADING_WORDS = new Set('if then elif else while until do ! fi done esac'.split(' '));
const ASSIGNMENT = /^[A-Za-z_]\w*\+?=/;

/** One command somewhere in a script: in a group, a subshell, a branch, a substitution or the body of a function. */
export interface ParsedCommand {
  /** A program and its arguments as far as the text tells: quotes removed, unknown variables empty. */
  readonly words: readonly string[];
  /** `false`: which program it is shows only at run time. */
  readonly isProgramKnown: boolean;
  /** Text that it reads on standard input, if that stands in the script. */
  readonly input: string | undefined;
  /** The command whose output it reads. */
  readonly pipedFrom: ParsedCommand | undefined;
}

/** What is known of a script so far. */
export interface Script {
  readonly commands: ParsedCommand[];
  /** What the script itself gave to variables so far. */
  readonly variables: Map<string, string>;
}

/** The body of a heredoc comes only after the line on which its command ends, so `input` is set late. */
export class CommandDraft implements ParsedCommand {
  words: readonly string[] = [];
  isProgramKnown = true;
  input: string | undefined;
  readonly pipedFrom: ParsedCommand | undefined;

  constructor(pipedFrom?: ParsedCommand) {
    this.pipedFrom = pipedFrom;
  }
}

/** Adds the command that these words are. Assignments in front are taken note of; `false` when nothing runs. */
export function finishCommand(
  command: CommandDraft,
  words: readonly FinishedWord[],
  { commands, variables }: Script,
): boolean {
  let start = 0;
  let hasUnknown = false;
  for (; start < words.length; start += 1) {
    const word = words[start];
    if (word === undefined) break;
    if (!word.isQuoted && LEADING_WORDS.has(word.text)) continue;
    // An unquoted variable may be empty, and then is no word at all, or be the program.
    if (word.text === '' && !word.isQuoted) {
      if (!word.isKnown && !hasUnknown) commands.push(unknownCommand(words.slice(start)));
      hasUnknown ||= !word.isKnown;
      continue;
    }
    const assigned = ASSIGNMENT.exec(word.text)?.[0];
    if (assigned === undefined) break;
    const value = word.text.slice(assigned.length);
    if (value.length <= LONGEST_VALUE && word.isKnown) {
      variables.set(assigned.replace(/\+?=$/, ''), value);
    }
  }
  const program = words[start];
  if (program === undefined) return false;
  command.words = words.slice(start).map(({ text }) => text);
  command.isProgramKnown = program.isKnown;
  commands.push(command);
  return true;
}

function unknownCommand(words: readonly FinishedWord[]): ParsedCommand {
  return { words: words.map(({ text }) => text), isProgramKnown: false, input: undefined, pipedFrom: undefined };
}
