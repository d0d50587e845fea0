/** Programs that run a command that stands somewhere among their arguments. */
const RUNNERS = new Set(
  'sudo doas env command builtin exec nohup time timeout nice ionice setsid stdbuf xargs find'.split(' '),
);
const SHELLS = new Set(['bash', 'zsh', 'sh', 'dash', 'ksh']);
/** Words that may stand in front of a command inside compound commands. */
const LEADING_WORDS = new Set('if then elif else while until do ! { time'.split(' '));
/** How deep scripts inside scripts (`sh -c "sh -c …"`) are looked into. */
const MAX_DEPTH = 5;

/**
 * Whether `script` holds a command that destroys files without asking: `rm` with `-f` or `--force`, also behind
 * `sudo` and its like, and in a script given to another shell.
 *
 * Unlike `isKnownSafeCommand` this reads scripts that it understands only in part, so it can miss a
 * command that the shell puts together at run time. It is a reason to ask, not a protection.
 */
export function isDangerousCommand(script: string): boolean {
  return isDangerousScript(script, MAX_DEPTH);
}

/** The same for a program that is started directly with these arguments. */
export function isDangerousArgv(argv: readonly string[]): boolean {
  return isDangerousWords(argv, MAX_DEPTH);
}

function isDangerousScript(script: string, depth: number): boolean {
  return roughCommands(script).some((words) => isDangerousWords(words, depth));
}

function isDangerousWords(words: readonly string[], depth: number): boolean {
  const start = words.findIndex((word) => !LEADING_WORDS.has(word) && !/^\w+\+?=/.test(word));
  if (start === -1 || depth === 0) return false;
  const args = words.slice(start + 1);
  const program = fileName(words[start] ?? '');
  if (program === 'rm') return isForcedRemoval(args);
  if (program === 'eval') return isDangerousScript(args.join(' '), depth - 1);
  if (SHELLS.has(program)) {
    const flag = args.findIndex((arg) => /^-[a-z]*c[a-z]*$/.test(arg));
    return flag !== -1 && isDangerousScript(args[flag + 1] ?? '', depth - 1);
  }
  return RUNNERS.has(program) && isDangerousToRun(args, depth);
}

/** A runner's own options may take values, so its command could start at any word. */
function isDangerousToRun(args: readonly string[], depth: number): boolean {
  const removal = args.findIndex((arg) => fileName(arg) === 'rm');
  if (removal !== -1 && isForcedRemoval(args.slice(removal + 1))) return true;
  const script = args.findIndex((arg) => fileName(arg) === 'eval' || SHELLS.has(fileName(arg)));
  return script !== -1 && isDangerousWords(args.slice(script), depth - 1);
}

function isForcedRemoval(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  return options.some((arg) => /^-[A-Za-z]*f/.test(arg) || (arg.length > 2 && '--force'.startsWith(arg)));
}

function fileName(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1);
}

/** The words of everything that looks like a command, substitutions included; quotes and escapes removed. */
function roughCommands(script: string): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  let quote: string | undefined;
  const endWord = (): void => {
    if (word !== undefined) commands.at(-1)?.push(word);
    word = undefined;
  };
  for (let index = 0; index < script.length; index++) {
    const character = script.charAt(index);
    const isSubstitution = quote !== "'" && (character === '`' || script.startsWith('$(', index));
    if (character === quote) quote = undefined;
    else if (isSubstitution) {
      endWord();
      commands.push([]);
      quote = undefined;
    } else if (character === '\\' && quote !== "'") {
      const escaped = script.charAt(++index);
      if (escaped !== '\n') word = (word ?? '') + escaped;
    } else if (quote !== undefined) word = (word ?? '') + character;
    else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      endWord();
      if (character === '\n') commands.push([]);
    } else if (';|&(){}<>'.includes(character)) {
      endWord();
      if (!'<>{}'.includes(character)) commands.push([]);
    } else word = (word ?? '') + character;
  }
  endWord();
  return commands;
}
