import type { JsonObject, ToolCallItem, ToolSpec } from '@quire/protocol';
import type { ApplyPatchTool } from './apply-patch.ts';
import { type ArgumentReading, invalid, parseArguments } from './call-arguments.ts';
import { APPROVAL_PROPERTIES, readPermissions } from './command-tools/approval-fields.ts';
import { optional, readDirectory, readTimeout } from './command-tools/command-arguments.ts';
import { asText } from './command-tools/command-text.ts';
import { type CommandPorts, type CommandRequest, runToEnd } from './command-tools/run-to-end.ts';
import type { Tool, ToolContext, ToolResult } from './tool.ts';
import { toolError } from './tool-router.ts';

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
      login: { type: 'boolean', description: 'Run with the environment of a login shell. Default: true.' },
      timeout_ms: { type: 'number', description: 'Time limit in milliseconds. Default: 10000.' },
      ...APPROVAL_PROPERTIES,
    },
    required: ['command'],
    additionalProperties: false,
  },
} as const;

/** Runs a script in the user's shell. Source for arguments and output: the peer's `shell_command`. */
export class ShellCommandTool implements Tool {
  readonly name = 'shell_command';
  readonly kind = 'command';
  readonly parallelSafe = true;
  readonly spec: ToolSpec | undefined;
  readonly #ports: CommandPorts;
  readonly #applyPatch: ApplyPatchTool;

  constructor(
    ports: CommandPorts,
    applyPatch: ApplyPatchTool,
    { offered = true }: { readonly offered?: boolean } = {},
  ) {
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

function readRequest(args: JsonObject, base: string): ArgumentReading<CommandRequest> {
  const script = args['command'] ?? undefined;
  if (script === undefined) return invalid('missing field `command`');
  if (typeof script !== 'string') return invalid('`command` must be one string: the script');
  const login = optional(args, 'login', 'boolean');
  if (login.kind === 'invalid') return login;
  const cwd = readDirectory(args, 'workdir', base);
  if (cwd.kind === 'invalid') return cwd;
  const timeout = readTimeout(args);
  if (timeout.kind === 'invalid') return timeout;
  const permissions = readPermissions(args);
  if (permissions.kind === 'invalid') return permissions;
  return {
    kind: 'ok',
    value: {
      tool: 'shell_command',
      command: { script, login: login.value ?? true, cwd: cwd.value },
      timeoutMs: timeout.value,
      permissions: permissions.value,
      format: asText,
    },
  };
}
