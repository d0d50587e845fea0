import type { JsonObject, ToolCallItem, ToolSpec } from '@quire/protocol';
import type { ApplyPatchTool } from './apply-patch.ts';
import { type ArgumentReading, invalid, parseArguments } from './call-arguments.ts';
import { readEnvironment, readProgramCall } from './command-tools/program-call.ts';
import { type CommandPorts, type CommandRequest, runToEnd } from './command-tools/run-to-end.ts';
import type { Tool, ToolContext, ToolResult } from './tool.ts';
import { toolError } from './tool-router.ts';

/** Runs what a provider's built-in shell tool asks for. Source for the call: the API; for the output: the peer's `shell`. */
export class LocalShellTool implements Tool {
  readonly name = 'local_shell';
  readonly kind = 'command';
  readonly parallelSafe = true;
  readonly spec: ToolSpec | undefined;
  readonly #ports: CommandPorts;
  readonly #applyPatch: ApplyPatchTool;

  constructor(ports: CommandPorts, applyPatch: ApplyPatchTool, { offered }: { readonly offered: boolean }) {
    this.#ports = ports;
    this.#applyPatch = applyPatch;
    this.spec = offered ? { type: 'local_shell' } : undefined;
  }

  prepare(): void {
    this.#ports.runner.warmUp();
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    // Providers that know no built-in tools get the call back as a function call with the action as arguments.
    const action: ArgumentReading<JsonObject> =
      call.type === 'local_shell_call' ? { kind: 'ok', value: call.action } : parseArguments(call);
    const request = action.kind === 'ok' ? readRequest(action.value, context.settings.cwd) : action;
    if (request.kind === 'invalid') return toolError(call, this.name, request.message);
    return runToEnd(call, request.value, { ports: this.#ports, applyPatch: this.#applyPatch, context });
  }
}

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
