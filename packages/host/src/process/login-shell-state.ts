/** What a shell holds after its startup files and hands on to a script, as the script itself can see it. */
export interface ShellState {
  /** Exported variables, exported functions (`BASH_FUNC_name%%`) among them. */
  readonly environment: ReadonlyMap<string, string>;
  /** One statement a line. */
  readonly options: readonly string[];
  /** All functions, as source. */
  readonly functions: string;
  readonly aliases: string;
  readonly traps: string;
  readonly umask: string;
  readonly limits: string;
  readonly directory: string;
  /** Declarations of variables by name. */
  readonly variables: ReadonlyMap<string, string>;
}

/** How the state of a kind of shell is learnt, and handed on to another shell of that kind. */
export interface LoginDialect {
  /** A script that prints the state to descriptor 3. */
  readonly printState: string;
  /** Variables of the environment that each process gets afresh and that are never carried from one to another. */
  readonly perProcessEnvironment: readonly string[];
  /** The variable by which a shell finds the file with statements. */
  readonly fileVariable?: string;
  /** The variable that names the directory of that file; it has to be there even if there is nothing to state. */
  readonly directoryVariable?: string;
  readonly fileName: string;
  /** The statement that says whether a shell is a login shell, which is not carried from one to another. */
  readonly loginOption: RegExp;
  /** Declarations by name, without those that are about one process alone. */
  parseVariables(text: string): ReadonlyMap<string, string>;
  /** Statements that bring a shell in state `from` to state `to`. */
  statementsBetween(from: ShellState, to: ShellState): string;
}

/** Prints the state of the shell that runs it to descriptor 3: sections that each end with NUL. */
const PRINT_STATE = `{ /usr/bin/env -0 && builtin printf '\\0'
builtin shopt -p; builtin set +o; builtin printf '\\0'
builtin declare -f; builtin printf '\\0'
builtin alias -p; builtin printf '\\0'
builtin trap -p; builtin printf '\\0'
builtin umask; builtin printf '\\0'
builtin ulimit -S -a; builtin ulimit -H -a; builtin printf '\\0'
builtin pwd; builtin printf '\\0'
builtin declare -p; builtin printf '\\0end\\0'; } >&3`;

export const END_OF_STATE = '\0end\0';

/** What bash sets by itself in every process, or what is about this process alone. */
const PER_PROCESS_VARIABLES: ReadonlySet<string> = new Set(
  (
    'BASHOPTS BASHPID BASH_ALIASES BASH_ARGC BASH_ARGV BASH_ARGV0 BASH_CMDS BASH_COMMAND BASH_ENV ' +
    'BASH_EXECUTION_STRING BASH_LINENO BASH_MONOSECONDS BASH_REMATCH BASH_SOURCE BASH_SUBSHELL COPROC DIRSTACK ' +
    'EPOCHREALTIME EPOCHSECONDS FUNCNAME GROUPS HISTCMD LINENO OLDPWD PIPESTATUS PPID PWD QUIRE_OWNER RANDOM ' +
    'SECONDS SHELLOPTS SHLVL SRANDOM _'
  ).split(' '),
);

/** Through `BASH_ENV`, which the first statement takes away again. Source: bash(1). */
export const BASH: LoginDialect = {
  printState: PRINT_STATE,
  perProcessEnvironment: ['BASH_ENV', 'OLDPWD', 'PWD', 'QUIRE_OWNER', 'SHLVL', '_'],
  fileVariable: 'BASH_ENV',
  fileName: 'login-state.bash',
  loginOption: / login_shell$/,
  parseVariables: parseDeclarations,
  statementsBetween,
};

/** What `printState` of the dialect printed; `undefined` when it is not whole. */
export function parseState(text: string, { loginOption, parseVariables }: LoginDialect): ShellState | undefined {
  const endOfEnvironment = text.indexOf('\0\0');
  if (endOfEnvironment < 0 || !text.endsWith(END_OF_STATE)) return undefined;
  const sections = text.slice(endOfEnvironment + 2).split('\0');
  if (sections.length !== 10) return undefined;
  const [options = '', functions = '', aliases = '', traps = '', umask = '', limits = '', directory = ''] = sections;
  return {
    environment: parseEnvironment(text.slice(0, endOfEnvironment)),
    options: linesOf(options).filter((line) => !loginOption.test(line)),
    functions,
    aliases,
    traps,
    umask: umask.trim(),
    limits,
    directory,
    variables: parseVariables(sections[7] ?? ''),
  };
}

function parseEnvironment(text: string): Map<string, string> {
  const environment = new Map<string, string>();
  for (const entry of text.split('\0')) {
    const separator = entry.indexOf('=');
    if (separator > 0) environment.set(entry.slice(0, separator), entry.slice(separator + 1));
  }
  return environment;
}

/** A declaration begins at `declare -… NAME` and may go on over lines that do not look like one. */
function parseDeclarations(text: string): Map<string, string> {
  const declarations = new Map<string, string>();
  for (const declaration of text.split(/\n(?=declare -[-a-zA-Z]+ [A-Za-z_])/)) {
    const name = /^declare -[-a-zA-Z]+ (\w+)/.exec(declaration)?.[1];
    if (name !== undefined && !PER_PROCESS_VARIABLES.has(name)) declarations.set(name, declaration.trimEnd());
  }
  return declarations;
}

/** Whether a script could not tell the two apart. */
export function isSameState(one: ShellState, other: ShellState, { perProcessEnvironment }: LoginDialect): boolean {
  const carried = ({ environment }: ShellState): Map<string, string> => {
    const kept = new Map(environment);
    for (const name of perProcessEnvironment) kept.delete(name);
    return kept;
  };
  return (
    one.functions === other.functions &&
    one.aliases === other.aliases &&
    one.traps === other.traps &&
    one.umask === other.umask &&
    one.limits === other.limits &&
    one.directory === other.directory &&
    one.options.join('\n') === other.options.join('\n') &&
    isSameMap(carried(one), carried(other)) &&
    isSameMap(one.variables, other.variables)
  );
}

function isSameMap(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}

/**
 * Statements that bring a shell in state `from` to state `to`, to be read through `BASH_ENV`. Options come
 * before functions, whose source may depend on them (extglob), and `set` options last, so that `-e` and
 * `-u` do not act on the statements themselves.
 */
function statementsBetween(from: ShellState, to: ShellState): string {
  const changedOptions = added(from.options, to.options);
  const bashEnv = to.environment.get('BASH_ENV');
  const statements = [
    bashEnv === undefined ? 'unset -v BASH_ENV' : `export BASH_ENV=${quote(bashEnv)}`,
    ...changedOptions.filter((line) => line.startsWith('shopt ')),
    to.functions === from.functions ? '' : to.functions,
    to.aliases === from.aliases ? '' : to.aliases,
    ...[...to.variables].filter(([name, text]) => from.variables.get(name) !== text).map(([, text]) => text),
    ...[...from.variables.keys()].filter((name) => !to.variables.has(name)).map((name) => `unset -v ${name}`),
    to.umask === from.umask ? '' : `umask ${to.umask}`,
    to.traps === from.traps ? '' : to.traps,
    ...changedOptions.filter((line) => line.startsWith('set ')),
  ];
  return `${statements.filter((statement) => statement !== '').join('\n')}\n`;
}

export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

export function added(from: readonly string[], to: readonly string[]): string[] {
  const known = new Set(from);
  return to.filter((line) => !known.has(line));
}
