import { afterEach, expect, test, vi } from 'vitest';
import { EXEC } from '../../src/exec/command.ts';
import { DEFAULT_STDIN_LIMITS } from '../../src/exec/prompt.ts';
import { runCommandLine } from '../../src/exec/run-command-line.ts';
import { StopSwitch } from '../../src/exec/stop-switch.ts';
import { MemorySink, memoryStdin } from '../support/memory-streams.ts';
import { scriptedAgent } from '../support/scripted-agent.ts';

afterEach(() => vi.useRealTimers());

/** A promise and what settles it. */
function moment(): { readonly come: Promise<void>; readonly now: () => void } {
  let now = (): void => undefined;
  const come = new Promise<void>((resolve) => {
    now = resolve;
  });
  return { come, now };
}

test.each([
  ['all of the second when the turn settles at once', 0, 1_000],
  ['the rest of the second when the turn takes a part of it', 600, 400],
  ['a moment when the turn takes longer', 1_500, 300],
])('who does not read has %s after a signal [EXEC-36]', async (_, settlesAfterMs, waitsMs) => {
  const [running, settled, waiting] = [moment(), moment(), moment()];
  class Unread extends MemorySink {
    override flush(): Promise<void> {
      waiting.now();
      return new Promise(() => undefined);
    }
  }
  const { agent } = scriptedAgent({
    turn: async ({ end }) => {
      running.now();
      await settled.come;
      end({ kind: 'interrupted' });
    },
  });
  const stop = new StopSwitch();
  let isOver = false;
  const run = runCommandLine(EXEC, ['--json', 'go'], {
    stdin: memoryStdin({ kind: 'empty' }),
    stdinLimits: DEFAULT_STDIN_LIMITS,
    stdout: new Unread(),
    stderr: new MemorySink(),
    sharedSink: false,
    environment: {},
    stop,
    loadAgent: async () => agent,
  }).finally(() => {
    isOver = true;
  });
  await running.come;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  stop.request({ kind: 'signal', signal: 'SIGTERM' });
  await vi.advanceTimersByTimeAsync(settlesAfterMs);
  settled.now();
  await waiting.come;
  await vi.advanceTimersByTimeAsync(waitsMs - 1);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  // Nothing but a turn of the event loop: no clock goes on.
  expect(await run).toEqual({ exitCode: 143, settled: false });
});
