import { systemErrorCode } from '@quire/files';

/**
 * The system's words for a failed call, `EISDIR: illegal operation on a directory`, without the call and
 * the paths that the runtime appends: messages name the path that the user knows, not a temporary one.
 */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return systemErrorCode(error) !== undefined ? (error.message.split(', ')[0] ?? error.message) : error.message;
}

/** Why a program could not be started in a directory that is there. */
export function startReason(error: unknown): string {
  return systemErrorCode(error) === 'ENOENT' ? 'there is no such program' : systemReason(error);
}
