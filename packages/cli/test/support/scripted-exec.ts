/**
 * A program for tests: `quire exec` with a scripted agent, on the real streams and signals of its process.
 * Environment: `SCRIPT` names the turn, `SILENCE_MS` shortens the longest pause on stdin, `BUSY_UNTIL` names a file: while
 * stdin is read the process does nothing else until that is there, and for longer than a silent stdin is waited for.
 */
import { spawn } from 'node:child_process';
import { existsSync, stat, writeSync } from 'node:fs';
import { endProcess } from '../../src/end-process.ts';
import { EXEC, runCommand } from '../../src/exec/command.ts';
import { DEFAULT_STDIN_LIMITS } from '../../src/exec/prompt.ts';
import { aborted, scriptedAgent, TURN_ID, type TurnContext } from './scripted-agent.ts';

/** Marks on a fourth stream what the test waits for. */
function mark(text: string): void {
  if (process.env['MARKS'] === '1') writeSync(3, `${text}\n`);
}

let input = '';

const TURNS: Record<string, (context: TurnContext) => Promise<void> | void> = {
  /** Answers with the input it was given. */
  echo: ({ emit, end }) => {
    emit({ kind: 'item-end', turnId: TURN_ID, item: { kind: 'agent-message', id: 'm', text: input } });
    end({ kind: 'completed', lastAgentMessage: input });
  },
  /** Waits for the interrupt and settles. */
  wait: async ({ signal, end }) => {
    const alive = setInterval(() => undefined, 60_000);
    await aborted(signal);
    clearInterval(alive);
    mark('interrupted');
    end({ kind: 'interrupted' });
  },
  /** Runs a long command until it is interrupted, and prints nothing meanwhile. */
  sleep: async ({ signal, end }) => {
    const command = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => command.on('exit', resolve));
    await aborted(signal);
    command.kill();
    await ended;
    end({ kind: 'interrupted' });
  },
  /** Ignores the interrupt. */
  deaf: async ({ signal }) => {
    const alive = setInterval(() => undefined, 60_000);
    await aborted(signal);
    mark('interrupted');
    await new Promise(() => alive);
  },
  /** Writes far more than a pipe holds, then completes. */
  flood: ({ emit, end }) => {
    for (let index = 0; index < 100; index += 1) {
      const text = `${index}:${'x'.repeat(10_000)}`;
      emit({ kind: 'item-end', turnId: TURN_ID, item: { kind: 'agent-message', id: `m${index}`, text } });
    }
    end({ kind: 'completed', lastAgentMessage: 'done' });
    mark('flooded');
  },
  /** Writes a line whenever it can until it is interrupted. */
  drip: async ({ signal, emit, end }) => {
    let index = 0;
    const timer = setInterval(() => {
      index += 1;
      emit({ kind: 'item-end', turnId: TURN_ID, item: { kind: 'agent-message', id: `m${index}`, text: 'drip' } });
    }, 10);
    await aborted(signal);
    clearInterval(timer);
    end({ kind: 'interrupted' });
  },
  /** Something outside of the turn's own promise breaks. */
  fault: async ({ signal, end }) => {
    setTimeout(() => {
      throw new Error('broken');
    });
    await aborted(signal);
    end({ kind: 'interrupted' });
  },
  /** Completes; its thread takes time to close. */
  'slow-close': ({ end }) => end({ kind: 'completed', lastAgentMessage: 'done' }),
  /** Completes but leaves a timer behind that would keep the process. */
  leak: ({ end }) => {
    setInterval(() => undefined, 60_000);
    end({ kind: 'completed', lastAgentMessage: 'done' });
  },
};

const { agent } = scriptedAgent({
  close: () => new Promise((resolve) => setTimeout(resolve, process.env['SCRIPT'] === 'slow-close' ? 300 : 0)),
  turn: TURNS[process.env['SCRIPT'] ?? 'echo'] ?? (() => undefined),
  onCall: (call) => {
    if (call.call === 'run') {
      const parts = Array.isArray(call.input) ? call.input : [];
      input = parts.map((part) => (part.kind === 'text' ? part.text : '[image]')).join('');
      mark('running');
    }
    if (call.call === 'close') mark('closed');
  },
});
/** As a process that the system does not let run. */
function beBusyUntil(path: string): void {
  mark('busy');
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const freeAtMs = performance.now() + DEFAULT_STDIN_LIMITS.firstByteTimeoutMs + 100;
  while (performance.now() < freeAtMs || !existsSync(path)) Atomics.wait(cell, /* index */ 0, /* value */ 0, 20);
}

const { BUSY_UNTIL: busyUntil } = process.env;
// In a callback of the system: behind those the timers come, before stdin is looked at again.
if (busyUntil !== undefined) setTimeout(() => stat('/', () => beBusyUntil(busyUntil)), 200);
const silenceTimeoutMs = Number(process.env['SILENCE_MS'] ?? DEFAULT_STDIN_LIMITS.silenceTimeoutMs);
endProcess(
  await runCommand(EXEC, process.argv.slice(2), {
    loadAgent: async () => agent,
    stdinLimits: { ...DEFAULT_STDIN_LIMITS, silenceTimeoutMs },
  }),
);
mark('ended');
