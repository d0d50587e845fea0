import { randomBytes } from 'node:crypto';

/** Unguessable, so that no command can pass what it prints off as a word of the launcher. Hex digits in upper case. */
export const LAUNCHER_SECRET = randomBytes(8).toString('hex').toUpperCase();

/** Exit code of a launcher that started nothing. */
const FAULT_EXIT_CODE = 125;

/** Why the launcher could not set up the sandbox; `undefined`: it did, and the rest is the command's own. */
export function readSetupFault(result: { readonly exitCode: number; readonly output: string }): string | undefined {
  const start = `sandbox ${LAUNCHER_SECRET}: `;
  if (result.exitCode !== FAULT_EXIT_CODE) return undefined;
  const at = result.output.lastIndexOf(start);
  return at < 0 ? undefined : result.output.slice(at + start.length).split('\n', 1)[0];
}
