/**
 * The system's words for a failed call, `EISDIR: illegal operation on a directory`, without the call and
 * the paths that the runtime appends: messages name the path that the user knows, not a temporary one.
 */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return hasSystemCode(error) ? (error.message.split(', ')[0] ?? error.message) : error.message;
}

export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && hasSystemCode(error) ? error.code : undefined;
}

function hasSystemCode(error: Error): error is Error & { readonly code: string } {
  return 'code' in error && typeof error.code === 'string';
}
