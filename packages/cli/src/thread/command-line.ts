import { asksForHelp, EXEC_OPTIONS, UsageError } from '../exec/options.ts';
import type { CommandLine, ParsedCommandLine } from '../exec/run-command-line.ts';
import { type OptionScan, type OptionSpec, scanOptions } from '../option-scan.ts';
import { nearestName } from '../suggestion.ts';
import { THREAD_COMMANDS } from './commands.ts';
import { type ThreadCommand, Words } from './thread-command.ts';

/** Options that all sub-commands take. */
const COMMON = ['config', 'ignore-user-config', 'cd', 'help'];

type Scanned = Extract<OptionScan, { readonly kind: 'scanned' }>;

/** All options of `quire thread`. */
export const THREAD_OPTIONS: readonly OptionSpec[] = threadOptions();

/** `quire thread`. */
export const THREAD: CommandLine = {
  usage: 'Usage: quire thread [OPTIONS] COMMAND; see quire thread --help',
  parse: parseThreadArguments,
  loadHelp: async () => (await import('./help.ts')).THREAD_HELP,
};

/** `quire archive` and `quire unarchive`: sub-commands of `thread` that are commands of their own as well. */
export function threadCommandLine(name: 'archive' | 'unarchive'): CommandLine {
  return {
    usage: `Usage: quire ${name} [OPTIONS] ID; see quire thread --help`,
    parse: (argv) => parseThreadArguments([name, ...argv]),
    loadHelp: THREAD.loadHelp,
  };
}

export function parseThreadArguments(argv: readonly string[]): ParsedCommandLine {
  const scan = scanOptions(argv, { specs: THREAD_OPTIONS, command: 'quire thread', endsOptions: isInsideScript });
  // Help is given even when other arguments are wrong; behind `shell` an option may be one of the command.
  if (scan.kind === 'usage-error') return asksForHelp(argv) ? { kind: 'help' } : scan;
  const [first] = scan.positionals;
  if (scan.values.has('help') || (first?.text === 'help' && !first.literal)) return { kind: 'help' };
  try {
    return read(scan);
  } catch (error) {
    if (error instanceof UsageError) return { kind: 'usage-error', message: error.message };
    throw error;
  }
}

/** The command of `shell` begins at the first word that is not the thread's; its options are its own. */
function isInsideScript({ values, positionals }: Omit<Scanned, 'kind'>): boolean {
  return positionals[0]?.text === 'shell' && positionals.length === (values.has('last') ? 2 : 3);
}

function read({ values, positionals }: Scanned): ParsedCommandLine {
  const [first, ...rest] = positionals;
  if (first === undefined) {
    throw new UsageError(`a sub-command is missing; known are ${Object.keys(THREAD_COMMANDS).join(', ')}`);
  }
  const name = first.text;
  const command = Object.hasOwn(THREAD_COMMANDS, name) ? THREAD_COMMANDS[name] : undefined;
  if (command === undefined) throw new UsageError(unknownCommand(name));
  for (const option of values.keys()) {
    if (!takes(command, option)) throw new UsageError(`--${option} does not go with thread ${name}`);
  }
  return command.read(new Words(name, values, rest));
}

function takes(command: ThreadCommand, option: string): boolean {
  return COMMON.includes(option) || command.options.includes(option);
}

function unknownCommand(name: string): string {
  const nearest = nearestName(name, Object.keys(THREAD_COMMANDS));
  const hint =
    nearest === undefined ? `known are ${Object.keys(THREAD_COMMANDS).join(', ')}` : `did you mean ${nearest}?`;
  return `unknown sub-command ${JSON.stringify(name.slice(0, 60))}; ${hint}`;
}

/** Those that `exec` has too are spelled as there. */
function threadOptions(): readonly OptionSpec[] {
  const names = new Set([...COMMON, ...Object.values(THREAD_COMMANDS).flatMap(({ options }) => options)]);
  const shared = EXEC_OPTIONS.filter(({ name, aliasOf }) => names.has(aliasOf ?? name));
  return [...shared, { name: 'archived', takesValue: false }, { name: 'limit', takesValue: true }];
}
