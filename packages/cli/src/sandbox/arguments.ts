import type { SandboxBackendName } from '@quire/agent';
import {
  asksForHelp,
  EXEC_OPTIONS,
  type ExecOptions,
  type quireOptionsOf,
  readExecOptions,
  UsageError,
} from '../exec/options.ts';
import { type OptionSpec, scanOptions } from '../option-scan.ts';

export interface SandboxArguments {
  readonly options: Pick<
    ExecOptions,
    | keyof Parameters<typeof quireOptionsOf>[0]
    | 'sandboxMode'
    | 'workingDirectory'
    | 'additionalDirectories'
    | 'warnings'
  >;
  readonly backend: SandboxBackendName | undefined;
  /** At least one word. */
  readonly argv: readonly string[];
}

export type ParsedSandboxArguments =
  | { readonly kind: 'run'; readonly arguments: SandboxArguments }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string };

/** Those of `exec` that say what a command may touch. */
const SHARED = [
  'config',
  'profile',
  'enable',
  'disable',
  'sandbox',
  'cd',
  'add-dir',
  'ignore-user-config',
  'full-auto',
  'help',
];
const BACKENDS: readonly SandboxBackendName[] = ['bubblewrap', 'landlock', 'seatbelt'];

const SANDBOX_OPTIONS: readonly OptionSpec[] = [
  ...EXEC_OPTIONS.filter(({ name, aliasOf }) => SHARED.includes(aliasOf ?? name)),
  { name: 'backend', takesValue: true },
];

/** The command begins at the first word that is no option; its own options are its own. */
export function parseSandboxArguments(argv: readonly string[]): ParsedSandboxArguments {
  const scan = scanOptions(argv, { specs: SANDBOX_OPTIONS, command: 'quire sandbox', endsOptions: () => true });
  if (scan.kind === 'usage-error') return asksForHelp(argv) ? { kind: 'help' } : scan;
  if (scan.values.has('help')) return { kind: 'help' };
  const words = scan.positionals.map(({ text }) => text);
  if (words.length === 0) return usageError('a command is missing, as in quire sandbox -- ls');
  if (words[0] === '') return usageError('the name of the command is empty');
  const given = scan.values.get('backend')?.[0];
  const backend = BACKENDS.find((name) => name === given);
  if (given !== undefined && backend === undefined) {
    return usageError(`--backend needs one of ${BACKENDS.join(', ')}, not ${JSON.stringify(given.slice(0, 60))}`);
  }
  try {
    return { kind: 'run', arguments: { options: readExecOptions(scan.values), backend, argv: words } };
  } catch (error) {
    if (error instanceof UsageError) return usageError(error.message);
    throw error;
  }
}

function usageError(message: string): ParsedSandboxArguments {
  return { kind: 'usage-error', message };
}
