import { looksLikePatch } from './parse-patch.ts';

export type PatchCall =
  | {
      readonly kind: 'patch';
      readonly patch: string;
      /** Folder of a leading `cd`, relative to the command's working directory or absolute. */
      readonly cwdOffset?: string;
    }
  /** The patch itself was given as the command; the caller refuses it and names the patch tool. */
  | { readonly kind: 'raw-patch' };

const PROGRAMS = ['apply_patch', 'applypatch'];
const SHELL_SCRIPT_FLAGS: Readonly<Record<string, readonly string[]>> = {
  bash: ['-lc', '-c'],
  zsh: ['-lc', '-c'],
  sh: ['-lc', '-c'],
  powershell: ['-Command', '-command'],
  pwsh: ['-Command', '-command'],
  cmd: ['/c', '/C'],
};
/** One argument in single quotes, in double quotes without expansions, or bare without special characters. */
const CD = /^cd[ \t]+(?!['"]?-)(?:'([^'\n]*)'|"([^"$`\\\n]*)"|([\w./@%+=:,-]+))[ \t]*&&[ \t]*/;
const HEREDOC = /^(?:apply_patch|applypatch)[ \t]*<<[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|([\w.+-]+))[ \t]*\r?\n/;

/**
 * Recognises a command that only applies a patch, in the forms that models use inside shell tools.
 * `undefined`: an ordinary command.
 */
export function detectPatchArgv(argv: readonly string[]): PatchCall | undefined {
  const [program, first, second] = argv;
  if (program === undefined) return undefined;
  if (argv.length === 1) return looksLikePatch(program) ? { kind: 'raw-patch' } : undefined;
  if (argv.length === 2 && first !== undefined && PROGRAMS.includes(program)) return { kind: 'patch', patch: first };
  if (argv.length !== 3 || first === undefined || second === undefined) return undefined;
  return scriptFlags(program).includes(first) ? detectPatchScript(second) : undefined;
}

/** The same for the text of a shell script: exactly one heredoc call, perhaps after `cd DIR &&`. */
export function detectPatchScript(script: string): PatchCall | undefined {
  if (looksLikePatch(script)) return { kind: 'raw-patch' };
  const text = script.trim();
  const cd = CD.exec(text);
  const call = text.slice(cd?.[0].length ?? 0);
  const heredoc = HEREDOC.exec(call);
  if (heredoc === null) return undefined;
  const delimiter = heredoc[1] ?? heredoc[2] ?? heredoc[3] ?? '';
  const patch = heredocBody(call.slice(heredoc[0].length), delimiter);
  if (patch === undefined) return undefined;
  const cwdOffset = cd?.[1] ?? cd?.[2] ?? cd?.[3];
  return cwdOffset === undefined ? { kind: 'patch', patch } : { kind: 'patch', patch, cwdOffset };
}

function scriptFlags(program: string): readonly string[] {
  const name = program.slice(Math.max(program.lastIndexOf('/'), program.lastIndexOf('\\')) + 1).toLowerCase();
  return SHELL_SCRIPT_FLAGS[name.replace(/\.exe$/, '')] ?? [];
}

/** The lines before the delimiter; `undefined` if it is missing or not the last line. */
function heredocBody(text: string, delimiter: string): string | undefined {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => line === delimiter || line === `${delimiter}\r`);
  return end === lines.length - 1 ? lines.slice(0, end).join('\n') : undefined;
}
