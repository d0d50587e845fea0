import { scriptOfShellCall } from './shell-call.ts';
import { type SimpleCommand, splitCommand } from './split-command.ts';

/** What a command consists of, as far as it was understood. */
export interface CommandReading {
  /**
   * `argv`: a program started without a shell. `script`: plain commands, and the shell runs nothing else. `heredoc`: one
   * plain command with a text for it. `opaque`: anything else; then `segments` is the argument vector as it is.
   */
  readonly form: 'argv' | 'script' | 'heredoc' | 'opaque';
  readonly segments: readonly SimpleCommand[];
}

const HEREDOC = /^([^\n<]*)<<(-?)[ \t]*(?:'([^'\n]+)'|"([^"\n\\$`]+)"|([\w.+-]+))[ \t]*\n/;

/** The commands that approval decisions are about. Source for the forms: the peer's segments. */
export function readCommand(argv: readonly string[]): CommandReading {
  const script = scriptOfShellCall(argv);
  const whole = [{ words: argv, hasGlob: false }];
  if (script === undefined) return { form: 'argv', segments: whole };
  const commands = splitCommand(script);
  if (commands !== undefined) return { form: 'script', segments: commands };
  const command = heredocCommand(script);
  return command === undefined ? { form: 'opaque', segments: whole } : { form: 'heredoc', segments: [command] };
}

/**
 * The command of a script that is one command with one heredoc and nothing behind it. A text in which the shell would
 * expand something is not such a script.
 */
function heredocCommand(script: string): SimpleCommand | undefined {
  const header = HEREDOC.exec(script.trimStart());
  if (header === null) return undefined;
  const [line, before = '', dash, single, double, bare] = header;
  const commands = splitCommand(before);
  if (commands?.length !== 1 || /[;|&]/.test(before)) return undefined;
  const lines = script.trimStart().slice(line.length).split('\n');
  const delimiter = single ?? double ?? bare ?? '';
  const end = lines.findIndex((text) => (dash === '-' ? text.replace(/^\t+/, '') : text) === delimiter);
  const isLast = end !== -1 && lines.slice(end + 1).every((text) => text.trim() === '');
  const expands = bare !== undefined && /[$`\\]/.test(lines.slice(0, end).join('\n'));
  return isLast && !expands ? commands[0] : undefined;
}
