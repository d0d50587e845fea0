import { type ReachableCommand, reachableCommands, reachableCommandsOfScript } from './reachable-commands.ts';
import { programName } from './shell-call.ts';

/**
 * Whether `script` holds a command that destroys files without asking: `rm` with `-f` or `--force`, wherever it stands
 * in the script, also behind `sudo` and its like, and in a script given to another shell.
 *
 * Unlike `isKnownSafeCommand` this reads scripts that it understands only in part, so it can miss a
 * command that the shell puts together at run time. It is a reason to ask, not a protection.
 */
export function isDangerousCommand(script: string): boolean {
  return reachableCommandsOfScript(script).some(isForcedRemoval);
}

/** The same for a program that is started directly with these arguments. */
export function isDangerousArgv(argv: readonly string[]): boolean {
  return reachableCommands(argv).some(isForcedRemoval);
}

function isForcedRemoval({ words, isProgramKnown }: ReachableCommand): boolean {
  const args = words.slice(1);
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  if (!isProgramKnown && options.some(looksLikeForcedRemoval)) return true;
  if (programName(words) !== 'rm') return false;
  return options.some((arg) => /^-[A-Za-z]*f/.test(arg) || (arg.length > 2 && '--force'.startsWith(arg)));
}

/** What hardly any other program is called with. */
function looksLikeForcedRemoval(option: string): boolean {
  return /^-[rRfvd]+$/.test(option) && /[rR]/.test(option) && option.includes('f');
}
