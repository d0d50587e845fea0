import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupError, systemReason } from './setup-error.ts';

/** Finds out before the turn what would make `writeLastMessage` fail after it. Throws `SetupError`. */
export function checkLastMessageFile(path: string): void {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    accessSync(stat === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    throw notWritable(path, error);
  }
}

/** Writes the text without a line end of its own. Throws `SetupError`. */
export function writeLastMessage(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw notWritable(path, error);
  }
}

function notWritable(path: string, error: unknown): SetupError {
  return new SetupError('last-message-file', `the last message can not be written to ${path}: ${systemReason(error)}`, {
    cause: error,
  });
}
