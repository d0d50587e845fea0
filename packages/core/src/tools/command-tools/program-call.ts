import { isJsonObject, type JsonObject } from '@quire/protocol';
import { type ArgumentReading, invalid, readAll } from '../call-arguments.ts';
import { isStrings, readPermissions } from './approval-fields.ts';
import { readDirectory, readTimeout } from './command-arguments.ts';
import { asJson } from './command-text.ts';
import type { CommandRequest } from './run-to-end.ts';

/** Arguments that name a program with its own arguments, a directory and a time limit. */
export function readProgramCall(
  args: JsonObject,
  call: { readonly tool: string; readonly directoryField: string; readonly cwd: string },
): ArgumentReading<CommandRequest> {
  const reading = readAll({
    argv: readArgv(args),
    cwd: readDirectory(args, call.directoryField, call.cwd),
    timeoutMs: readTimeout(args),
    permissions: readPermissions(args),
  });
  if (reading.kind === 'invalid') return reading;
  const { argv, cwd, ...bounds } = reading.value;
  return { kind: 'ok', value: { tool: call.tool, command: { argv, cwd }, ...bounds, format: asJson } };
}

function readArgv(args: JsonObject): ArgumentReading<readonly [string, ...string[]]> {
  const argv = args['command'] ?? undefined;
  if (argv === undefined) return invalid('missing field `command`');
  if (!isStrings(argv)) return invalid('`command` must be an array of strings: the program and its arguments');
  const [program, ...rest] = argv;
  if (program === undefined || program === '') return invalid('`command` must begin with the program to run');
  return { kind: 'ok', value: [program, ...rest] };
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
