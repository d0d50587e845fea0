export { flushFolder } from './flush-folder.ts';
export { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts';
export { describeSystemError, systemErrorCode } from './system-error.ts';
