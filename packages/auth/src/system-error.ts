/** The code of an error of the operating system (`ENOENT`, `EACCES`, …), if that is what `error` is. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The system's word for a failure, for a message. */
export function systemWord(error: unknown): string {
  return systemCode(error) ?? 'unknown error';
}
