import { fork } from 'node:child_process';

/** For a child that says nothing: longer than all it does takes. Milliseconds. */
const SILENCE_LIMIT_MS = 10_500;
/** For a child that is done to end by itself. Milliseconds. */
const ENDING_LIMIT_MS = 300;

/** What the child tells its parent at the end. */
export interface DoctorDone {
  readonly exitCode: number;
}

/**
 * Runs this command with the same arguments in a process of its own, which writes to the same terminal. A process whose
 * resolver or disk hangs can not even end itself; this one can end it. Its exit code; `undefined`: it was given up.
 */
export async function runInChild(script: string, argv: readonly string[]): Promise<number | undefined> {
  const child = fork(script, ['doctor', ...argv]);
  let exitCode: number | undefined;
  let timer = setTimeout(() => child.kill('SIGKILL'), SILENCE_LIMIT_MS);
  child.on('message', (message: DoctorDone) => {
    ({ exitCode } = message);
    clearTimeout(timer);
    timer = setTimeout(() => child.kill('SIGKILL'), ENDING_LIMIT_MS);
  });
  return await new Promise((resolve) => {
    const settle = (code: number | undefined): void => {
      clearTimeout(timer);
      resolve(code);
    };
    child.once('error', () => settle(/* code */ undefined));
    child.once('exit', (code) => settle(exitCode ?? code ?? undefined));
  });
}

/** Told by the child, before it ends. */
export function tellParent(done: DoctorDone): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(done, () => resolve());
  });
}
