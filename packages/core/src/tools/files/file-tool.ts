import type { JsonObject, ToolCallItem } from '@quire/protocol';
import { type ArgumentReading, parseArguments } from '../call-arguments.ts';
import type { Tool, ToolContext, ToolResult } from '../tool.ts';
import { toolError } from '../tool-router.ts';

export type FileAnswer =
  | { readonly kind: 'text'; readonly text: string }
  /** It worked and there is nothing to show; `text` says so. */
  | { readonly kind: 'nothing'; readonly text: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface FileToolDefinition<Args> {
  readonly name: string;
  readonly description: string;
  readonly properties: JsonObject;
  readonly required: readonly string[];
  readonly read: (args: JsonObject, cwd: string) => ArgumentReading<Args>;
  /** Rejects with the reason of `signal`. */
  readonly run: (args: Args, context: Pick<ToolContext, 'settings' | 'signal'>) => Promise<FileAnswer>;
}

/** A tool that looks at files and changes nothing. */
export class FileTool<Args> implements Tool {
  readonly name: string;
  readonly kind = 'file';
  readonly parallelSafe = true;
  readonly spec: NonNullable<Tool['spec']>;
  readonly #definition: FileToolDefinition<Args>;

  constructor(definition: FileToolDefinition<Args>) {
    const { name, description, properties, required } = definition;
    this.#definition = definition;
    this.name = name;
    this.spec = {
      type: 'function',
      name,
      description,
      strict: false,
      parameters: { type: 'object', properties, required, additionalProperties: false },
    };
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const parsed = parseArguments(call);
    const args = parsed.kind === 'ok' ? this.#definition.read(parsed.value, context.settings.cwd) : parsed;
    if (args.kind === 'invalid') return toolError(call, this.name, args.message);
    const answer = await this.#definition.run(args.value, context);
    switch (answer.kind) {
      case 'text':
        return { output: answer.text, endItem: undefined };
      case 'nothing':
        return { output: answer.text, endItem: undefined, failed: true };
      case 'failed':
        return toolError(call, this.name, answer.reason);
    }
  }
}
