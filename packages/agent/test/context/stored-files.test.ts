import { readFile } from 'node:fs/promises';
import type { JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import {
  answersAll,
  createScene,
  FULL_ACCESS,
  lastRequest,
  linesOf,
  outlineOf,
  type Scene,
  textsOf,
  userText,
} from './scene.ts';

const ID = '019c7000-0000-7000-8000-000000000001';
const line = (type: string, payload: JsonObject): JsonObject => ({
  timestamp: '2026-02-20T10:00:00.000Z',
  type,
  payload,
});
const item = (payload: JsonObject): JsonObject => line('response_item', payload);
const event = (type: string, fields: JsonObject = {}): JsonObject => line('event_msg', { type, ...fields });
const meta = (cwd: string, fields: JsonObject = {}): JsonObject =>
  line('session_meta', {
    id: ID,
    timestamp: '2026-02-20T10:00:00.000Z',
    cwd,
    originator: 'codex_cli_rs',
    cli_version: '0.50.0',
    source: 'cli',
    ...fields,
  });
const answer = (text: string): JsonObject => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text }],
});
const context = (cwd: string, fields: JsonObject = {}): JsonObject =>
  line('turn_context', {
    cwd,
    approval_policy: 'never',
    sandbox_policy: { type: 'danger-full-access' },
    model: 'gpt-5.2-codex',
    summary: 'auto',
    ...fields,
  });
const turn = (id: string, cwd: string, ...lines: readonly JsonObject[]): readonly JsonObject[] => [
  event('task_started', { turn_id: id }),
  context(cwd, { turn_id: id }),
  ...lines,
  event('task_complete', { turn_id: id, last_agent_message: null }),
];

/** Resumes a file of these lines, runs a turn; gives back the request, and the file before and after. */
async function goOn(
  linesFor: (repository: string) => readonly JsonObject[],
  check: (seen: {
    readonly scene: Scene;
    readonly request: ReturnType<typeof lastRequest>;
    readonly before: string;
    readonly after: string;
  }) => void | Promise<void>,
  config: readonly string[] = [],
): Promise<void> {
  await using scene = await createScene({ rules: answersAll(), config });
  const file = await scene.writeRollout(ID, linesFor(scene.repository));
  const before = await readFile(file, 'utf8');
  const thread = await scene.resume(ID, FULL_ACCESS);
  await thread.run('next');
  await thread.close();
  await check({ scene, request: lastRequest(scene), before, after: await readFile(file, 'utf8') });
}

describe('a stored thread', () => {
  test('with missing answers and answers without calls is repaired in the request, not in the file [CTX-34]', async () => {
    await goOn(
      (cwd) => [
        meta(cwd),
        ...turn(
          't1',
          cwd,
          item(userText('hi')),
          event('user_message', { message: 'hi' }),
          item({ type: 'function_call', name: 'shell_command', arguments: '{"command":"ls"}', call_id: 'open-1' }),
          item({ type: 'custom_tool_call', name: 'apply_patch', input: 'x', call_id: 'open-2' }),
          item({
            type: 'local_shell_call',
            call_id: 'open-3',
            status: 'completed',
            action: { type: 'exec', command: ['ls'] },
          }),
          item({ type: 'function_call_output', call_id: 'orphan-1', output: 'lost' }),
          item({ type: 'custom_tool_call_output', call_id: 'orphan-2', output: 'lost' }),
          item(answer('Done.')),
        ),
      ],
      ({ scene, request, before, after }) => {
        expect(scene.show([request], ['next turn'])).toMatchInlineSnapshot(`
          "## next turn
          http, model gpt-5.2-codex
          instructions: text 1, "You are Quire, a coding agent. You work in a terminal on the user's machine, on the files of one project, through the tools you are given. You are precise, safe and helpful, and you finish what you start."
          tools: shell_command, update_plan, apply_patch, view_image
          0 message user: hi
          1 function_call shell_command call 1: {"command":"ls"}
          2 function_call_output call 1: aborted
          3 custom_tool_call apply_patch call 2: x
          4 custom_tool_call_output call 2: aborted
          5 local_shell_call call 3: {"status":"completed","action":{"type":"exec","command":["ls"]}}
          6 function_call_output call 3: aborted
          7 message assistant: Done.
          8 message user: <environment_context>
          9 message user: next"
        `);
        expect(after.startsWith(before)).toBe(true);
        expect(after.slice(before.length)).not.toMatch(/open-\d|orphan-\d/);
      },
    );
  });

  test('of an old version with a plain text as the output of a custom tool sends it as it is [CTX-35]', async () => {
    await goOn(
      (cwd) => [
        meta(cwd, { instructions: null }),
        item(userText('hi')),
        item({ type: 'custom_tool_call', status: 'completed', name: 'apply_patch', input: 'x', call_id: 'call-1' }),
        item({
          type: 'custom_tool_call_output',
          call_id: 'call-1',
          output: '{"output":"Success.","metadata":{"exit_code":0}}',
        }),
        item({
          type: 'ghost_snapshot',
          ghost_commit: { id: 'abc', preexisting_untracked_files: [], preexisting_untracked_dirs: [] },
        }),
        item(answer('Done.')),
      ],
      ({ request }) => {
        expect(outlineOf(request)).toEqual([
          'user: hi',
          'custom_tool_call call-1',
          'custom_tool_call_output call-1',
          'assistant: Done.',
          'developer: <permissions instructions>',
          'user: <environment_context>',
          'user: next',
        ]);
        expect(String(request.toolOutputs[0]?.output)).toContain('Success.');
      },
    );
  });

  test('with an image that a tool put into the conversation as a message keeps it [CTX-35]', async () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' };
    await goOn(
      (cwd) => [
        meta(cwd),
        ...turn(
          't1',
          cwd,
          item(userText('look')),
          event('user_message', { message: 'look' }),
          item({ type: 'function_call', name: 'view_image', arguments: '{"path":"a.png"}', call_id: 'call-1' }),
          item({ type: 'function_call_output', call_id: 'call-1', output: 'attached local image path' }),
          item({ type: 'message', role: 'user', content: [image] }),
          item(answer('A cat.')),
        ),
      ],
      ({ request }) => {
        expect(request.input).toContainEqual({ type: 'message', role: 'user', content: [image] });
        expect(outlineOf(request).at(-1)).toBe('user: next');
      },
    );
  });

  test('compacted in the old form goes on from what people said and the summary, with the whole context [CTX-35]', async () => {
    await goOn(
      (cwd) => [
        meta(cwd),
        ...turn(
          't1',
          cwd,
          item(userText('<environment_context>\n  <cwd>/x</cwd>\n</environment_context>')),
          item(userText('one')),
          event('user_message', { message: 'one' }),
          item(answer('One.')),
        ),
        line('compacted', { message: 'SUMMARY A' }),
        ...turn('t2', cwd, item(userText('two')), event('user_message', { message: 'two' }), item(answer('Two.'))),
        line('compacted', { message: 'SUMMARY B' }),
      ],
      ({ request }) => {
        expect(outlineOf(request)).toEqual([
          'user: one',
          'user: two',
          'user: SUMMARY B',
          'developer: <permissions instructions>',
          'user: <environment_context>',
          'user: next',
        ]);
      },
    );
  });

  test('with settings but no task events is a conversation; settings alone are no turn [CTX-35]', async () => {
    await goOn(
      (cwd) => [
        meta(cwd),
        context(cwd),
        item(userText('one')),
        event('user_message', { message: 'one' }),
        item(answer('One.')),
        context('/elsewhere', { model: 'another-model' }),
      ],
      ({ request }) => {
        const told = outlineOf(request);
        expect(told.slice(0, 2)).toEqual(['user: one', 'assistant: One.']);
        expect(told.at(-1)).toBe('user: next');
        expect(told.join('\n')).not.toContain('<model_switch>');
      },
    );
  });

  test('with wrong lines and foreign kinds is read with a word of warning [CTX-36]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    const file = await scene.writeRollout(ID, [
      meta(scene.repository),
      ...turn(
        't1',
        scene.repository,
        item(userText('one')),
        event('user_message', { message: 'one' }),
        line('world_state', { any: 1 }),
        item({ type: 'hologram', id: 'h1', depth: 3 }),
        item({ type: 'web_search_call', id: 'ws1', status: 'completed', action: { type: 'teleport', to: 'x' } }),
        item({ ...answer('One.'), id: 'msg-1' }),
      ),
    ]);
    const { appendFile } = await import('node:fs/promises');
    await appendFile(file, 'this is no JSON\n{"timestamp":1}\n');
    const thread = await scene.resume(ID, FULL_ACCESS);
    await thread.run('next');
    await thread.close();

    expect(thread.facts.warnings.join('\n')).toContain('could not be understood');
    const { input } = lastRequest(scene);
    expect(input).toContainEqual({ type: 'hologram', id: 'h1', depth: 3 });
    expect(input.find((entry) => entry['type'] === 'web_search_call')).toMatchObject({
      action: { type: 'teleport', to: 'x' },
    });
  });

  test('that used the id of a call twice can be sent, each call with its own output [CTX-37]', async () => {
    const call = (id: string, output: string): readonly JsonObject[] => [
      item({ type: 'function_call', name: 'shell_command', arguments: '{}', call_id: id }),
      item({ type: 'function_call_output', call_id: id, output }),
      event('token_count', { info: null, rate_limits: null }),
    ];
    await goOn(
      (cwd) => [
        meta(cwd),
        ...turn(
          't1',
          cwd,
          item(userText('one')),
          event('user_message', { message: 'one' }),
          ...call('call_0', 'first'),
          ...call('call_0', 'second'),
        ),
      ],
      ({ request }) => expect(request.toolOutputs.map(({ output }) => output)).toEqual(['first', 'second']),
    );
  });

  test('of several steps without token counts keeps each output where it was sent [CTX-35]', async () => {
    const step = (id: string): readonly JsonObject[] => [
      item({ type: 'function_call', name: 'shell_command', arguments: '{}', call_id: id }),
      item({ type: 'function_call_output', call_id: id, output: id }),
    ];
    await goOn(
      (cwd) => [
        meta(cwd),
        ...turn(
          't1',
          cwd,
          item(userText('one')),
          event('user_message', { message: 'one' }),
          ...step('a'),
          ...step('b'),
          item(answer('Done.')),
        ),
      ],
      ({ request }) =>
        expect(outlineOf(request).slice(0, 6)).toEqual([
          'user: one',
          'function_call a',
          'function_call_output a',
          'function_call b',
          'function_call_output b',
          'assistant: Done.',
        ]),
    );
  });

  test('torn inside its last line goes on from every whole line and says so [CTX-36]', async () => {
    await using scene = await createScene({ rules: answersAll() });
    const file = await scene.writeRollout(ID, [
      meta(scene.repository),
      ...turn(
        't1',
        scene.repository,
        item(userText('one')),
        event('user_message', { message: 'one' }),
        item(answer('One.')),
      ),
    ]);
    const { appendFile } = await import('node:fs/promises');
    await appendFile(file, '{"timestamp":"2026-02-20T10:00:00.000Z","type":"response_item","payload":{"type":"mess');
    const thread = await scene.resume(ID, FULL_ACCESS);
    await thread.run('next');
    await thread.close();

    expect(thread.facts.warnings.join('\n')).toContain('half-written');
    expect(outlineOf(lastRequest(scene)).slice(0, 2)).toEqual(['user: one', 'assistant: One.']);
    expect((await linesOf(file)).length).toBeGreaterThan(6);
  });
});

describe('the base instructions of a resumed thread', () => {
  const stored = (cwd: string): readonly JsonObject[] => [
    meta(cwd, { base_instructions: { text: 'STORED BASE' } }),
    ...turn('t1', cwd, item(userText('one')), event('user_message', { message: 'one' }), item(answer('One.'))),
  ];

  test('are those in its header [CTX-24]', async () => {
    await goOn(stored, ({ request }) => expect(request.body['instructions']).toBe('STORED BASE'));
  });

  test('are the configured ones when there are any [CTX-24]', async () => {
    await goOn(stored, ({ request }) => expect(request.body['instructions']).toBe('FROM CONFIG'), [
      'instructions="FROM CONFIG"',
    ]);
  });

  test('are those of the model when the header has none [CTX-24]', async () => {
    await goOn(
      (cwd) => [meta(cwd), ...turn('t1', cwd, item(userText('one')), event('user_message', { message: 'one' }))],
      ({ request }) => expect(request.body['instructions']).toMatch(/^You are Quire/),
    );
  });

  test('go into the header of a fork, and survive a compaction and another model [CTX-24]', async () => {
    await using scene = await createScene({ rules: answersAll(), expectLocalCompactions: true });
    await scene.writeRollout(ID, stored(scene.repository));
    await using fork = await scene.fork(ID, FULL_ACCESS);
    await fork.run('two');
    await fork.compact();
    await fork.run('three', { overrides: { model: 'gpt-5.1-codex-max' } });

    expect(scene.requests.map((request) => request.body['instructions'])).toEqual([
      'STORED BASE',
      'STORED BASE',
      'STORED BASE',
    ]);
    const [header] = await linesOf(fork);
    expect(header).toMatchObject({ payload: { forked_from_id: ID, base_instructions: { text: 'STORED BASE' } } });
    const [switched = ''] = textsOf(
      lastRequest(scene).input.find((entry) => textsOf(entry)[0]?.startsWith('<model_switch>')),
    );
    expect(switched).toContain('STORED BASE');
  });
});
