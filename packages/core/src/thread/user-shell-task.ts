import { userShellMessage } from '../context/fragments.ts';
import { truncateMiddle } from '../history/truncate-output.ts';
import type { CommandOutcome, ShellCommand } from '../ports/command-runner.ts';
import { quoteArgv } from '../shell/index.ts';
import { effectiveTruncation } from '../tools/effective-truncation.ts';
import type { Task } from './task.ts';

/** Source: the peer's limit for commands of a person. */
const LIMIT_MS = 3_600_000;

interface ShellEnd {
  readonly exitCode: number;
  readonly output: string;
  readonly durationMs: number;
}

/** Runs the script of a person in their login shell and leaves what came out of it for the model. */
export async function runUserShell(task: Task, script: string): Promise<undefined> {
  const { settings, ports, events, turnId, signal, record } = task;
  signal.throwIfAborted();
  const command: ShellCommand = {
    script,
    login: true,
    cwd: settings.cwd,
    timeoutMs: LIMIT_MS,
    confinement: { kind: 'none' },
  };
  const item = {
    kind: 'command-execution',
    id: ports.entropy.uuid(),
    command: quoteArgv(ports.runner.argv(command)),
    cwd: settings.cwd,
    output: '',
    exitCode: undefined,
    durationMs: undefined,
    status: 'in-progress',
    source: 'user',
  } as const;
  events.start(item);
  const end = await runToEnd(task, command, (chunk) =>
    events.emit({ kind: 'command-output-delta', turnId, itemId: item.id, delta: chunk }),
  );
  const truncation = effectiveTruncation(settings);
  record.add(
    [userShellMessage({ command: script, ...end, output: truncateMiddle(end.output, truncation) })],
    truncation,
  );
  events.end({ ...item, ...end, status: end.exitCode === 0 ? 'completed' : 'failed' });
  signal.throwIfAborted();
  return undefined;
}

async function runToEnd(task: Task, command: ShellCommand, onOutput: (chunk: string) => void): Promise<ShellEnd> {
  const { ports, signal } = task;
  const startedAtMs = ports.clock.now();
  try {
    return shellEnd(await ports.runner.run(command, { signal, onOutput }));
  } catch (error) {
    if (!signal.aborted) throw error;
    return { exitCode: -1, output: 'command aborted by user\n', durationMs: ports.clock.now() - startedAtMs };
  }
}

function shellEnd({ end, output, durationMs }: CommandOutcome): ShellEnd {
  switch (end.kind) {
    case 'exited':
      return { exitCode: end.exitCode, output, durationMs };
    case 'timed-out':
      return { exitCode: 124, output: `command timed out after ${LIMIT_MS} milliseconds\n${output}`, durationMs };
    case 'signalled':
      return { exitCode: -1, output: `command was ended by signal ${end.signal}\n${output}`, durationMs };
    case 'not-started':
      return { exitCode: -1, output: `execution error: ${end.reason}`, durationMs };
  }
}
