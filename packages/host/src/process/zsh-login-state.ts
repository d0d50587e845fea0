import { added, type LoginDialect, linesOf, quote, type ShellState } from './login-shell-state.ts';

/**
 * Prints the state of the shell that runs it to descriptor 3: sections that each end with NUL. Were that the last command,
 * a trap at the end of the shell would print there too.
 */
const PRINT_STATE = `{ /usr/bin/env -0 && builtin printf '\\0'
builtin set +o; builtin printf '\\0'
builtin functions; builtin printf '\\0'
builtin zmodload -L; builtin alias -L; builtin hash -dL; builtin zstyle -L; builtin printf '\\0'
builtin trap; builtin printf '\\0'
builtin umask; builtin printf '\\0'
builtin ulimit -S -a; builtin ulimit -H -a; builtin printf '\\0'
builtin pwd; builtin printf '\\0'
builtin typeset -p; builtin printf '\\0end\\0'; } >&3
builtin :`;

/** What zsh sets by itself in every process, or what is about this process alone. */
const PER_PROCESS_VARIABLES: ReadonlySet<string> = new Set(
  (
    '0 ARGC COLUMNS EPOCHREALTIME EPOCHSECONDS ERRNO HISTCMD LINENO LINES OLDPWD PPID PWD QUIRE_OWNER RANDOM SECONDS ' +
    'SHLVL TRY_BLOCK_ERROR TRY_BLOCK_INTERRUPT TTY TTYIDLE ZDOTDIR ZSH_ARGZERO ZSH_EXECUTION_STRING ZSH_SUBSHELL _ ' +
    'argv epochtime pipestatus signals status zsh_eval_context'
  ).split(' '),
);

/** Options that act on the statements themselves are set behind them. */
const LAST_OPTIONS = /(?:errexit|errreturn|nounset|unset|xtrace|verbose|exec|warn\w+)$/;

/**
 * What zsh holds after its startup files, handed on in a `.zshenv` that it reads instead of the user's own: in a
 * directory that `ZDOTDIR` names, which its first statement takes away again. Source: zshall(1).
 */
export const ZSH: LoginDialect = {
  printState: PRINT_STATE,
  perProcessEnvironment: ['OLDPWD', 'PWD', 'QUIRE_OWNER', 'SHLVL', 'ZDOTDIR', '_'],
  directoryVariable: 'ZDOTDIR',
  fileName: '.zshenv',
  loginOption: / (?:no)?login$/,
  parseVariables: parseDeclarations,
  statementsBetween,
};

/** One a line: line ends in values are written as `\n`. */
function parseDeclarations(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [, flags = '', tied, name] = /^(?:typeset|export|readonly)((?: -\S+)*) (?:(\w+) )?(\w+)=/.exec(line) ?? [];
    // A scalar that is tied to an array is told twice, and the array holds all of it.
    if (tied !== undefined && !/ -\w*a/.test(flags)) continue;
    if (name !== undefined && !PER_PROCESS_VARIABLES.has(name)) variables.set(name, line);
  }
  return variables;
}

function statementsBetween(from: ShellState, to: ShellState): string {
  const options = added(from.options, to.options);
  const zdotdir = to.environment.get('ZDOTDIR');
  const variables = [...to.variables].filter(([name, line]) => from.variables.get(name) !== line);
  const statements = [
    ...options.filter((line) => !LAST_OPTIONS.test(line)),
    to.functions === from.functions ? '' : declared(to.functions),
    ...added(linesOf(from.aliases), linesOf(to.aliases)),
    ...variables.map(([name, line]) => (from.variables.has(name) ? assignment(name, line) : line)),
    ...[...from.variables.keys()].filter((name) => !to.variables.has(name)).map((name) => `unset ${name}`),
    to.umask === from.umask ? '' : `umask ${to.umask}`,
    to.traps === from.traps ? '' : to.traps,
    ...options.filter((line) => LAST_OPTIONS.test(line)),
  ];
  // Read as a whole before any of it is run, so that no alias is put into a function.
  const block = `{\n${statements.filter((statement) => statement !== '').join('\n')}\n:\n} 2>/dev/null\n`;
  return `${zdotdir === undefined ? 'unset ZDOTDIR' : `export ZDOTDIR=${quote(zdotdir)}`}\n${block}`;
}

/** A function that is not loaded yet is shown as one that loads itself, and has to be declared as what it is. */
function declared(functions: string): string {
  return functions.replace(/^(\S+) \(\) \{\n\t# undefined\n\tbuiltin autoload -X(\w*)\n\}$/gm, (_, name, flags) =>
    ['builtin autoload', ...(flags === '' ? [] : [`-${flags}`]), name].join(' '),
  );
}

/** An array that is tied already can not be declared so again. */
function assignment(name: string, declaration: string): string {
  const isTied = / -\w*T /.test(declaration.slice(0, declaration.indexOf('=')));
  return isTied ? declaration.slice(declaration.indexOf(`${name}=`)) : declaration;
}
