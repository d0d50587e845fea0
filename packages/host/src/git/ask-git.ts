import { execFile } from 'node:child_process';

const TIMEOUT_MS = 5_000;

/**
 * What `git ARGS` prints, trimmed; `undefined` when it fails, prints nothing or takes longer than five
 * seconds. Nothing configured in the repository is run. Rejects only with the reason of `signal`.
 */
export function askGit(
  args: readonly string[],
  options: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { cwd, signal } = options;
  return new Promise((resolve, reject) => {
    const environment = { ...process.env, GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' };
    const all = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', ...args];
    const settings = { cwd, signal, env: environment, timeout: TIMEOUT_MS, killSignal: 'SIGKILL' as const };
    execFile('git', all, settings, (error, stdout) => {
      if (signal.aborted) reject(signal.reason);
      else resolve(error === null && stdout.trim() !== '' ? stdout.trim() : undefined);
    });
  });
}
