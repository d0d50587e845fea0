import { type SimpleCommand, splitCommand } from './split-command.ts';

/** Every argument of these is harmless, so file names that a glob brings in are too. */
const SAFE_WITH_ANY_ARGUMENTS = new Set(
  'cat cd cut echo expr false grep head id ls nl paste pwd rev stat tr true uname wc which whoami numfmt tac'.split(
    ' ',
  ),
);

/** Programs that are safe only with some arguments; the predicate sees the words after the program. */
const SAFE_WITH_CHECKED_ARGUMENTS: ReadonlyMap<string, (args: readonly string[]) => boolean> = new Map([
  ['base64', isSafeBase64],
  ['find', isSafeFind],
  ['rg', isSafeRipgrep],
  ['sed', isSafeSed],
  ['seq', isSafeSeq],
  ['tail', isSafeTail],
  ['uniq', isSafeUniq],
]);

const PROGRAM_FOLDERS = ['/bin/', '/usr/bin/'];
const SYSTEM_FOLDERS = new Set(['proc', 'sys', 'dev']);
/** So many steps up may well be the root, which holds the system folders. */
const MANY_STEPS_UP = 3;
const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Whether running `script` in a shell only reads and ends by itself, as far as its text can tell: each of
 * its commands is on a short list and none of its options writes, runs another program or waits for ever.
 * A script that is not understood completely is not safe.
 */
export function isKnownSafeCommand(script: string): boolean {
  return splitCommand(script)?.every(isSafeCommand) ?? false;
}

/** The same for a program that is started directly with these arguments. */
export function isKnownSafeArgv(argv: readonly string[]): boolean {
  return isSafeCommand({ words: argv, hasGlob: false });
}

/** Of one command of a script that was understood completely. */
export function isSafeCommand(command: SimpleCommand): boolean {
  const [program = '', ...args] = command.words;
  const name = programName(program);
  if (name === undefined || command.words.some((word) => CONTROL_CHARACTER.test(word))) return false;
  if (args.some(reachesSystemFolder) || (name === 'cd' && !args.every(staysBelow))) return false;
  if (SAFE_WITH_ANY_ARGUMENTS.has(name)) return true;
  // A glob can bring in a file whose name is an option, so what must be checked cannot be.
  return !command.hasGlob && (SAFE_WITH_CHECKED_ARGUMENTS.get(name)?.(args) ?? false);
}

/**
 * Other processes' environments (with keys in them) are files there, and devices never end. A word reaches
 * them when it climbs to the root or by unknown steps upwards, and then names one of them, a glob, or nothing.
 */
function reachesSystemFolder(word: string): boolean {
  if (word === '/dev/null') return false;
  const path = word.replace(/^-{1,2}[\w-]*=?/, '');
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  const stepsUp = segments.findIndex((segment) => segment !== '..');
  const isAbsolute = path.startsWith('/');
  if (!isAbsolute && segments[0] !== '..') return false;
  if (stepsUp === -1) return isAbsolute || segments.length >= MANY_STEPS_UP;
  const first = segments[stepsUp] ?? '';
  return SYSTEM_FOLDERS.has(first) || /[*?[]/.test(first);
}

/** What follows a `cd` is read relative to its folder, so that must not lead out of the project. */
function staysBelow(word: string): boolean {
  return !/^[/~-]/.test(word) && !word.split('/').includes('..');
}

/** A program in another folder may be anything, whatever it is called. */
function programName(program: string): string | undefined {
  const folder = PROGRAM_FOLDERS.find((prefix) => program.startsWith(prefix)) ?? '';
  const name = program.slice(folder.length);
  return name.includes('/') ? undefined : name;
}

/** GNU and BSD spellings; both take `-o FILE` as output in some version, alone or behind other letters. */
function isSafeBase64(args: readonly string[]): boolean {
  return args.every(
    (arg) => !arg.startsWith('-') || /^(?:-|-[dDi]+|-[wb]\d*|--(?:decode|ignore-garbage|wrap=\d+))$/.test(arg),
  );
}

function isSafeFind(args: readonly string[]): boolean {
  return !args.some((arg) => /^-(?:exec|ok|delete|fls|fprint)/.test(arg));
}

/** `-z` may stand behind other letters; long options may be cut short. */
function isSafeRipgrep(args: readonly string[]): boolean {
  return !args.some((arg) => {
    if (!arg.startsWith('--')) return /^-.*z/.test(arg);
    const name = arg.split('=', 1)[0] ?? arg;
    return name.length > 2 && ['--pre', '--hostname-bin', '--search-zip'].some((option) => option.startsWith(name));
  });
}

/** Only `sed -n 3p [FILE]` and `sed -n 3,7p [FILE]`: the script language writes files and runs programs. */
function isSafeSed(args: readonly string[]): boolean {
  const [option, lines = '', file] = args;
  return option === '-n' && /^\d+(?:,\d+)?p$/.test(lines) && args.length <= 3 && file?.startsWith('-') !== true;
}

/** Only small plain numbers: `inf`, `1e999` or a tiny step never end. */
function isSafeSeq(args: readonly string[]): boolean {
  return args.every((arg) => /^(?:-?\d{1,7}(?:\.\d{1,3})?|-w|--equal-width)$/.test(arg));
}

/** Following a file never ends; `+3f` is an old spelling of it. */
function isSafeTail(args: readonly string[]): boolean {
  return args.every((arg) => {
    if (arg.startsWith('--')) return /^--(?:(?:lines|bytes)=[+-]?\w+|quiet|silent|verbose|zero-terminated)$/.test(arg);
    return !/^[-+].*[fF]/.test(arg);
  });
}

/** A second operand is the output file. */
function isSafeUniq(args: readonly string[]): boolean {
  return !args.includes('--') && args.filter((arg) => arg === '-' || !arg.startsWith('-')).length <= 1;
}
