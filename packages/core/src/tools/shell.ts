import { parseArguments } from './call-arguments.ts';
import { APPROVAL_PROPERTIES } from './command-tools/approval-fields.ts';
import type { BoundedCommandDefinition } from './command-tools/bounded-command-tool.ts';
import { readProgramCall } from './command-tools/program-call.ts';

const SPEC = {
  type: 'function',
  name: 'shell',
  description:
    'Runs a program with its arguments, without a shell around it, and gives back its exit code and output. For shell syntax call ["bash", "-lc", SCRIPT]. Set `workdir` instead of using cd.',
  strict: false,
  parameters: {
    type: 'object',
    properties: {
      command: { type: 'array', items: { type: 'string' }, description: 'The program and its arguments.' },
      workdir: { type: 'string', description: 'Folder to run in. Default: the working directory of the thread.' },
      timeout_ms: { type: 'number', description: 'Time limit in milliseconds. Default: 10000.' },
      ...APPROVAL_PROPERTIES,
    },
    required: ['command'],
    additionalProperties: false,
  },
} as const;

/** Runs a program with its arguments. Source for arguments and output: the peer's `shell`. */
export const SHELL: BoundedCommandDefinition = {
  name: 'shell',
  aliases: ['container.exec'],
  spec: ({ allowLoginShell }) =>
    allowLoginShell ? SPEC : { ...SPEC, description: SPEC.description.replace('"-lc"', '"-c"') },
  read: (call, { cwd }) => {
    const args = parseArguments(call);
    if (args.kind === 'invalid') return args;
    return readProgramCall(args.value, { tool: 'shell', directoryField: 'workdir', cwd });
  },
};
