import { DEFAULT_STDIN_LIMITS } from '../../src/exec/prompt.ts';
import { type CommandLine, runCommandLine } from '../../src/exec/run-command-line.ts';
import { StopSwitch } from '../../src/exec/stop-switch.ts';
import type { StdinSource } from '../../src/process/stdin-source.ts';
import { MemorySink, memoryStdin } from './memory-streams.ts';
import { type AgentCall, type ScriptedAgentOptions, scriptedAgent } from './scripted-agent.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly calls: readonly AgentCall[];
}

export interface ScriptedRunOptions extends ScriptedAgentOptions {
  readonly stdin?: StdinSource;
  readonly environment?: Record<string, string>;
  readonly stop?: StopSwitch;
  /** Of the terminal that stdout is; absent: it is none. */
  readonly columns?: number;
}

/** A command in this process, with a scripted agent and with streams in memory. */
export async function runScripted(
  commandLine: CommandLine,
  argv: readonly string[],
  options: ScriptedRunOptions = {},
): Promise<Ran> {
  const { columns } = options;
  const stdout = new MemorySink(columns === undefined ? undefined : { isTerminal: true, columns });
  const stderr = new MemorySink();
  const { agent, calls } = scriptedAgent(options);
  const { exitCode } = await runCommandLine(commandLine, argv, {
    stdin: options.stdin ?? memoryStdin({ kind: 'empty' }),
    stdinLimits: DEFAULT_STDIN_LIMITS,
    stdout,
    stderr,
    sharedSink: false,
    environment: options.environment ?? {},
    stop: options.stop ?? new StopSwitch(),
    loadAgent: async () => agent,
  });
  return { exitCode, stdout: stdout.text, stderr: stderr.text, calls };
}
