import type { ToolCallItem, TurnItem } from '@quire/protocol';
import { quoteArgv } from '../../shell/index.ts';
import type { ToolContext } from '../tool.ts';

export type CommandItem = Extract<TurnItem, { kind: 'command-execution' }>;

/** What people see of a command while it runs. */
export class ShownCommand {
  readonly item: CommandItem;
  readonly #context: ToolContext;
  #printed = '';

  /** Announces it. */
  constructor(
    call: ToolCallItem,
    command: { readonly tool: string; readonly argv: readonly string[]; readonly cwd: string },
    context: ToolContext,
  ) {
    this.#context = context;
    this.item = {
      kind: 'command-execution',
      id: call.call_id ?? command.tool,
      command: quoteArgv(command.argv),
      cwd: command.cwd,
      output: '',
      exitCode: undefined,
      durationMs: undefined,
      status: 'in-progress',
    };
    context.emit({ kind: 'item-start', turnId: context.turnId, item: this.item });
  }

  readonly onOutput = (chunk: string): void => {
    // Of a command that is aborted the first 64 KiB are enough for people.
    if (this.#printed.length < 65_536) this.#printed += chunk;
    this.#context.emit({
      kind: 'command-output-delta',
      turnId: this.#context.turnId,
      itemId: this.item.id,
      delta: chunk,
    });
  };

  refused(reason: string): CommandItem {
    return { ...this.item, output: reason, status: 'declined' };
  }

  aborted(durationMs: number): CommandItem {
    return { ...this.item, output: this.#printed, durationMs, status: 'failed' };
  }

  notStarted(output: string, durationMs: number): CommandItem {
    return { ...this.item, output, durationMs, status: 'failed' };
  }

  ended(end: { readonly output: string; readonly exitCode: number; readonly durationMs: number }): CommandItem {
    return { ...this.item, ...end, status: end.exitCode === 0 ? 'completed' : 'failed' };
  }

  /** It goes on behind the call; nothing more is told of it under this item. */
  goesOn(output: string, durationMs: number): CommandItem {
    return { ...this.item, output, durationMs, status: 'completed' };
  }
}
