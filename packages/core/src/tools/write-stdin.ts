import type { JsonObject, ToolCallItem, ToolSpec, TruncationPolicy } from '@quire/protocol';
import type { CommandSettings } from '../thread/settings.ts';
import { type ArgumentReading, invalid, parseArguments, readAll } from './call-arguments.ts';
import { optional, readYield } from './command-tools/command-arguments.ts';
import { ShownCommand } from './command-tools/command-item.ts';
import { readOutputBudget, sessionText } from './command-tools/session-text.ts';
import { effectiveTruncation } from './effective-truncation.ts';
import { lookedAt, type SessionPorts } from './exec-command.ts';
import { formatAbortedSeconds, type Tool, type ToolContext, type ToolResult } from './tool.ts';
import { toolError } from './tool-router.ts';

/** Source: the peer. */
const WRITE_LIMITS = { defaultMs: 250, leastMs: 250, mostMs: 30_000 };
const POLL_LIMITS = { defaultMs: 5_000, leastMs: 5_000 };

const specOf = (commands: CommandSettings) =>
  ({
    type: 'function',
    name: 'write_stdin',
    description:
      'Types into a running `exec_command` session that was started with `tty`, or with empty `chars` only waits, and gives back what it printed since the last look.',
    strict: false,
    parameters: {
      type: 'object',
      properties: {
        session_id: { type: 'number', description: 'Session ID that `exec_command` gave.' },
        chars: { type: 'string', description: 'What to type, as it is. Default: nothing, only wait.' },
        yield_time_ms: {
          type: 'number',
          description: `How long to wait, in milliseconds. Default: 250 after typing, at most 30000; 5000 otherwise, at most ${longestPollMs(commands)}.`,
        },
        max_output_tokens: { type: 'number', description: 'How much output to give back. Default: 10000.' },
      },
      required: ['session_id'],
      additionalProperties: false,
    },
  }) as const;

interface InputRequest {
  readonly sessionId: number;
  readonly text: string;
  readonly yieldMs: number;
  readonly budget: TruncationPolicy;
}

/** Writes to a session and looks at what it prints. Source for arguments and output: the peer's `write_stdin`. */
export class WriteStdinTool implements Tool {
  readonly name = 'write_stdin';
  readonly kind = 'command';
  readonly parallelSafe = false;
  readonly spec: ToolSpec | undefined;
  readonly #ports: SessionPorts;

  constructor(ports: SessionPorts, { offer }: { readonly offer: CommandSettings | undefined }) {
    this.#ports = ports;
    this.spec = offer === undefined ? undefined : specOf(offer);
  }

  async run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const parsed = parseArguments(call);
    const reading = parsed.kind === 'ok' ? readRequest(parsed.value, context.settings) : parsed;
    if (reading.kind === 'invalid') return toolError(call, this.name, reading.message);
    const { runner, clock, entropy } = this.#ports;
    const { sessionId, text, yieldMs, budget } = reading.value;
    const argv = text === '' ? [this.name, String(sessionId)] : [this.name, String(sessionId), text];
    const shown = new ShownCommand(call, { tool: this.name, argv, cwd: context.settings.cwd }, context);
    const startedAtMs = clock.now();
    try {
      const look = { text, yieldMs, signal: context.signal, onOutput: shown.onOutput };
      const writing = await runner.writeSession(sessionId, look);
      if (writing.kind === 'read') {
        return lookedAt(writing.reading, { shown, output: sessionText(writing.reading, { budget, entropy }) });
      }
      const output = `write_stdin failed: ${refusalOf(writing.kind, sessionId)}`;
      return { output, endItem: shown.notStarted(output, clock.now() - startedAtMs), failed: true };
    } catch (error) {
      if (!context.signal.aborted) throw error;
      const durationMs = clock.now() - startedAtMs;
      const output = `Wall time: ${formatAbortedSeconds(durationMs)} seconds\naborted by user`;
      return { output, endItem: shown.aborted(durationMs), failed: true };
    }
  }
}

function refusalOf(kind: 'unknown-session' | 'input-closed', sessionId: number): string {
  return kind === 'unknown-session'
    ? `Unknown process id ${sessionId}`
    : `stdin of session ${sessionId} is closed; run the command again with \`tty=true\` to type into it`;
}

/** A wait that is shorter than the shortest is none. Source: observed, peer 0.169. */
function longestPollMs(commands: CommandSettings): number {
  return Math.max(commands.longestPollMs, POLL_LIMITS.leastMs);
}

function readRequest(args: JsonObject, settings: ToolContext['settings']): ArgumentReading<InputRequest> {
  const sessionId = args['session_id'] ?? undefined;
  if (sessionId === undefined) return invalid('missing field `session_id`');
  if (typeof sessionId !== 'number' || !Number.isInteger(sessionId)) return invalid('`session_id` must be an integer');
  const chars = optional(args, 'chars', 'string');
  if (chars.kind === 'invalid') return chars;
  const text = chars.value ?? '';
  const reading = readAll({
    yieldMs: readYield(args, text === '' ? { ...POLL_LIMITS, mostMs: longestPollMs(settings.commands) } : WRITE_LIMITS),
    budget: readOutputBudget(args['max_output_tokens'], effectiveTruncation(settings)),
  });
  return reading.kind === 'invalid' ? reading : { kind: 'ok', value: { sessionId, text, ...reading.value } };
}
