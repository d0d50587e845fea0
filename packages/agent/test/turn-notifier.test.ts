import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ThreadEvent } from '@quire/protocol';
import { functionCall, rawItem, status, text } from '@quire/simulator';
import { describe, expect, test, vi } from 'vitest';
import { openToolScene, type SceneOptions, type ToolScene } from './tools/tool-scene.ts';
import { createWorkspace } from './workspace.ts';

/** Writes down what it is told, line by line, and the variables it has. */
const PROGRAM = '/usr/bin/env > "$1.environment"; printf "%s\\n" "$2" >> "$1.told"';

const notifyToml = (file: string): string => `notify = ["/bin/sh", "-c", '${PROGRAM}', "sh", "${file}"]\n`;

async function withPlace<T>(work: (file: string) => Promise<T>): Promise<T> {
  await using place = await createWorkspace();
  return await work(join(place.repository, 'turn'));
}

/** Waits for as many as there are to be. */
async function told(file: string, count: number): Promise<readonly Record<string, unknown>[]> {
  const read = (): readonly string[] =>
    existsSync(`${file}.told`) ? readFileSync(`${file}.told`, 'utf8').split('\n').slice(0, -1) : [];
  await vi.waitUntil(() => read().length >= count, { timeout: 30_000 });
  return read().map((line) => JSON.parse(line) as Record<string, unknown>);
}

const scene = (file: string, options: SceneOptions = {}): Promise<ToolScene> =>
  openToolScene({ ...options, toml: notifyToml(file) });

describe('the program of notify', () => {
  test('is told of every completed turn, with all that people said until then [NOTIFY-01]', async () => {
    await withPlace(async (file) => {
      await using opened = await scene(file);
      const turns: string[] = [];
      const onEvent = (event: ThreadEvent): void => void (event.kind === 'turn-start' && turns.push(event.turnId));
      await opened.play([() => [functionCall('c', 'shell_command', { command: 'true', login: false })]], { onEvent });
      await told(file, /* count */ 1);
      await opened.play([() => [text('Yes: "é" and ✓.')]], { onEvent });
      const common = {
        type: 'agent-turn-complete',
        'thread-id': opened.thread.facts.threadId,
        cwd: opened.repository,
        client: expect.stringMatching(/^\w+$/) as unknown,
      };
      expect(await told(file, /* count */ 2)).toEqual([
        { ...common, 'turn-id': turns[0], 'input-messages': ['turn 1'], 'last-assistant-message': 'Done.' },
        {
          ...common,
          'turn-id': turns[1],
          'input-messages': ['turn 1', 'turn 2'],
          'last-assistant-message': 'Yes: "é" and ✓.',
        },
      ]);
    });
  });

  test('hears null of a turn without an answer [NOTIFY-01]', async () => {
    await withPlace(async (file) => {
      await using opened = await scene(file);
      await opened.play([() => [rawItem({ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' })]]);
      expect(await told(file, /* count */ 1)).toMatchObject([{ 'last-assistant-message': null }]);
    });
  });

  test('is not told of turns that fail or are interrupted, of commands and of agents [NOTIFY-02]', async () => {
    await withPlace(async (file) => {
      await using failing = await scene(file);
      const refuse = status(/* code */ 400, { body: { error: { message: 'no' } } });
      failing.simulator.setTransports({ http: refuse });
      const failed = await failing.play([]);
      expect(failed.events.at(-1)).toMatchObject({ kind: 'turn-end', outcome: { kind: 'failed' } });

      await using opened = await scene(file);
      const stop = new AbortController();
      const interrupted = await opened.play(
        [() => [functionCall('c', 'shell_command', { command: 'sleep 60', login: false })]],
        { signal: stop.signal, onEvent: (event) => void (event.kind === 'item-start' && stop.abort()) },
      );
      expect(interrupted.events.at(-1)).toMatchObject({ kind: 'turn-end', outcome: { kind: 'interrupted' } });
      await opened.thread.runShell('true');
      const spawn = functionCall('a', 'spawn_agent', { message: 'Look.' });
      await opened.play([() => [spawn], () => [text('Spawned.')]]);
      const lines = await told(file, /* count */ 1);
      expect(lines.map((line) => line['last-assistant-message'])).toEqual(['Spawned.']);
    });
  });

  test('is told of a review by its question [NOTIFY-01]', async () => {
    await withPlace(async (file) => {
      await using opened = await scene(file);
      await opened.thread.review({ kind: 'custom', instructions: 'Is it so?' });
      const [line] = await told(file, /* count */ 1);
      expect(line?.['input-messages']).toEqual([expect.stringContaining('Is it so?')]);
      expect(await told(file, /* count */ 1)).toHaveLength(1);
    });
  });

  test('gets no key of the run, and no secret that was said [NOTIFY-03]', async () => {
    await withPlace(async (file) => {
      const environment = { CODEX_API_KEY: 'key-of-the-run', MY_TOKEN: 'token-0123456789' };
      await using opened = await scene(file, { environment });
      await opened.play([() => [text('It is token-0123456789, as you know.')]]);
      const [line] = await told(file, /* count */ 1);
      expect(line?.['last-assistant-message']).toMatch(/^It is \[redacted:[\w-]+\], as you know\.$/);
      const variables = readFileSync(`${file}.environment`, 'utf8');
      expect(variables).toContain('MY_TOKEN=');
      expect(variables).not.toContain('key-of-the-run');
    });
  });

  test('gets long messages shortened, so that it can be started [NOTIFY-04]', async () => {
    await withPlace(async (file) => {
      await using opened = await scene(file);
      await opened.play([() => [text('✓'.repeat(100_000))]]);
      const [line] = await told(file, /* count */ 1);
      expect(line?.['last-assistant-message']).toBe(`${'✓'.repeat(1_000)}…`);
    });
  });

  test('that is not there is a warning, and the turn is completed [NOTIFY-05]', async () => {
    await using opened = await openToolScene({ toml: 'notify = ["/no/such/program", "now"]\n' });
    const { events } = await opened.play([]);
    expect(events.filter(({ kind }) => kind === 'warning')).toEqual([
      {
        kind: 'warning',
        turnId: undefined,
        message: 'the program of notify could not be started: /no/such/program; look at notify in config.toml',
      },
    ]);
    expect(events.at(-1)).toMatchObject({ kind: 'turn-end', outcome: { kind: 'completed' } });
  });

  test('is not waited for, neither by the turn nor by the thread, and lives on [NOTIFY-06]', async () => {
    await withPlace(async (file) => {
      const program = 'echo $$ > "$1.pid"; until [ -e "$1.go" ]; do sleep 0.05; done; echo gone > "$1.told"';
      const opened = await openToolScene({ toml: `notify = ["/bin/sh", "-c", '${program}', "sh", "${file}"]\n` });
      await opened.play([]);
      await vi.waitUntil(() => existsSync(`${file}.pid`), { timeout: 30_000 });
      await opened[Symbol.asyncDispose]();
      const pid = Number(readFileSync(`${file}.pid`, 'utf8'));
      try {
        expect(process.kill(pid, 0)).toBe(true);
      } finally {
        writeFileSync(`${file}.go`, '');
      }
      await vi.waitUntil(() => existsSync(`${file}.told`), { timeout: 30_000 });
    });
  });
});
