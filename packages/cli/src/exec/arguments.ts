import type { ResumeTarget } from '@quire/agent';
import type { SandboxMode } from '@quire/protocol';
import { type OptionSpec, type Positional, scanOptions } from '../option-scan.ts';
import type { ColorChoice } from './style.ts';

export interface ExecArguments {
  readonly resume: ResumeTarget | undefined;
  /** `undefined`: the prompt comes from stdin. */
  readonly prompt: string | undefined;
  readonly configOverrides: readonly string[];
  readonly images: readonly string[];
  readonly model: string | undefined;
  readonly sandboxMode: SandboxMode | undefined;
  readonly workingDirectory: string | undefined;
  readonly additionalDirectories: readonly string[];
  readonly threadSource: string | undefined;
  readonly skipGitRepoCheck: boolean;
  readonly ephemeral: boolean;
  readonly ignoreUserConfig: boolean;
  readonly outputSchemaPath: string | undefined;
  readonly color: ColorChoice;
  readonly json: boolean;
  /** Events are followed by what the requests of the turn cost. */
  readonly receipt: boolean;
  readonly lastMessagePath: string | undefined;
  readonly deadlineSeconds: number | undefined;
  /** For stderr, before anything else happens. */
  readonly warnings: readonly string[];
}

export type ParsedExecArguments =
  | { readonly kind: 'run'; readonly arguments: ExecArguments }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string };

/** Longest `--deadline`: what a timer of the platform can hold. */
const MAX_DEADLINE_SECONDS = 2_147_483;

const SANDBOX_MODES: readonly SandboxMode[] = ['read-only', 'workspace-write', 'danger-full-access'];
const COLOR_CHOICES: readonly ColorChoice[] = ['always', 'never', 'auto'];

const flag = (name: string, more: Partial<OptionSpec> = {}): OptionSpec => ({ name, takesValue: false, ...more });
const value = (name: string, more: Partial<OptionSpec> = {}): OptionSpec => ({ name, takesValue: true, ...more });

/** All options of `quire exec`; they may stand before or after a sub-command and the prompt. */
export const EXEC_OPTIONS: readonly OptionSpec[] = [
  value('config', { short: 'c', repeatable: true }),
  value('image', { short: 'i', repeatable: true }),
  value('model', { short: 'm' }),
  value('sandbox', { short: 's' }),
  flag('dangerously-bypass-approvals-and-sandbox'),
  flag('yolo', { aliasOf: 'dangerously-bypass-approvals-and-sandbox' }),
  flag('full-auto'),
  value('cd', { short: 'C' }),
  value('add-dir', { repeatable: true }),
  value('thread-source'),
  flag('skip-git-repo-check'),
  flag('ephemeral'),
  flag('ignore-user-config'),
  value('output-schema'),
  value('color'),
  flag('json'),
  flag('experimental-json', { aliasOf: 'json' }),
  flag('receipt'),
  value('output-last-message', { short: 'o' }),
  value('deadline'),
  flag('help', { short: 'h' }),
  flag('last'),
  flag('all'),
  flag('oss', { unsupported: true }),
  flag('worktree', { unsupported: true }),
  flag('trust', { unsupported: true }),
  flag('ignore-rules', { unsupported: true }),
  flag('strict-config', { unsupported: true }),
  flag('approve-for-me', { unsupported: true }),
  flag('search', { unsupported: true }),
  flag('uncommitted', { unsupported: true }),
  value('enable', { unsupported: true }),
  value('disable', { unsupported: true }),
  value('profile', { short: 'p', unsupported: true }),
  value('local-provider', { unsupported: true }),
  value('ask-for-approval', { short: 'a', unsupported: true }),
  value('cyber-access-program', { unsupported: true }),
  value('base', { unsupported: true }),
  value('commit', { unsupported: true }),
];

/** Thrown inside this file only; becomes a `usage-error`. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Values = ReadonlyMap<string, readonly string[]>;

export function parseExecArguments(argv: readonly string[]): ParsedExecArguments {
  if (asksForHelp(argv)) return { kind: 'help' };
  const scan = scanOptions(argv, { specs: EXEC_OPTIONS, command: 'quire exec' });
  if (scan.kind === 'usage-error') return scan;
  const first = scan.positionals[0];
  if (first?.text === 'help' && !first.literal && scan.positionals.length === 1) return { kind: 'help' };
  try {
    return { kind: 'run', arguments: interpret(scan.values, scan.positionals) };
  } catch (error) {
    if (error instanceof UsageError) return { kind: 'usage-error', message: error.message };
    throw error;
  }
}

/** Help is given even when other arguments are wrong. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  return options.includes('--help') || options.includes('-h');
}

function interpret(values: Values, positionals: readonly Positional[]): ExecArguments {
  const warnings: string[] = [];
  return {
    ...readTarget(values, positionals),
    configOverrides: readOverrides(values),
    images: (values.get('image') ?? []).flatMap((list) => list.split(',').filter((path) => path !== '')),
    model: nonEmpty(values, 'model'),
    sandboxMode: readSandboxMode(values, warnings),
    workingDirectory: nonEmpty(values, 'cd'),
    additionalDirectories: values.get('add-dir') ?? [],
    threadSource: nonEmpty(values, 'thread-source'),
    skipGitRepoCheck: values.has('skip-git-repo-check'),
    ephemeral: values.has('ephemeral'),
    ignoreUserConfig: values.has('ignore-user-config'),
    outputSchemaPath: nonEmpty(values, 'output-schema'),
    color: oneOf(values, 'color', COLOR_CHOICES) ?? 'auto',
    json: values.has('json'),
    receipt: values.has('receipt'),
    lastMessagePath: nonEmpty(values, 'output-last-message'),
    deadlineSeconds: readDeadline(values),
    warnings,
  };
}

function readTarget(values: Values, positionals: readonly Positional[]): Pick<ExecArguments, 'resume' | 'prompt'> {
  const [first, ...rest] = positionals;
  if (first !== undefined && !first.literal) {
    if (first.text === 'fork' || first.text === 'review') {
      throw new UsageError(`the sub-command ${first.text} is not supported yet by quire exec`);
    }
    if (first.text === 'resume') return readResume(values, rest);
  }
  for (const name of ['last', 'all']) {
    if (values.has(name)) throw new UsageError(`--${name} goes with the sub-command resume`);
  }
  return { resume: undefined, prompt: readPromptArgument(positionals) };
}

function readResume(values: Values, positionals: readonly Positional[]): Pick<ExecArguments, 'resume' | 'prompt'> {
  if (values.has('last')) {
    return {
      resume: { kind: 'last', anyDirectory: values.has('all') },
      prompt: readPromptArgument(positionals),
    };
  }
  if (values.has('all')) throw new UsageError('--all goes with --last');
  const [id, ...rest] = positionals;
  if (id === undefined || id.text === '') throw new UsageError('resume needs a thread id, or --last');
  return { resume: { kind: 'id', id: id.text }, prompt: readPromptArgument(rest) };
}

function readPromptArgument(positionals: readonly Positional[]): string | undefined {
  const [prompt, surplus] = positionals;
  if (surplus !== undefined) {
    throw new UsageError(`unexpected argument ${JSON.stringify(surplus.text)}; put the prompt in quotes`);
  }
  return prompt === undefined || (prompt.text === '-' && !prompt.literal) ? undefined : prompt.text;
}

function readOverrides(values: Values): readonly string[] {
  const overrides = values.get('config') ?? [];
  for (const override of overrides) {
    if (override.indexOf('=') < 1) throw new UsageError(`-c needs key=value, not ${JSON.stringify(override)}`);
  }
  return overrides;
}

function readSandboxMode(values: Values, warnings: string[]): SandboxMode | undefined {
  const chosen = oneOf(values, 'sandbox', SANDBOX_MODES);
  const bypass = values.has('dangerously-bypass-approvals-and-sandbox');
  if (bypass && (chosen !== undefined || values.has('full-auto'))) {
    const other = chosen === undefined ? '--full-auto' : '-s';
    throw new UsageError(`--dangerously-bypass-approvals-and-sandbox can not be combined with ${other}`);
  }
  if (bypass) return 'danger-full-access';
  if (!values.has('full-auto')) return chosen;
  warnings.push('--full-auto is deprecated; use -s workspace-write');
  return chosen ?? 'workspace-write';
}

function readDeadline(values: Values): number | undefined {
  const text = values.get('deadline')?.[0];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds > 0 && seconds <= MAX_DEADLINE_SECONDS)) {
    throw new UsageError(`--deadline needs a number of seconds above 0, not ${JSON.stringify(text)}`);
  }
  return seconds;
}

function nonEmpty(values: Values, name: string): string | undefined {
  const text = values.get(name)?.[0];
  if (text === '') throw new UsageError(`--${name} needs a value that is not empty`);
  return text;
}

function oneOf<Choice extends string>(values: Values, name: string, choices: readonly Choice[]): Choice | undefined {
  const text = values.get(name)?.[0];
  if (text === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw new UsageError(`--${name} must be one of ${choices.join(', ')}, not ${JSON.stringify(text)}`);
  }
  return choice;
}
