const SHELLS = new Set(['bash', 'zsh', 'sh', 'dash', 'ksh', 'mksh', 'ash', 'rbash', 'fish']);
/** Shells whose scripts are split into commands. Source: the peer. */
const SPLIT_SHELLS = new Set(['bash', 'zsh', 'sh']);

/** The file name of the program. */
export function programName(argv: readonly string[]): string {
  const program = argv[0] ?? '';
  return program.slice(program.lastIndexOf('/') + 1);
}

export function isShell(name: string): boolean {
  return SHELLS.has(name);
}

/** The script in `bash -lc SCRIPT` or `bash -c SCRIPT` (also `zsh`, `sh`), and nothing else. */
export function scriptOfShellCall(argv: readonly string[]): string | undefined {
  const [, flag, script] = argv;
  if (argv.length !== 3 || (flag !== '-lc' && flag !== '-c')) return undefined;
  return SPLIT_SHELLS.has(programName(argv)) ? script : undefined;
}

/** The script that is given to a shell with `-c`, among whatever other options. */
export function inlineScript(argv: readonly string[]): string | undefined {
  const flag = argv.findIndex((arg, index) => index > 0 && /^-[A-Za-z]*c[A-Za-z]*$/.test(arg));
  if (flag === -1) return undefined;
  // More options may stand between the flag and the script.
  const script = argv.findIndex((arg, index) => index > flag && !/^[-+]/.test(arg));
  return script === -1 ? undefined : argv[script];
}
