import { readFile, writeFile } from 'node:fs/promises';
import type { AgentThread } from '@quire/agent';
import { customToolCall, functionCall, reasoning, rehearse, respond, stall, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import {
  createScene,
  FULL_ACCESS,
  git,
  lastRequest,
  OTHER_MODEL,
  outlineOf,
  requestAt,
  type Scene,
  type SceneOptions,
} from './scene.ts';

interface Point {
  readonly name: string;
  readonly options?: SceneOptions;
  /** What the thread did before it goes on in three ways. */
  readonly play: (thread: AgentThread, scene: Scene) => Promise<unknown>;
  /** What it is opened with again. */
  readonly config?: readonly string[];
}

const interrupted = async (thread: AgentThread, scene: Scene, index: number): Promise<void> => {
  const stop = new AbortController();
  const running = thread.run('cut short', { signal: stop.signal }).catch(() => undefined);
  await scene.simulator.request(index, { signal: AbortSignal.timeout(20_000) });
  stop.abort(new Error('enough'));
  await running;
};

const POINTS: readonly Point[] = [
  { name: 'a plain turn', play: (thread) => thread.run('one') },
  {
    name: 'tools that finished out of order, reasoning and a patch',
    options: {
      steps: [
        respond(
          reasoning('Hm.', { encrypted: 'c2VjcmV0' }),
          text('I look.', { phase: 'commentary' }),
          functionCall('call-1', 'shell_command', { command: 'sleep 0.1; echo one' }),
          functionCall('call-2', 'shell_command', { command: 'echo two' }),
          customToolCall('call-3', 'apply_patch', '*** Begin Patch\n*** Add File: new.txt\n+hi\n*** End Patch\n'),
        ),
        respond(
          functionCall('call-1', 'shell_command', { command: 'printf %090000d 1' }),
          functionCall('call-4', 'nonsense', {}),
        ),
        respond(text('Done.')),
      ],
    },
    play: (thread) => thread.run('one'),
  },
  {
    name: 'an interrupted turn with two running tools',
    options: {
      steps: [
        respond(text('One.')),
        respond(
          functionCall('call-1', 'shell_command', { command: 'sleep 30' }),
          functionCall('call-2', 'shell_command', { command: 'sleep 30' }),
        ),
      ],
    },
    play: async (thread) => {
      await thread.run('one');
      const stop = new AbortController();
      let started = 0;
      await thread.runPushed('two', {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.kind !== 'item-start' || event.item.kind !== 'command-execution') return;
          started += 1;
          if (started === 2) setImmediate(() => stop.abort(new Error('enough')));
        },
      });
    },
  },
  {
    name: 'a turn interrupted while the model speaks',
    options: { steps: [respond(text('One.')), stall({ afterEvents: 3 }, respond(text('Never.'), text('Nor this.')))] },
    play: async (thread, scene) => {
      await thread.run('one');
      await interrupted(thread, scene, /* index */ 1);
    },
  },
  {
    name: 'a compaction',
    options: { expectLocalCompactions: true },
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two');
      await thread.compact();
    },
  },
  {
    name: 'a compaction and a turn after it',
    options: { expectLocalCompactions: true },
    play: async (thread) => {
      await thread.run('one');
      await thread.compact();
      await thread.run('two');
    },
  },
  {
    name: 'a compaction inside a turn',
    options: {
      expectLocalCompactions: true,
      config: ['model_auto_compact_token_limit=20000'],
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: 'printf %04000d 1' }), {
          usage: { inputTokens: 50_000 },
        }),
      ],
    },
    play: (thread) => thread.run('one'),
  },
  {
    name: 'a compaction of the provider',
    options: { providerName: 'OpenAI' },
    play: async (thread) => {
      await thread.run('one');
      await thread.compact();
      await thread.run('two');
    },
  },
  {
    name: 'a rollback',
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two');
      await thread.run('three');
      await thread.rollBack(/* turns */ 1);
    },
  },
  {
    name: 'two rollbacks with a turn between them',
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two');
      await thread.rollBack(/* turns */ 1);
      await thread.run('three');
      await thread.run('four');
      await thread.rollBack(/* turns */ 2);
    },
  },
  {
    name: 'a rollback over a compaction',
    options: { expectLocalCompactions: true },
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two');
      await thread.compact();
      await thread.run('three');
      await thread.rollBack(/* turns */ 2);
    },
  },
  {
    name: 'a rollback of the turn after a compaction',
    options: { expectLocalCompactions: true },
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two');
      await thread.compact();
      await thread.run('three');
      await thread.rollBack(/* turns */ 1);
    },
  },
  {
    name: 'a rollback of a turn that compacted itself',
    options: {
      expectLocalCompactions: true,
      config: ['model_auto_compact_token_limit=20000'],
      steps: [
        respond(text('One.')),
        respond(functionCall('call-1', 'shell_command', { command: 'printf %04000d 1' }), {
          usage: { inputTokens: 50_000 },
        }),
      ],
    },
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two');
      await thread.rollBack(/* turns */ 1);
    },
  },
  {
    name: 'a rollback of everything',
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two');
      await thread.rollBack(/* turns */ 2);
    },
  },
  {
    name: 'a rollback over a command of a person and an interrupted turn',
    options: { steps: [respond(text('One.')), stall({ afterEvents: 3 }, respond(text('Never.'), text('Nor this.')))] },
    play: async (thread, scene) => {
      await thread.run('one');
      await thread.runShell('echo hi');
      await interrupted(thread, scene, /* index */ 1);
      await thread.run('three');
      await thread.rollBack(/* turns */ 2);
    },
  },
  {
    name: 'a command of a person',
    play: async (thread) => {
      await thread.run('one');
      await thread.runShell('echo hi; exit 3');
    },
  },
  {
    name: 'a review',
    play: async (thread) => {
      await thread.run('one');
      await thread.review({ kind: 'custom', instructions: 'Is it fine?' });
    },
  },
  {
    name: 'an undo',
    options: {
      config: ['features.undo=true'],
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: 'echo new > file.txt' })),
        respond(text('Written.')),
      ],
    },
    play: async (thread) => {
      await thread.run('one');
      await thread.undo();
    },
  },
  {
    name: 'another model in the last turn',
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two', { overrides: { model: OTHER_MODEL } });
    },
    config: [`model=${OTHER_MODEL}`],
  },
  {
    name: 'another model in a turn that was rolled back',
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two', { overrides: { model: OTHER_MODEL } });
      await thread.rollBack(/* turns */ 1);
    },
    config: [`model=${OTHER_MODEL}`],
  },
  {
    name: 'a change of the personality, kept in the configuration',
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two', { overrides: { personality: 'friendly' } });
    },
    config: ['personality="friendly"'],
  },
  {
    name: 'a change of the approval policy, kept in the configuration',
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two', { overrides: { approvalPolicy: 'on-request' } });
    },
    config: ['approval_policy="on-request"'],
  },
  {
    name: 'a collaboration mode',
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two', { overrides: { collaborationMode: { mode: 'plan', instructions: 'Plan.' } } });
    },
  },
  {
    name: 'a collaboration mode and a compaction',
    options: { expectLocalCompactions: true },
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two', { overrides: { collaborationMode: { mode: 'plan', instructions: 'Plan.' } } });
      await thread.compact();
    },
  },
  {
    name: 'a failed turn',
    options: {
      steps: [
        respond(text('One.')),
        status(/* code */ 400, { body: { error: { code: 'invalid_prompt', message: 'no' } } }),
      ],
    },
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two').catch(() => undefined);
    },
  },
  {
    name: 'a turn that was steered',
    options: { steps: [respond(functionCall('call-1', 'shell_command', { command: 'echo hi' }))] },
    play: async (thread) => {
      const running = thread.run('one');
      thread.steer('and this');
      await running;
    },
  },
  {
    name: 'an interrupted compaction',
    options: {
      expectLocalCompactions: true,
      steps: [respond(text('One.')), stall({ afterEvents: 2 }, respond(text('Never.')))],
    },
    play: async (thread, scene) => {
      await thread.run('one');
      const stop = new AbortController();
      const running = thread.compact({ signal: stop.signal }).catch(() => undefined);
      await scene.simulator.request(/* index */ 1, { signal: AbortSignal.timeout(20_000) });
      stop.abort(new Error('enough'));
      await running;
    },
  },
  {
    name: 'an interrupted review',
    options: { steps: [respond(text('One.')), stall({ afterEvents: 2 }, respond(text('Never.')))] },
    play: async (thread, scene) => {
      await thread.run('one');
      const stop = new AbortController();
      const running = thread
        .review({ kind: 'custom', instructions: 'Fine?' }, { signal: stop.signal })
        .catch(() => undefined);
      await scene.simulator.request(/* index */ 1, { signal: AbortSignal.timeout(20_000) });
      stop.abort(new Error('enough'));
      await running;
    },
  },
  {
    name: 'images and foreign kinds',
    options: {
      steps: [respond({ ...text('One.') }, reasoning('Hm.', { content: 'Raw thought.' }))],
    },
    play: (thread) =>
      thread.run([
        { kind: 'text', text: 'look' },
        { kind: 'image', url: 'data:image/png;base64,iVBORw0KGgo=' },
        { kind: 'text', text: 'closely' },
      ]),
  },
  {
    name: 'project documents and developer instructions',
    options: { config: ['developer_instructions="Be brief."'] },
    play: async (thread) => {
      await thread.run('one');
      await thread.run('two');
      await thread.rollBack(/* turns */ 1);
    },
  },
];

describe('behind', () => {
  test.each(POINTS)(
    '$name the next request is the same after a resume and in a fork, byte for byte [CTX-04] [CTX-26]',
    async (point) => {
      await using scene = await createScene({
        rules: rehearse(({ input }) => respond(text(`Answer behind ${input.length} items.`))),
        ...point.options,
        allowRewrite: () => true,
      });
      await scene.write('file.txt', 'old\n');
      await scene.write('AGENTS.md', 'Use tabs.\n');
      git(scene.repository, 'add', '.');
      git(scene.repository, 'commit', '--quiet', '-m', 'first');
      const thread = await scene.start(FULL_ACCESS);
      await point.play(thread, scene);
      const file = thread.facts.rolloutPath ?? '';
      const whole = await readFile(file);

      const fork = await scene.fork(thread, FULL_ACCESS, point.config);
      await fork.run('next');
      await fork.close();
      await thread.run('next');
      await thread.close();
      await writeFile(file, whole);
      const again = await scene.resume(thread, FULL_ACCESS, point.config);
      await again.run('next');
      await again.close();

      const [forked, continued, resumed] = [
        requestAt(scene, /* index */ -3),
        requestAt(scene, /* index */ -2),
        lastRequest(scene),
      ];
      expect(outlineOf(resumed)).toEqual(outlineOf(continued));
      expect(outlineOf(forked)).toEqual(outlineOf(continued));
      for (const field of ['input', 'instructions', 'tools']) {
        expect(JSON.stringify(resumed.body[field])).toBe(JSON.stringify(continued.body[field]));
        expect(JSON.stringify(forked.body[field])).toBe(JSON.stringify(continued.body[field]));
      }
    },
  );
});

describe('a process that ends at any line of its file', () => {
  test('leaves a thread that can be resumed and forked there [CTX-54]', async () => {
    await using scene = await createScene({
      expectLocalCompactions: true,
      config: ['features.undo=true'],
      steps: [
        respond(
          reasoning('Hm.', { encrypted: 'c2VjcmV0' }),
          functionCall('call-1', 'shell_command', { command: 'sleep 0.05; echo one > file.txt' }),
          functionCall('call-2', 'shell_command', { command: 'echo two' }),
        ),
        respond(text('Done.')),
      ],
      rules: rehearse(({ input }) => respond(text(`Answer behind ${input.length} items.`))),
      allowRewrite: () => true,
    });
    const thread = await scene.start(FULL_ACCESS);
    await thread.run('one');
    await thread.run('two', { overrides: { model: OTHER_MODEL } });
    await thread.rollBack(/* turns */ 1);
    await thread.runShell('echo hi');
    await thread.undo();
    await thread.run('three');
    await thread.compact();
    await thread.run('four');
    await thread.close();
    const file = thread.facts.rolloutPath ?? '';
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');

    for (let count = 1; count <= lines.length; count += 1) {
      // What a turn tells of its settings, up to the line that says what was told, is one write; CTX-57 is about that.
      if (/"role":"developer"/.test(lines[count - 1] ?? '') || /"type":"turn_context"/.test(lines[count] ?? ''))
        continue;
      if (/"type":"turn_context"/.test(lines[count - 1] ?? '')) continue;
      await writeFile(file, `${lines.slice(0, count).join('\n')}\n`);
      await using fork = await scene.fork(thread, FULL_ACCESS);
      await fork.run('forked');
      await using again = await scene.resume(thread, FULL_ACCESS);
      await again.run('next');
      const resumed = lastRequest(scene);
      expect(outlineOf(resumed).at(-1)).toBe('user: next');
      // Each line that stays is in a request at most once.
      expect(new Set(outlineOf(resumed).filter((line) => /^user: (one|two|three|four)$/.test(line))).size).toBe(
        outlineOf(resumed).filter((line) => /^user: (one|two|three|four)$/.test(line)).length,
      );
    }
  });

  test('between the context of a turn and its message tells the context once [CTX-57]', async () => {
    await using scene = await createScene({
      rules: rehearse(({ index }) => respond(text(`Answer ${index}.`))),
      allowRewrite: () => true,
    });
    const thread = await scene.start(FULL_ACCESS);
    await thread.run('one');
    await thread.close();
    const file = thread.facts.rolloutPath ?? '';
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const end = lines.findIndex((line) => line.includes('"type":"turn_context"')) + 1;
    await writeFile(file, `${lines.slice(0, end).join('\n')}\n`);
    await using again = await scene.resume(thread, FULL_ACCESS);
    await again.run('next');

    expect(outlineOf(lastRequest(scene))).toEqual([
      'developer: <permissions instructions>',
      'user: <environment_context>',
      'user: next',
    ]);
  });
});
