import { type CommandResult, endProcess } from './end-process.ts';
import type { CommandLine } from './exec/run-command-line.ts';
import { EXIT } from './exit-codes.ts';
import { say } from './say.ts';
import { VERSION } from './version.ts';

type Command = (argv: readonly string[]) => Promise<CommandResult>;

/** Each command is loaded when it is asked for, and nothing before. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  exec: () => onAgent(({ EXEC }) => EXEC),
  e: () => onAgent(({ EXEC }) => EXEC),
  review: () => onAgent(({ REVIEW }) => REVIEW),
  thread: () => onAgent(async () => (await import('./thread/command-line.ts')).THREAD),
  archive: () => onAgent(async () => (await import('./thread/command-line.ts')).threadCommandLine('archive')),
  unarchive: () => onAgent(async () => (await import('./thread/command-line.ts')).threadCommandLine('unarchive')),
  sandbox: async () => (await import('./sandbox/command.ts')).sandboxCommand,
  status: async () => (await import('./status/command.ts')).statusCommand,
  doctor: async () => (await import('./doctor/command.ts')).doctorCommand,
  mcp: async () => (await import('./mcp/command.ts')).mcpCommand,
  execpolicy: async () => (await import('./execpolicy/command.ts')).execPolicyCommand,
  config: async () => (await import('./config/command.ts')).configCommand,
  features: async () => (await import('./features/command.ts')).featuresCommand,
  login: async () => (await import('./login/command.ts')).loginCommand,
  logout: async () => (await import('./login/command.ts')).logoutCommand,
  simulate: async () => (await import('./simulate/command.ts')).simulateCommand,
};

/** Commands whose options may also stand before their name. */
const OPTIONS_FIRST = ['exec', 'e', 'review', 'thread', 'archive', 'unarchive'];

type ExecModule = typeof import('./exec/command.ts');

async function onAgent(choose: (module: ExecModule) => CommandLine | Promise<CommandLine>): Promise<Command> {
  const module = await import('./exec/command.ts');
  const commandLine = await choose(module);
  return (argv) => module.runCommand(commandLine, argv, { loadAgent: () => import('@quire/agent') });
}

/** The command `quire`. Sets the exit code of the process and lets it end. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    endProcess(await dispatch(argv));
  } catch (error) {
    say('stderr', `quire: internal error: ${error instanceof Error ? error.message : String(error)}\n`);
    endProcess({ exitCode: EXIT.failed, settled: false });
  }
}

async function dispatch(argv: readonly string[]): Promise<CommandResult> {
  const [first, ...rest] = argv;
  if (first === '--version' || first === '-V') return say('stdout', `quire ${VERSION}\n`);
  if (first === undefined) {
    say('stderr', (await import('./help.ts')).HELP);
    return { exitCode: EXIT.usage, settled: true };
  }
  if (first === '--help' || first === '-h') return say('stdout', (await import('./help.ts')).HELP);
  if (first === 'help') return help(rest);
  const load = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  if (load !== undefined) return (await load())(rest);
  return first.startsWith('-') ? optionsFirst(argv) : unknownCommand(first);
}

async function help(topics: readonly string[]): Promise<CommandResult> {
  const [topic] = topics;
  if (topic === undefined) return say('stdout', (await import('./help.ts')).HELP);
  const load = Object.hasOwn(COMMANDS, topic) ? COMMANDS[topic] : undefined;
  return load === undefined ? unknownCommand(topic) : (await load())(['--help']);
}

/** `quire -c key=value exec …`: options of a command may also stand before its name. */
async function optionsFirst(argv: readonly string[]): Promise<CommandResult> {
  const [{ EXEC_OPTIONS }, { scanOptions }] = await Promise.all([
    import('./exec/options.ts'),
    import('./option-scan.ts'),
  ]);
  for (let index = 1; index < argv.length; index += 1) {
    const name = OPTIONS_FIRST.find((command) => command === argv[index]);
    const load = name === undefined ? undefined : COMMANDS[name];
    if (load === undefined) continue;
    // A word that the options before it do not take as a value is the command.
    const before = scanOptions(argv.slice(0, index), { specs: EXEC_OPTIONS, command: 'quire exec' });
    if (before.kind === 'scanned' && before.positionals.length === 0) {
      return (await load())([...argv.slice(0, index), ...argv.slice(index + 1)]);
    }
  }
  const scan = scanOptions(argv, { specs: EXEC_OPTIONS, command: 'quire' });
  return usageError(scan.kind === 'usage-error' ? scan.message : 'a command is missing; options belong to quire exec');
}

async function unknownCommand(name: string): Promise<CommandResult> {
  const { nearestName } = await import('./suggestion.ts');
  const nearest = nearestName(
    name,
    [...Object.keys(COMMANDS), 'help'].filter((known) => known.length > 1),
  );
  const hint = nearest === undefined ? 'to run a prompt use quire exec' : `did you mean quire ${nearest}?`;
  return usageError(`unknown command ${JSON.stringify(name.slice(0, 60))}; ${hint}`);
}

function usageError(message: string): CommandResult {
  say('stderr', `quire: ${message}\nUsage: quire COMMAND; see quire --help\n`);
  return { exitCode: EXIT.usage, settled: true };
}
