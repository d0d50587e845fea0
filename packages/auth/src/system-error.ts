/** The code of an error of the operating system (`ENOENT`, `EACCES`, …), if that is what `error` is. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ELOOP: 'it is a link that leads back to itself',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a directory',
  EPERM: 'operation not permitted',
  ERR_FS_EISDIR: 'it is a directory',
  EROFS: 'the file system is read-only',
};

/** A few words on a failure of the system, for a message. */
export function systemWord(error: unknown): string {
  const code = systemCode(error);
  return code === undefined ? 'unknown error' : (WORDS[code] ?? code);
}
