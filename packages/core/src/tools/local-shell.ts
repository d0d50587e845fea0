import type { JsonObject } from '@quire/protocol';
import { type ArgumentReading, invalid, parseArguments } from './call-arguments.ts';
import type { BoundedCommandDefinition } from './command-tools/bounded-command-tool.ts';
import { readEnvironment, readProgramCall } from './command-tools/program-call.ts';
import type { CommandRequest } from './command-tools/run-to-end.ts';

/** Runs what a provider's built-in shell tool asks for. Source for the call: the API; for the output: the peer's `shell`. */
export const LOCAL_SHELL: BoundedCommandDefinition = {
  name: 'local_shell',
  spec: () => ({ type: 'local_shell' }),
  read: (call, { cwd }) => {
    // Providers that know no built-in tools get the call back as a function call with the action as arguments.
    if (call.type === 'local_shell_call') return readRequest(call.action, cwd);
    const action = parseArguments(call);
    return action.kind === 'invalid' ? action : readRequest(action.value, cwd);
  },
};

function readRequest(action: JsonObject, cwd: string): ArgumentReading<CommandRequest> {
  const type = action['type'] ?? 'exec';
  if (type !== 'exec') return invalid('an action of `local_shell` must have the type `exec`');
  const environment = readEnvironment(action);
  if (environment.kind === 'invalid') return environment;
  const request = readProgramCall(action, { tool: 'local_shell', directoryField: 'working_directory', cwd });
  if (request.kind === 'invalid') return request;
  const { command } = request.value;
  return { kind: 'ok', value: { ...request.value, command: { ...command, environment: environment.value } } };
}
