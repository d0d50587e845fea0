/** Words of the system and of sandboxes for "this is not allowed". Source: the peer. */
const DENIAL =
  /operation not permitted|permission denied|read-only file system|seccomp|sandbox|landlock|failed to write file/i;
/** A wrong call, a program that can not be run, and one that is not there. */
const OTHER_FAULTS: readonly number[] = [2, 126, 127];
/** 128 + SIGSYS on Linux: a system call that the filter ends a process for. */
const BAD_SYSTEM_CALL = 159;

/** Whether a command that ran in a sandbox failed, as far as can be told, because of it. Source: the peer. */
export function wasDeniedBySandbox(result: { readonly exitCode: number; readonly output: string }): boolean {
  const { exitCode, output } = result;
  if (exitCode === 0) return false;
  if (DENIAL.test(output)) return true;
  return !OTHER_FAULTS.includes(exitCode) && exitCode === BAD_SYSTEM_CALL;
}
