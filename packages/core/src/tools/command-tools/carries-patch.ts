import { isJsonObject, type JsonValue } from '@quire/protocol';
import { detectPatchArgv, detectPatchScript } from '../../patch/index.ts';

/** Whether the arguments of a command tool, of whichever form, are a command that is a patch. */
export function carriesPatch(input: JsonValue): boolean {
  if (!isJsonObject(input)) return false;
  const line = input['command'] ?? input['cmd'];
  if (typeof line === 'string') return detectPatchScript(line) !== undefined;
  return isWords(line) && detectPatchArgv(line) !== undefined;
}

function isWords(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string');
}
