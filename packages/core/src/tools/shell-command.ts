import type { JsonObject } from '@quire/protocol';
import { type ArgumentReading, parseArguments, readAll } from './call-arguments.ts';
import { APPROVAL_PROPERTIES, readPermissions } from './command-tools/approval-fields.ts';
import type { BoundedCommandDefinition } from './command-tools/bounded-command-tool.ts';
import { readDirectory, readScript, readTimeout } from './command-tools/command-arguments.ts';
import { asText } from './command-tools/command-text.ts';
import { LOGIN_PROPERTY, readLogin, withLogin } from './command-tools/login-field.ts';
import type { CommandRequest } from './command-tools/run-to-end.ts';

const SPEC = {
  type: 'function',
  name: 'shell_command',
  description:
    "Runs a script in the user's shell and gives back its exit code and output. Set `workdir` instead of using cd. Give `timeout_ms` when it may take longer than 10 seconds.",
  strict: false,
  parameters: {
    type: 'object',
    properties: {
      command: { type: 'string', description: 'The script.' },
      workdir: { type: 'string', description: 'Folder to run in. Default: the working directory of the thread.' },
      login: LOGIN_PROPERTY,
      timeout_ms: { type: 'number', description: 'Time limit in milliseconds. Default: 10000.' },
      ...APPROVAL_PROPERTIES,
    },
    required: ['command'],
    additionalProperties: false,
  },
} as const;

/** Runs a script in the user's shell. Source for arguments and output: the peer's `shell_command`. */
export const SHELL_COMMAND: BoundedCommandDefinition = {
  name: 'shell_command',
  spec: ({ allowLoginShell }) => {
    const { parameters } = SPEC;
    return { ...SPEC, parameters: { ...parameters, properties: withLogin(parameters.properties, allowLoginShell) } };
  },
  read: (call, settings) => {
    const args = parseArguments(call);
    return args.kind === 'invalid' ? args : readRequest(args.value, settings);
  },
};

function readRequest(
  args: JsonObject,
  { cwd: base, commands }: Parameters<BoundedCommandDefinition['read']>[1],
): ArgumentReading<CommandRequest> {
  const reading = readAll({
    script: readScript(args, 'command'),
    login: readLogin(args, commands.allowLoginShell),
    cwd: readDirectory(args, 'workdir', base),
    timeoutMs: readTimeout(args),
    permissions: readPermissions(args),
  });
  if (reading.kind === 'invalid') return reading;
  const { script, login, cwd, ...bounds } = reading.value;
  return { kind: 'ok', value: { tool: 'shell_command', command: { script, login, cwd }, ...bounds, format: asText } };
}
