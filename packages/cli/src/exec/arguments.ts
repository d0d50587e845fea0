import type { ResumeTarget, ReviewTarget, Submission } from '@quire/agent';
import { type Positional, scanOptions, unexpectedArgument } from '../option-scan.ts';
import { nearestName } from '../suggestion.ts';
import {
  asksForHelp,
  EXEC_OPTIONS,
  type ExecOptions,
  nonEmpty,
  type OptionValues,
  readBefore,
  readExecOptions,
  readThreadTarget,
  UsageError,
} from './options.ts';

export type ThreadChoice =
  | { readonly kind: 'new' }
  | { readonly kind: 'resume'; readonly target: ResumeTarget }
  | { readonly kind: 'fork'; readonly target: ResumeTarget; readonly beforeUserMessage: number | undefined };

export type ExecSubmission =
  /** Without a text the prompt comes from stdin. */
  | { readonly kind: 'prompt'; readonly text: string | undefined }
  /** `stdin`: what to review is said there. */
  | { readonly kind: 'review'; readonly target: ReviewTarget | 'stdin' }
  | { readonly kind: 'task'; readonly task: Extract<Submission, { readonly task: 'compact' | 'undo' | 'shell' }> }
  /** The thread is made, and nothing asked of it. */
  | { readonly kind: 'none' };

export interface ExecArguments extends ExecOptions {
  readonly thread: ThreadChoice;
  readonly submission: ExecSubmission;
}

export type ParsedExecArguments =
  | { readonly kind: 'run'; readonly arguments: ExecArguments }
  | { readonly kind: 'help' }
  | { readonly kind: 'usage-error'; readonly message: string };

type Request = Pick<ExecArguments, 'thread' | 'submission'>;
type RequestReader = (values: OptionValues, positionals: readonly Positional[]) => Request;

const SUB_COMMANDS: Readonly<Record<string, RequestReader>> = {
  resume: readResume,
  fork: readFork,
  review: readReview,
};

/** Options that belong to some sub-commands, in the order in which a wrong use of them is reported. */
const OWNERS: readonly (readonly [option: string, owners: readonly string[]])[] = [
  ['last', ['resume', 'fork']],
  ['all', ['resume', 'fork']],
  ['before', ['fork']],
  ['uncommitted', ['review']],
  ['base', ['review']],
  ['commit', ['review']],
  ['title', ['review']],
];

export function parseExecArguments(argv: readonly string[]): ParsedExecArguments {
  if (asksForHelp(argv)) return { kind: 'help' };
  const scan = scanOptions(argv, { specs: EXEC_OPTIONS, command: 'quire exec' });
  if (scan.kind === 'usage-error') return scan;
  const first = scan.positionals[0];
  if (first?.text === 'help' && !first.literal && scan.positionals.length === 1) return { kind: 'help' };
  try {
    const { values } = scan;
    return { kind: 'run', arguments: { ...readRequest(values, scan.positionals), ...readExecOptions(values) } };
  } catch (error) {
    if (error instanceof UsageError) return { kind: 'usage-error', message: error.message };
    throw error;
  }
}

function readRequest(values: OptionValues, positionals: readonly Positional[]): Request {
  const [first, ...rest] = positionals;
  const name =
    first !== undefined && !first.literal && Object.hasOwn(SUB_COMMANDS, first.text) ? first.text : undefined;
  for (const [option, owners] of OWNERS) {
    if (!values.has(option) || (name !== undefined && owners.includes(name))) continue;
    const plural = owners.length === 1 ? '' : 's';
    throw new UsageError(`--${option} goes with the sub-command${plural} ${owners.join(' and ')}`);
  }
  const read = name === undefined ? undefined : SUB_COMMANDS[name];
  if (read !== undefined) return read(values, rest);
  return { thread: { kind: 'new' }, submission: { kind: 'prompt', text: readPromptArgument(positionals) } };
}

function readResume(values: OptionValues, positionals: readonly Positional[]): Request {
  const { target, rest } = readThreadTarget('resume', { values, positionals });
  return { thread: { kind: 'resume', target }, submission: { kind: 'prompt', text: readPromptArgument(rest) } };
}

/** Without a prompt nothing is asked of the fork, as with the peer; `-` reads one from stdin. */
function readFork(values: OptionValues, positionals: readonly Positional[]): Request {
  const { target, rest } = readThreadTarget('fork', { values, positionals });
  const thread: ThreadChoice = { kind: 'fork', target, beforeUserMessage: readBefore(values) };
  const text = readPromptArgument(rest);
  if (rest.length > 0) return { thread, submission: { kind: 'prompt', text } };
  refuseOptions(
    values,
    ['image', 'output-schema', 'output-last-message'],
    'goes with a prompt; give one, or - for stdin',
  );
  return { thread, submission: { kind: 'none' } };
}

function readReview(values: OptionValues, positionals: readonly Positional[]): Request {
  refuseOptions(values, ['image', 'output-schema'], 'does not go with review');
  const named = ['uncommitted', 'base', 'commit'].filter((name) => values.has(name));
  const [one, other] = positionals.length > 0 ? [...named, 'a prompt'] : named;
  if (one === undefined) {
    throw new UsageError(
      'review needs --uncommitted, --base BRANCH, --commit SHA, or a prompt that says what to review',
    );
  }
  if (other !== undefined) {
    throw new UsageError(`--${one} can not be combined with ${other === 'a prompt' ? other : `--${other}`}`);
  }
  if (values.has('title') && !values.has('commit')) throw new UsageError('--title goes with --commit');
  return { thread: { kind: 'new' }, submission: { kind: 'review', target: readReviewTarget(values, positionals) } };
}

function readReviewTarget(values: OptionValues, positionals: readonly Positional[]): ReviewTarget | 'stdin' {
  if (values.has('uncommitted')) return { kind: 'uncommitted' };
  const branch = nonEmpty(values, 'base');
  if (branch !== undefined) return { kind: 'base', branch };
  const sha = nonEmpty(values, 'commit');
  const title = nonEmpty(values, 'title');
  if (sha !== undefined) return { kind: 'commit', sha, ...(title !== undefined && { title }) };
  const instructions = readPromptArgument(positionals);
  return instructions === undefined ? 'stdin' : { kind: 'custom', instructions };
}

function refuseOptions(values: OptionValues, names: readonly string[], reason: string): void {
  const given = names.find((name) => values.has(name));
  if (given !== undefined) throw new UsageError(`--${given} ${reason}`);
}

function readPromptArgument(positionals: readonly Positional[]): string | undefined {
  const [prompt, surplus] = positionals;
  if (surplus !== undefined) {
    const nearest = prompt?.literal === false ? nearestName(prompt.text, Object.keys(SUB_COMMANDS)) : undefined;
    const hint = nearest === undefined ? 'put the prompt in quotes' : `did you mean quire exec ${nearest}?`;
    throw new UsageError(`${unexpectedArgument(surplus.text)}; ${hint}`);
  }
  return prompt === undefined || (prompt.text === '-' && !prompt.literal) ? undefined : prompt.text;
}
