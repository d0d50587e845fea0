import { spawn } from 'node:child_process';
import { withoutTerminals } from './terminal.ts';

/** A program of the user that nobody waits for. */
export interface ProgramApart {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts it in a session of its own, without input and output. It lives on when this process ends.
 *
 * @returns whether it was started. Never throws.
 */
export function startApart({ argv: [path = '', ...args], cwd, environment }: ProgramApart): boolean {
  try {
    const child = withoutTerminals(['ignore', 'ignore', 'ignore'] as const, (stdio) =>
      spawn(path, args, { cwd, env: environment, stdio, detached: true }),
    );
    child.on('error', () => undefined); // there is no process id then
    child.unref();
    return child.pid !== undefined;
  } catch {
    return false; // an argument that is too long, or no more processes
  }
}
