import type { Submission } from '@quire/agent';
import { assertNever } from '@quire/protocol';
import type { ExecArguments, ExecSubmission } from './arguments.ts';
import type { AgentModule, CommandDependencies } from './command-dependencies.ts';
import type { ShownPrompt } from './exec-output.ts';
import { composePrompt, readPrompt, requireText } from './prompt.ts';

/** What the thread is asked to do, and what of it is shown. Without a submission it is asked nothing. */
export interface ReadSubmission {
  readonly submission: Submission | undefined;
  /** Only prompts are shown before the task: of the others their events tell. */
  readonly shown: ShownPrompt | undefined;
}

interface Context {
  readonly loading: Promise<AgentModule>;
  readonly dependencies: CommandDependencies;
}

/** Reads from stdin and disk what the arguments only name. Rejects with `SetupError` or the abort reason. */
export async function readSubmission(given: ExecArguments, context: Context): Promise<ReadSubmission> {
  const { submission } = given;
  switch (submission.kind) {
    case 'prompt':
      return readTurn(submission, given.images, context);
    case 'review':
      return { submission: { task: 'review', target: await readTarget(submission.target, context) }, shown: undefined };
    case 'task':
      return { submission: submission.task, shown: undefined };
    case 'none':
      return { submission: undefined, shown: undefined };
    default:
      return assertNever(submission, 'readSubmission');
  }
}

async function readTurn(
  submission: Extract<ExecSubmission, { readonly kind: 'prompt' }>,
  imagePaths: readonly string[],
  { loading, dependencies }: Context,
): Promise<ReadSubmission> {
  const prompt = await readStdin(submission.text, dependencies);
  const agent = await loading;
  const images = await Promise.all(imagePaths.map((path) => agent.loadImageInput(path)));
  return {
    submission: [...images, { kind: 'text', text: composePrompt(prompt) }],
    shown: { text: prompt.text, attachedCharacters: prompt.attached.length, imageCount: images.length },
  };
}

type ReviewSubmission = Extract<ExecSubmission, { readonly kind: 'review' }>;

/** Beside a target or instructions stdin is not read. */
async function readTarget(
  target: ReviewSubmission['target'],
  { dependencies }: Context,
): Promise<Exclude<ReviewSubmission['target'], 'stdin'>> {
  if (target === 'stdin') {
    const { text } = await readStdin(/* argument */ undefined, dependencies);
    return { kind: 'custom', instructions: text };
  }
  if (target.kind === 'custom') requireText(target.instructions);
  return target;
}

function readStdin(argument: string | undefined, dependencies: CommandDependencies): ReturnType<typeof readPrompt> {
  return readPrompt({
    argument,
    stdin: dependencies.stdin,
    limits: dependencies.stdinLimits,
    notify: (line) => dependencies.stderr.write(`${line}\n`),
    signal: dependencies.stop.signal,
  });
}
