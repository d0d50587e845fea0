import { setTimeout } from 'node:timers/promises';
import type { Command, CommandOutcome, CommandRunner, PatchFiles, SessionReading, SessionWriting } from '@quire/core';

/**
 * Runs no process. A script is a verb and words: `echo` prints the words, `slow` does so a moment later, `fail` with
 * exit code 1, `hang` waits to be stopped. Backslashes are not printed.
 */
export class MarkingRunner implements CommandRunner {
  readonly shell = { name: 'bash', path: '/bin/bash' };
  readonly #onHang: () => void;

  constructor(options: { readonly onHang: () => void }) {
    this.#onHang = options.onHang;
  }

  argv(command: Command): readonly string[] {
    if ('argv' in command) return command.argv;
    return [this.shell.path, command.login ? '-lc' : '-c', command.script];
  }

  async run(command: Command, { signal }: { readonly signal: AbortSignal }): Promise<CommandOutcome> {
    signal.throwIfAborted();
    const [verb = '', ...words] = 'argv' in command ? command.argv : command.script.split(' ');
    if (verb === 'slow') await setTimeout(2, undefined, { signal });
    if (verb === 'hang') {
      const stopped = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      this.#onHang();
      await stopped;
    }
    return {
      end: { kind: 'exited', exitCode: verb === 'fail' ? 1 : 0 },
      output: `${words.join(' ').replaceAll('\\', '')}\n`,
      omittedBytes: 0,
      totalLines: 1,
      durationMs: 1,
    };
  }

  async openSession(): Promise<SessionReading> {
    throw new Error('no sessions here');
  }

  async writeSession(): Promise<SessionWriting> {
    return { kind: 'unknown-session' };
  }

  warmUp(): void {
    // There is nothing to get ready.
  }

  async close(): Promise<void> {
    // Nothing outlives its call.
  }
}

/** Files that are always there to be added, and nowhere else. */
export const forgetfulFiles: PatchFiles = {
  read: async () => ({ kind: 'missing' }),
  resolveTarget: async (path) => path,
  apply: async () => undefined,
};
