import { tmpdir } from 'node:os';
import type { CommandOutcome, CommandRunner, ShellCommand } from '@quire/core';
import { type CommandRunnerOptions, createCommandRunner } from '@quire/host';

export const BASH = { name: 'bash', path: '/bin/bash' };

export interface TestRunner extends AsyncDisposable {
  readonly runner: CommandRunner;
  run(
    script: string,
    options?: Partial<ShellCommand> & { signal?: AbortSignal; onOutput?: (chunk: string) => void },
  ): Promise<CommandOutcome>;
}

/** A runner that is closed when the test leaves its block. */
export function startRunner(options: Partial<CommandRunnerOptions> = {}): TestRunner {
  const runner = createCommandRunner({ threadId: 'thread-1', shell: BASH, ...options });
  return {
    runner,
    run: (script, { signal, onOutput, ...command } = {}) =>
      runner.run(
        { script, login: false, cwd: tmpdir(), confinement: { kind: 'none' }, timeoutMs: 20_000, ...command },
        { signal: signal ?? new AbortController().signal, ...(onOutput === undefined ? {} : { onOutput }) },
      ),
    [Symbol.asyncDispose]: () => runner.close(),
  };
}
