import { type OptionSpec, scanOptions } from '../option-scan.ts';

export interface ExecPolicyArguments {
  /** None: those of the home folder. */
  readonly files: readonly string[];
  /** A program and its arguments. */
  readonly words: readonly string[];
  readonly pretty: boolean;
  readonly resolvesPaths: boolean;
}

export type ParsedExecPolicyArguments =
  | { readonly kind: 'run'; readonly arguments: ExecPolicyArguments }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string };

const OPTIONS: readonly OptionSpec[] = [
  { name: 'rules', short: 'r', takesValue: true, repeatable: true },
  { name: 'pretty', takesValue: false },
  { name: 'resolve-host-executables', takesValue: false },
  { name: 'help', short: 'h', takesValue: false },
];

export function parseExecPolicyArguments(argv: readonly string[]): ParsedExecPolicyArguments {
  const [first, ...rest] = argv;
  if (first === '--help' || first === '-h') return { kind: 'help' };
  if (first !== 'check') {
    return usageError(first === undefined ? 'a command is missing: check' : `unknown command ${JSON.stringify(first)}`);
  }
  // Options behind the first word are the command's own.
  const scan = scanOptions(rest, { specs: OPTIONS, command: 'quire execpolicy check', endsOptions: () => true });
  if (scan.kind === 'usage-error') return scan;
  if (scan.values.has('help')) return { kind: 'help' };
  const words = scan.positionals.map(({ text }) => text);
  if (words.length === 0) return usageError('the command to check is missing');
  return {
    kind: 'run',
    arguments: {
      files: scan.values.get('rules') ?? [],
      words,
      pretty: scan.values.has('pretty'),
      resolvesPaths: scan.values.has('resolve-host-executables'),
    },
  };
}

function usageError(message: string): ParsedExecPolicyArguments {
  return { kind: 'usage-error', message };
}
