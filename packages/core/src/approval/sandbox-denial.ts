/** Words of the system and of sandboxes for "this is not allowed". Source: the peer. */
const DENIAL =
  /operation not permitted|permission denied|read-only file system|seccomp|sandbox|landlock|failed to write file/i;
/** 128 + SIGSYS on Linux: a system call that the filter ends a process for. */
const BAD_SYSTEM_CALL = 159;

/** Whether a command that ran in a sandbox failed, as far as can be told, because of it. Source: the peer. */
export function wasDeniedBySandbox(result: { readonly exitCode: number; readonly output: string }): boolean {
  const { exitCode, output } = result;
  return exitCode !== 0 && (DENIAL.test(output) || exitCode === BAD_SYSTEM_CALL);
}
