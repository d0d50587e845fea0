import type { QuireOptions, ResumeTarget } from '@quire/agent';
import type { SandboxMode } from '@quire/protocol';
import type { OptionSpec, Positional } from '../option-scan.ts';
import type { ColorChoice } from './style.ts';

/** What the commands that run something in a thread have in common. */
export interface ExecOptions {
  readonly configOverrides: readonly string[];
  /** What `--profile` says. */
  readonly profile: string | undefined;
  /** By name: on or off. Switched off wins. */
  readonly features: Readonly<Record<string, boolean>>;
  readonly oss: boolean | LocalProvider;
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

/** Longest `--deadline`: what a timer of the platform can hold. */
const MAX_DEADLINE_SECONDS = 2_147_483;

const SANDBOX_MODES: readonly SandboxMode[] = ['read-only', 'workspace-write', 'danger-full-access'];
/** Servers that `--oss` knows. */
const LOCAL_PROVIDERS = ['ollama', 'lmstudio'] as const satisfies readonly QuireOptions['oss'][];
export type LocalProvider = (typeof LOCAL_PROVIDERS)[number];
const COLOR_CHOICES: readonly ColorChoice[] = ['always', 'never', 'auto'];

const flag = (name: string, more: Partial<OptionSpec> = {}): OptionSpec => ({ name, takesValue: false, ...more });
const value = (name: string, more: Partial<OptionSpec> = {}): OptionSpec => ({ name, takesValue: true, ...more });

/** All options of `quire exec`; they may stand before or after a sub-command and its arguments. */
export const EXEC_OPTIONS: readonly OptionSpec[] = [
  value('config', { short: 'c', repeatable: true }),
  value('profile', { short: 'p' }),
  value('enable', { repeatable: true }),
  value('disable', { repeatable: true }),
  flag('oss'),
  value('local-provider'),
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
  value('before'),
  flag('uncommitted'),
  value('base'),
  value('commit'),
  value('title'),
  flag('worktree', { unsupported: true }),
  flag('trust', { unsupported: true }),
  flag('ignore-rules', { unsupported: true }),
  flag('strict-config', { unsupported: true }),
  flag('approve-for-me', { unsupported: true }),
  flag('search', { unsupported: true }),
  value('ask-for-approval', { short: 'a', unsupported: true }),
  value('cyber-access-program', { unsupported: true }),
];

/** What is wrong with a command line, in one line. Becomes a `usage-error` where the line was parsed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Values by option name, as scanned. */
export type OptionValues = ReadonlyMap<string, readonly string[]>;

/** Help is given even when other arguments are wrong. */
export function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  return options.includes('--help') || options.includes('-h');
}

/** @throws UsageError */
export function readExecOptions(values: OptionValues): ExecOptions {
  const warnings: string[] = [];
  return {
    configOverrides: readOverrides(values),
    profile: nonEmpty(values, 'profile'),
    features: readFeatures(values),
    oss: readOss(values),
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

/**
 * The thread that a command is about: `--last`, or its first positional.
 * @throws UsageError
 */
export function readThreadTarget(
  command: string,
  given: { readonly values: OptionValues; readonly positionals: readonly Positional[] },
): { readonly target: ResumeTarget; readonly rest: readonly Positional[] } {
  const { values, positionals } = given;
  if (values.has('last')) return { target: { kind: 'last', anyDirectory: values.has('all') }, rest: positionals };
  if (values.has('all')) throw new UsageError('--all goes with --last');
  const [id, ...rest] = positionals;
  if (id === undefined || id.text === '') throw new UsageError(`${command} needs a thread id, or --last`);
  return { target: { kind: 'id', id: id.text }, rest };
}

/** @throws UsageError */
export function readBefore(values: OptionValues): number | undefined {
  const text = values.get('before')?.[0];
  if (text === undefined) return undefined;
  const index = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(index)) return index;
  throw new UsageError(`--before needs the number of a user message, 0 for the first, not ${JSON.stringify(text)}`);
}

function readOverrides(values: OptionValues): readonly string[] {
  const overrides = values.get('config') ?? [];
  for (const override of overrides) {
    if (override.indexOf('=') < 1) throw new UsageError(`-c needs key=value, not ${JSON.stringify(override)}`);
  }
  return overrides;
}

function readFeatures(values: OptionValues): Readonly<Record<string, boolean>> {
  const on = (values.get('enable') ?? []).map((name) => [name, true] as const);
  const off = (values.get('disable') ?? []).map((name) => [name, false] as const);
  return Object.fromEntries([...on, ...off]);
}

function readOss(values: OptionValues): boolean | LocalProvider {
  const server = oneOf(values, 'local-provider', LOCAL_PROVIDERS);
  if (server !== undefined && !values.has('oss')) throw new UsageError('--local-provider goes with --oss');
  return server ?? values.has('oss');
}

/** What a command line says of the configuration, for the agent. */
export function quireOptionsOf(
  given: Pick<ExecOptions, 'configOverrides' | 'profile' | 'features' | 'oss' | 'ignoreUserConfig'>,
): QuireOptions {
  const { configOverrides, profile, features, oss, ignoreUserConfig } = given;
  return {
    configOverrides,
    ignoreUserConfig,
    ...(profile === undefined ? {} : { profile }),
    ...(Object.keys(features).length === 0 ? {} : { features }),
    ...(oss === false ? {} : { oss }),
  };
}

function readSandboxMode(values: OptionValues, warnings: string[]): SandboxMode | undefined {
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

function readDeadline(values: OptionValues): number | undefined {
  const text = values.get('deadline')?.[0];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds > 0 && seconds <= MAX_DEADLINE_SECONDS)) {
    throw new UsageError(`--deadline needs a number of seconds above 0, not ${JSON.stringify(text)}`);
  }
  return seconds;
}

export function nonEmpty(values: OptionValues, name: string): string | undefined {
  const text = values.get(name)?.[0];
  if (text === '') throw new UsageError(`--${name} needs a value that is not empty`);
  return text;
}

function oneOf<Choice extends string>(
  values: OptionValues,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = values.get(name)?.[0];
  if (text === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw new UsageError(`--${name} must be one of ${choices.join(', ')}, not ${JSON.stringify(text)}`);
  }
  return choice;
}
