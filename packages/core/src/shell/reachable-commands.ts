import { parseScript } from './parse-script.ts';
import type { ParsedCommand } from './script-command.ts';
import { inlineScript, isShell, programName } from './shell-call.ts';

/** A command that another one would run, as far as the text tells. */
export interface ReachableCommand {
  /** A program and its arguments. */
  readonly words: readonly string[];
  /** `false`: which program it is shows only at run time. */
  readonly isProgramKnown: boolean;
}

/** How deep commands inside commands (`sh -c "sudo sh -c …"`) are looked into. */
const MAX_DEPTH = 6;
/** Words looked at more than once, for commands that could begin at many of them. */
const MAX_REPEATED_WORDS = 400_000;
/** Where the command of a runner with unknown options may begin. */
const MAX_STARTS = 24;

interface Runner {
  /** Options in one letter without and with a value of their own. */
  readonly flags: string;
  readonly values: string;
  /** Words before the command that are no options. */
  readonly operands?: number;
}

/** Programs that run the command which follows their own options. */
const RUNNERS: ReadonlyMap<string, Runner> = new Map(
  Object.entries({
    sudo: { flags: 'AbEeHiKklnPSsvV', values: 'CDgGhpRrtTUu' },
    doas: { flags: 'Lns', values: 'aCu' },
    env: { flags: 'i0v', values: 'uC' },
    command: { flags: 'pvV', values: '' },
    builtin: { flags: '', values: '' },
    exec: { flags: 'cl', values: 'a' },
    nohup: { flags: '', values: '' },
    time: { flags: 'apqvV', values: 'fo' },
    timeout: { flags: 'fpv', values: 'ks', operands: 1 },
    nice: { flags: '', values: 'n' },
    ionice: { flags: 't', values: 'cn' },
    chrt: { flags: 'abdefimoRrv', values: 'TPD', operands: 1 },
    taskset: { flags: 'ac', values: '', operands: 1 },
    setsid: { flags: 'cfw', values: '' },
    stdbuf: { flags: '', values: 'ioe' },
    unbuffer: { flags: 'p', values: '' },
    xargs: { flags: '0oprtx', values: 'adEILnPs' },
    chroot: { flags: '', values: '', operands: 1 },
    flock: { flags: 'enosux', values: 'Ew', operands: 1 },
    unshare: { flags: 'cCfimnprTuU', values: 'RSGw' },
    watch: { flags: 'bcdegtxw', values: 'n' },
    strace: { flags: 'cCdfFhikqrtTvVwxyYZz', values: 'abeEIoOpPsSuUX' },
    repeat: { flags: '', values: '', operands: 1 },
    busybox: { flags: '', values: '' },
    toybox: { flags: '', values: '' },
    fakeroot: { flags: 'hu', values: 'bils' },
    noglob: { flags: '', values: '' },
    nocorrect: { flags: '', values: '' },
    coproc: { flags: '', values: '' },
    '-': { flags: '', values: '' },
  }),
);
/** Builtins whose arguments are scripts. */
const SCRIPT_RUNNERS = new Set(['eval', 'trap', 'alias']);
/** Programs that hand the value of an option to a shell. */
const TAKES_COMMAND_OPTION = new Set(['su', 'runuser', 'script']);
const COMMAND_OPTION = /^(?:-[a-z]*c|--(?:session-)?command)$/;
const FIND_ACTIONS = new Set(['-exec', '-execdir', '-ok', '-okdir']);

/**
 * Every command that running `argv` would run: itself, the commands of a script that it gives to a shell, and what
 * `sudo`, `env`, `xargs`, `find -exec` and their like run for others. What the shell or a program makes up at run time
 * can not be known, so nothing follows from a command that is missing here.
 */
export function reachableCommands(argv: readonly string[]): readonly ReachableCommand[] {
  const reach = new Reach();
  reach.visit({ words: argv, isProgramKnown: true, input: undefined, pipedFrom: undefined }, MAX_DEPTH);
  return reach.found;
}

/** The same for the text of a script. */
export function reachableCommandsOfScript(script: string): readonly ReachableCommand[] {
  const reach = new Reach();
  reach.visitScript(script, MAX_DEPTH);
  return reach.found;
}

class Reach {
  readonly found: ReachableCommand[] = [];
  #repeatedWords = 0;

  visitScript(script: string, depth: number): void {
    if (depth === 0) return;
    for (const command of parseScript(script)) this.visit(command, depth);
  }

  visit(command: ParsedCommand, depth: number): void {
    const { words, isProgramKnown } = command;
    if (words.length === 0 || depth === 0) return;
    this.found.push({ words, isProgramKnown });
    const name = programName(words);
    const args = words.slice(1);
    const runner = RUNNERS.get(name);
    if (SCRIPT_RUNNERS.has(name)) this.#visitScripts(name, args, depth);
    else if (isShell(name)) this.#visitShell(command, depth);
    // A program that is only known at run time may well be a shell.
    else if (!isProgramKnown) this.visitScript(inlineScript(words) ?? '', depth - 1);
    else if (name === 'find') this.#visitFind(args, depth);
    else if (TAKES_COMMAND_OPTION.has(name)) this.visitScript(optionValue(args, COMMAND_OPTION) ?? '', depth - 1);
    else if (runner !== undefined) this.#visitRun(command, { name, runner, depth });
  }

  #visitScripts(name: string, args: readonly string[], depth: number): void {
    const scripts = name === 'eval' ? [args.join(' ')] : args.map((arg) => arg.replace(/^[\w-]+=/, ''));
    for (const script of scripts) this.visitScript(script, depth - 1);
  }

  #visitShell({ words, input, pipedFrom }: ParsedCommand, depth: number): void {
    this.visitScript(inlineScript(words) ?? input ?? printedText(pipedFrom) ?? '', depth - 1);
  }

  #visitFind(args: readonly string[], depth: number): void {
    for (const [index, arg] of args.entries()) {
      if (!FIND_ACTIONS.has(arg)) continue;
      if (this.#repeatedWords > MAX_REPEATED_WORDS) return;
      const rest = args.slice(index + 1);
      this.#repeatedWords += rest.length;
      const end = rest.findIndex((word) => word === ';' || word === '+');
      this.visit(plain(end === -1 ? rest : rest.slice(0, end)), depth - 1);
    }
  }

  #visitRun(
    command: ParsedCommand,
    how: { readonly name: string; readonly runner: Runner; readonly depth: number },
  ): void {
    const { name, runner, depth } = how;
    const args = command.words.slice(1);
    const split = name === 'env' ? optionValue(args, /^(?:-S|--split-string)$/) : undefined;
    if (split !== undefined) this.visitScript(split, depth - 1);
    const added = name === 'xargs' ? (printedText(command.pipedFrom)?.split(/\s+/) ?? []) : [];
    const start = commandStart(args, runner);
    if (start !== undefined) {
      this.visit({ ...command, words: [...args.slice(start), ...added] }, depth - 1);
      return;
    }
    for (let index = 0; index < Math.min(args.length, MAX_STARTS); index += 1) {
      if (this.#repeatedWords > MAX_REPEATED_WORDS) return;
      const words = [...args.slice(index), ...added];
      this.#repeatedWords += words.length;
      if (isRunning(programName(words))) {
        this.visit(plain(words), depth - 1);
        return;
      }
      this.found.push({ words, isProgramKnown: true });
    }
  }
}

/** The index of the first word behind the options and operands; `undefined` when an option is not known. */
function commandStart(args: readonly string[], { flags, values, operands = 0 }: Runner): number | undefined {
  let index = 0;
  for (; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      index += 1;
      break;
    }
    if (/^[A-Za-z_]\w*=/.test(arg)) continue;
    if (!arg.startsWith('-') || arg === '-') break;
    // With `=` the value is part of the word; without, it may be the next one.
    if (arg.startsWith('--')) {
      if (!arg.includes('=')) return undefined;
      continue;
    }
    if (/^-\d+$/.test(arg)) continue;
    const value = [...arg.slice(1)].findIndex((letter) => values.includes(letter));
    const letters = value === -1 ? arg.slice(1) : arg.slice(1, value + 1);
    if ([...letters].some((letter) => !flags.includes(letter))) return undefined;
    if (value !== -1 && value === arg.length - 2) index += 1;
  }
  index += operands;
  while (/^[A-Za-z_]\w*=/.test(args[index] ?? '')) index += 1;
  return index;
}

function isRunning(name: string): boolean {
  return isShell(name) || SCRIPT_RUNNERS.has(name) || RUNNERS.has(name) || name === 'find';
}

function optionValue(args: readonly string[], option: RegExp): string | undefined {
  const index = args.findIndex((arg) => option.test(arg));
  return index === -1 ? undefined : args[index + 1];
}

/** What a command that only prints its arguments prints. */
function printedText(command: ParsedCommand | undefined): string | undefined {
  const name = programName(command?.words ?? []);
  if (command === undefined || (name !== 'echo' && name !== 'printf')) return undefined;
  return command.words.slice(1).join(' ').replaceAll('\\n', '\n');
}

function plain(words: readonly string[]): ParsedCommand {
  return { words, isProgramKnown: true, input: undefined, pipedFrom: undefined };
}
