import type { Command, CommandOutcome, CommandRunner, SessionReading, SessionWriting } from '@quire/core';
import type { JsonObject, ThreadEvent, ToolCallItem, ToolSpec, TurnId, TurnItem } from '@quire/protocol';
import { ApprovalDesk } from '../../../src/approval/approval-desk.ts';
import type { Approvals } from '../../../src/ports/approvals.ts';
import type { ShellToolForm, ThreadSettings } from '../../../src/thread/settings.ts';
import { TurnDiff } from '../../../src/thread/turn-diff.ts';
import { ApplyPatchTool } from '../../../src/tools/apply-patch.ts';
import { createCommandTools } from '../../../src/tools/command-tools/create-command-tools.ts';
import type { ToolResult } from '../../../src/tools/tool.ts';
import { ToolRouter } from '../../../src/tools/tool-router.ts';
import { FakeClock, MemoryFiles, settings } from '../../thread/harness.ts';

type OutcomeOf = (command: Command) => Partial<CommandOutcome>;

/** Runs nothing: records what it is asked for and answers as told. */
export class RecordingRunner implements CommandRunner {
  readonly shell = { name: 'bash', path: '/bin/bash' };
  readonly commands: unknown[] = [];
  readonly writes: unknown[] = [];
  readonly #outcome: OutcomeOf;
  writing: SessionWriting = { kind: 'unknown-session' };
  reading: Partial<SessionReading> = {};
  onCall: (() => void) | undefined;

  constructor(outcome: OutcomeOf = () => ({})) {
    this.#outcome = outcome;
  }

  argv(command: Command): readonly string[] {
    if ('argv' in command) return command.argv;
    return [command.shell ?? this.shell.path, command.login ? '-lc' : '-c', command.script];
  }

  async run(...[command, options]: Parameters<CommandRunner['run']>): Promise<CommandOutcome> {
    this.commands.push(command);
    const outcome: CommandOutcome = {
      end: { kind: 'exited', exitCode: 0 },
      output: 'done\n',
      omittedBytes: 0,
      totalLines: 1,
      durationMs: 140,
      ...this.#outcome(command),
    };
    options.onOutput?.(outcome.output);
    this.onCall?.();
    options.signal.throwIfAborted();
    return outcome;
  }

  async openSession(...[command, look]: Parameters<CommandRunner['openSession']>): Promise<SessionReading> {
    const { yieldMs, signal, onOutput } = look;
    this.commands.push({ ...command, yieldMs });
    const reading: SessionReading = {
      sessionId: 16_607,
      output: 'up\n',
      omittedBytes: 0,
      end: undefined,
      durationMs: 333.46,
      ...this.reading,
    };
    onOutput?.(reading.output);
    this.onCall?.();
    signal.throwIfAborted();
    return reading;
  }

  async writeSession(...[id, look]: Parameters<CommandRunner['writeSession']>): Promise<SessionWriting> {
    this.writes.push({ id, text: look.text, yieldMs: look.yieldMs });
    if (this.writing.kind === 'read') look.onOutput?.(this.writing.reading.output);
    this.onCall?.();
    look.signal.throwIfAborted();
    return this.writing;
  }

  warmUp(): void {
    // Nothing to get ready.
  }

  async close(): Promise<void> {
    // Nothing runs.
  }
}

export interface ServedCall {
  readonly result: ToolResult;
  readonly output: string;
  readonly endItem: TurnItem | undefined;
  readonly events: readonly ThreadEvent[];
}

export class CommandCalls {
  readonly runner: RecordingRunner;
  readonly files = new MemoryFiles({ '/repo/old.txt': 'old\n' });
  readonly controller = new AbortController();
  readonly specs: readonly ToolSpec[];
  readonly #router: ToolRouter;
  readonly #settings: ThreadSettings;
  readonly #desk: ApprovalDesk;

  constructor(
    parts: {
      readonly form?: ShellToolForm;
      readonly runner?: RecordingRunner;
      readonly settings?: Partial<ThreadSettings>;
      readonly approvals?: Approvals;
    } = {},
  ) {
    const clock = new FakeClock();
    this.runner = parts.runner ?? new RecordingRunner();
    const applyPatch = new ApplyPatchTool('freeform', { files: this.files, clock, turnDiff: new TurnDiff() });
    const entropy = { random: () => 0xabc / 0x1000000 };
    const ports = { runner: this.runner, clock, entropy };
    const { commands } = settings(parts.settings);
    const tools = createCommandTools({ form: parts.form ?? 'shell-command', commands }, ports, applyPatch);
    this.specs = tools.flatMap(({ spec }) => (spec === undefined ? [] : [spec]));
    this.#router = new ToolRouter(tools, { clock });
    this.#settings = settings(parts.settings);
    this.#desk = new ApprovalDesk(parts.approvals === undefined ? {} : { approvals: parts.approvals });
  }

  call(name: string, args: JsonObject | string): Promise<ServedCall> {
    const text = typeof args === 'string' ? args : JSON.stringify(args);
    return this.serve({ type: 'function_call', name, call_id: 'c1', arguments: text });
  }

  async serve(call: ToolCallItem): Promise<ServedCall> {
    const events: ThreadEvent[] = [];
    const result = await this.#router.dispatch(call, {
      turnId: 'turn' as TurnId,
      settings: this.#settings,
      signal: this.controller.signal,
      emit: (event) => events.push(event),
      approvals: this.#desk,
      interrupt: () => undefined,
    });
    return { result, output: result.output as string, endItem: result.endItem, events };
  }
}
