import { isJsonObject, type JsonObject } from '@quire/protocol';
import { type ArgumentReading, invalid } from '../call-arguments.ts';
import { isStrings, readPermissions } from './approval-fields.ts';
import { readDirectory, readTimeout } from './command-arguments.ts';
import { asJson } from './command-text.ts';
import type { CommandRequest } from './run-to-end.ts';

/** Arguments that name a program with its own arguments, a directory and a time limit. */
export function readProgramCall(
  args: JsonObject,
  call: { readonly tool: string; readonly directoryField: string; readonly cwd: string },
): ArgumentReading<CommandRequest> {
  const argv = args['command'] ?? undefined;
  if (argv === undefined) return invalid('missing field `command`');
  if (!isStrings(argv)) return invalid('`command` must be an array of strings: the program and its arguments');
  if (argv[0] === undefined || argv[0] === '') return invalid('`command` must begin with the program to run');
  const cwd = readDirectory(args, call.directoryField, call.cwd);
  if (cwd.kind === 'invalid') return cwd;
  const timeout = readTimeout(args);
  if (timeout.kind === 'invalid') return timeout;
  const permissions = readPermissions(args);
  if (permissions.kind === 'invalid') return permissions;
  return {
    kind: 'ok',
    value: {
      tool: call.tool,
      command: { argv, cwd: cwd.value },
      timeoutMs: timeout.value,
      permissions: permissions.value,
      format: asJson,
    },
  };
}

/** Variables by name, all of them text. */
export function readEnvironment(args: JsonObject): ArgumentReading<Readonly<Record<string, string>>> {
  const value = args['env'] ?? {};
  if (!isJsonObject(value)) return invalid('`env` must be an object');
  const environment: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') return invalid(`\`env.${name}\` must be a string`);
    environment[name] = text;
  }
  return { kind: 'ok', value: environment };
}
