import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@quire/protocol';
import { functionCall, type RecordedRequest, respond, type Step, stall, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { gate, isChild, openScene, outputJson, spawnedId, userTexts } from './sub-agents-scene.ts';

/** Makes the calls one after the other, each once, and then answers. */
function inOrder(
  calls: readonly (readonly [name: string, args: (request: RecordedRequest) => JsonObject])[],
): (request: RecordedRequest) => Step {
  return (request) => {
    const next = calls[request.toolOutputs.length];
    if (next === undefined) return respond(text('Done.'));
    const [name, args] = next;
    return respond(functionCall(`${name}-${request.toolOutputs.length}`, name, args(request)));
  };
}

const spawn = ['spawn_agent', () => ({ message: 'first' })] as const;
const byId = (request: RecordedRequest) => ({ id: spawnedId(request, 'spawn_agent-0') });

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

describe('an agent', () => {
  test('that is interrupted leaves its turn and does what it is told instead [AGENT-40]', async () => {
    const parent = inOrder([
      spawn,
      ['send_input', (request) => ({ ...byId(request), message: 'second', interrupt: true })],
      ['wait', (request) => ({ ids: [byId(request).id] })],
    ]);
    const works = gate();
    await using scene = await openScene(async (request) => {
      if (!isChild(request)) {
        if (request.toolOutputs.length === 1) await works.opened;
        return parent(request);
      }
      works.open();
      return userTexts(request).includes('second') ? respond(text('Second done.')) : stall({ afterEvents: 1 });
    });

    await scene.thread.run('go');

    const last = scene.simulator.requests.at(-1) as RecordedRequest;
    expect(outputJson(last, 'wait-2')?.['status']).toEqual({ [byId(last).id]: { completed: 'Second done.' } });
    const told = scene.simulator.requests.filter(isChild).map(userTexts).at(-1);
    expect(told).toEqual(['first', expect.stringMatching(/^<turn_aborted>/), 'second']);
    expect(userTexts(last).filter((said) => said.startsWith('<subagent_notification>')).length).toBe(1);
  });

  test('hears what it is told while it works before its next step [AGENT-39]', async () => {
    const parent = inOrder([
      spawn,
      ['send_input', (request) => ({ ...byId(request), message: 'also this' })],
      ['wait', (request) => ({ ids: [byId(request).id] })],
    ]);
    const works = gate();
    const told = gate();
    await using scene = await openScene(async (request) => {
      if (!isChild(request)) {
        if (request.toolOutputs.length === 1) await works.opened;
        if (request.toolOutputs.length === 2) told.open();
        return parent(request);
      }
      works.open();
      await told.opened;
      return request.toolOutputs.length === 0
        ? respond(functionCall('echo', 'shell_command', { command: 'echo 1' }))
        : respond(text(`Heard ${userTexts(request).join(', ')}.`));
    });

    await scene.thread.run('go');

    const last = scene.simulator.requests.at(-1) as RecordedRequest;
    expect(outputJson(last, 'wait-2')?.['status']).toEqual({
      [byId(last).id]: { completed: 'Heard first, also this.' },
    });
    expect(scene.simulator.requests.filter(isChild).length).toBe(2);
  });

  test('that is closed can be opened again with all that it knew [AGENT-41]', async () => {
    const parent = inOrder([
      spawn,
      ['close_agent', byId],
      ['wait', (request) => ({ ids: [byId(request).id] })],
      ['send_input', (request) => ({ ...byId(request), message: 'too late' })],
      ['resume_agent', byId],
      ['send_input', (request) => ({ ...byId(request), message: 'second' })],
      ['wait', (request) => ({ ids: [byId(request).id] })],
    ]);
    const works = gate();
    await using scene = await openScene(async (request) => {
      if (!isChild(request)) {
        if (request.toolOutputs.length === 1) await works.opened;
        return parent(request);
      }
      works.open();
      return userTexts(request).includes('second') ? respond(text('Second done.')) : stall({ afterEvents: 1 });
    });

    await scene.thread.run('go');

    const last = scene.simulator.requests.at(-1) as RecordedRequest;
    const { id } = byId(last);
    expect(last.toolOutputs.slice(1).map(({ output }) => output)).toEqual([
      '{"status":"running"}',
      JSON.stringify({ status: { [id]: 'shutdown' }, timed_out: false }),
      `agent ${id} is closed; open it with resume_agent first.`,
      '{"status":"interrupted"}',
      expect.stringContaining('submission_id'),
      JSON.stringify({ status: { [id]: { completed: 'Second done.' } }, timed_out: false }),
    ]);
    const told = scene.simulator.requests.filter(isChild).map(userTexts).at(-1);
    expect(told).toEqual(['first', expect.stringMatching(/^<turn_aborted>/), 'second']);
  });

  test('is found again by a thread that was itself read from disk; a stranger is not [AGENT-42]', async () => {
    const first = inOrder([spawn, ['wait', (request) => ({ ids: [byId(request).id] })]]);
    const later = inOrder([
      spawn,
      ['wait', byId],
      ['resume_agent', byId],
      ['resume_agent', () => ({ id: 'nobody' })],
      ['send_input', (request) => ({ ...byId(request), message: 'second' })],
      ['wait', (request) => ({ ids: [byId(request).id] })],
    ]);
    await using scene = await openScene((request) => {
      if (isChild(request)) return respond(text(`Result of ${userTexts(request).join('+')}.`));
      return userTexts(request).includes('again') ? later(request) : first(request);
    });
    await scene.thread.run('go');
    await scene.thread.close();

    await using resumed = await scene
      .quire()
      .resumeThread({ kind: 'id', id: scene.thread.facts.threadId }, scene.options);
    await resumed.run('again');

    const last = scene.simulator.requests.at(-1) as RecordedRequest;
    const { id } = byId(last);
    expect(last.toolOutputs.slice(2).map(({ output }) => output)).toEqual([
      JSON.stringify({ status: { completed: 'Result of first.' } }),
      'there is no agent with id nobody.',
      expect.stringContaining('submission_id'),
      JSON.stringify({ status: { [id]: { completed: 'Result of first+second.' } }, timed_out: false }),
    ]);
  });
});

describe('a thread with agents', () => {
  test('that is interrupted while it waits leaves them at work [AGENT-43]', async () => {
    const mayFinish = gate();
    const waits = gate();
    const parent = inOrder([
      spawn,
      ['wait', (request) => ({ ids: [byId(request).id] })],
      ['wait', (request) => ({ ids: [byId(request).id] })],
    ]);
    await using scene = await openScene(async (request) => {
      if (!isChild(request)) return parent(request);
      waits.open();
      await mayFinish.opened;
      return respond(text('Result.'));
    });
    const stop = new AbortController();
    const turn = scene.thread.runPushed('go', {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.kind === 'item-start' && event.item.kind === 'sub-agent' && event.item.action === 'wait') {
          void waits.opened.then(() => stop.abort(new Error('enough')));
        }
      },
    });
    await turn;
    mayFinish.open();

    await scene.thread.run('go on');

    const last = scene.simulator.requests.at(-1) as RecordedRequest;
    expect(String(last.toolOutputs[1]?.output)).toMatch(/^aborted by user/);
    expect(outputJson(last, 'wait-2')?.['status']).toEqual({ [byId(last).id]: { completed: 'Result.' } });
  });

  test('that is closed ends them and their commands at once [AGENT-44]', async () => {
    const parent = inOrder([spawn, ['wait', (request) => ({ ids: [byId(request).id] })]]);
    const started = gate();
    await using scene = await openScene((request) => {
      if (!isChild(request)) return parent(request);
      const command = 'echo $$ > child.pid; mkfifo never; touch started; cat never';
      return respond(functionCall('hang', 'shell_command', { command }));
    });
    const turn = scene.thread.runPushed('go', {
      onEvent: (event) => {
        if (event.kind === 'item-start' && event.item.kind === 'sub-agent' && event.item.action === 'wait') {
          started.open();
        }
      },
    });
    await started.opened;
    const pidFile = join(scene.workspace.repository, 'child.pid');
    let processId = 0;
    await expect
      .poll(
        async () => {
          processId = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
          return processId;
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThan(0);
    expect(isAlive(processId)).toBe(true);

    const beganAtMs = performance.now();
    await scene.thread.close();
    const tookMs = performance.now() - beganAtMs;
    await turn;

    expect(isAlive(processId)).toBe(false);
    expect(tookMs).toBeLessThan(10_000);
  });
});
