import type { ToolCallItem, ToolSpec } from '@quire/protocol';
import type { CommandSettings, ThreadSettings } from '../../thread/settings.ts';
import type { ApplyPatchTool } from '../apply-patch.ts';
import type { ArgumentReading } from '../call-arguments.ts';
import type { Tool, ToolContext, ToolResult } from '../tool.ts';
import { toolError } from '../tool-router.ts';
import { type CommandPorts, type CommandRequest, runToEnd } from './run-to-end.ts';

export interface BoundedCommandDefinition {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly spec: (commands: CommandSettings) => ToolSpec;
  /** What a call asks for. It runs at the `cwd` of the settings if it does not say. */
  readonly read: (
    call: ToolCallItem,
    settings: Pick<ThreadSettings, 'cwd' | 'commands'>,
  ) => ArgumentReading<CommandRequest>;
}

/** A tool that runs one command to its end. */
export class BoundedCommandTool implements Tool {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly kind = 'command';
  readonly parallelSafe = true;
  readonly spec: ToolSpec | undefined;
  readonly #read: BoundedCommandDefinition['read'];
  readonly #ports: CommandPorts;
  readonly #applyPatch: ApplyPatchTool;

  constructor(
    { name, aliases = [], spec, read }: BoundedCommandDefinition,
    parts: {
      readonly ports: CommandPorts;
      readonly applyPatch: ApplyPatchTool;
      /** Absent: the tool is not offered. */
      readonly offer: CommandSettings | undefined;
    },
  ) {
    this.name = name;
    this.aliases = aliases;
    this.spec = parts.offer === undefined ? undefined : spec(parts.offer);
    this.#read = read;
    this.#ports = parts.ports;
    this.#applyPatch = parts.applyPatch;
  }

  prepare(): void {
    this.#ports.runner.warmUp();
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const request = this.#read(call, context.settings);
    if (request.kind === 'invalid') return toolError(call, this.name, request.message);
    return runToEnd(call, request.value, { ports: this.#ports, applyPatch: this.#applyPatch, context });
  }
}
