import type { JsonObject, ToolCallItem, ToolSpec } from '@quire/protocol';
import type { ApplyPatchTool } from './apply-patch.ts';
import { type ArgumentReading, parseArguments } from './call-arguments.ts';
import { APPROVAL_PROPERTIES } from './command-tools/approval-fields.ts';
import { readProgramCall } from './command-tools/program-call.ts';
import { type CommandPorts, type CommandRequest, runToEnd } from './command-tools/run-to-end.ts';
import type { Tool, ToolContext, ToolResult } from './tool.ts';
import { toolError } from './tool-router.ts';

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
export class ShellTool implements Tool {
  readonly name = 'shell';
  readonly aliases = ['container.exec'];
  readonly kind = 'command';
  readonly parallelSafe = true;
  readonly spec: ToolSpec | undefined;
  readonly #ports: CommandPorts;
  readonly #applyPatch: ApplyPatchTool;

  constructor(ports: CommandPorts, applyPatch: ApplyPatchTool, { offered }: { readonly offered: boolean }) {
    this.#ports = ports;
    this.#applyPatch = applyPatch;
    this.spec = offered ? SPEC : undefined;
  }

  prepare(): void {
    this.#ports.runner.warmUp();
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const parsed = parseArguments(call);
    const request = parsed.kind === 'ok' ? readRequest(parsed.value, context.settings.cwd) : parsed;
    if (request.kind === 'invalid') return toolError(call, this.name, request.message);
    return runToEnd(call, request.value, { ports: this.#ports, applyPatch: this.#applyPatch, context });
  }
}

function readRequest(args: JsonObject, cwd: string): ArgumentReading<CommandRequest> {
  return readProgramCall(args, { tool: 'shell', directoryField: 'workdir', cwd });
}
