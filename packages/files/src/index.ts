export { FileError } from './file-error.ts';
export { type FileLock, type LockOptions, takeFileLock } from './file-lock.ts';
export { flushFolder } from './flush-folder.ts';
export { makeFolder } from './make-folder.ts';
export { isRunning, ownIdentity, type ProcessIdentity, parseIdentity } from './process-identity.ts';
export { leftDrafts, probeFile, realFile, replaceFile } from './replace-file.ts';
export { describeSystemError, systemErrorCode } from './system-error.ts';
