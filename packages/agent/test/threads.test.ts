import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError, Quire, TurnFailedError } from '@quire/agent';
import { functionCall, respond, Simulator, stall, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { createWorkspace } from './workspace.ts';

const FULL_ACCESS = { sandboxMode: 'danger-full-access' } as const;

describe('a program', () => {
  test('runs a turn with a real command and gets items, answer and usage [AGENT-01]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({
      steps: [
        respond(functionCall('call-1', 'shell_command', { command: 'echo hello' })),
        respond(text('It said hello.')),
      ],
    });
    await using thread = await workspace
      .quire(simulator)
      .startThread({ ...FULL_ACCESS, workingDirectory: workspace.repository });

    const result = await thread.run('say hello');

    expect(result.finalResponse).toBe('It said hello.');
    expect(result.items.map((item) => item.kind)).toEqual(['user-message', 'command-execution', 'agent-message']);
    expect(result.items[1]).toMatchObject({
      output: 'hello\n',
      exitCode: 0,
      status: 'completed',
      cwd: workspace.repository,
    });
    expect(simulator.requests[1]?.toolOutputs[0]?.output).toMatch(
      /^Exit code: 0\nWall time: [\d.]+ seconds\nOutput:\nhello\n$/,
    );
    expect(result.usage?.total.totalTokens).toBeGreaterThan(0);
  });

  test('streams the events of a turn, the end last [AGENT-02]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [respond(text('Hello.'))] });
    await using thread = await workspace.quire(simulator).startThread({ workingDirectory: workspace.repository });

    const kinds: string[] = [];
    for await (const event of thread.runStreamed('hi')) kinds.push(event.kind);

    expect(kinds[0]).toBe('turn-start');
    expect(kinds.at(-1)).toBe('turn-end');
    expect(kinds.filter((kind) => kind === 'turn-end').length).toBe(1);
  });

  test('that leaves the stream interrupts the turn [AGENT-03]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [stall({ afterEvents: 2 }, respond(text('Never.')))] });
    await using thread = await workspace.quire(simulator).startThread({ workingDirectory: workspace.repository });

    for await (const event of thread.runStreamed('hi')) if (event.kind === 'item-start') break;

    const lines = await readFile(thread.facts.rolloutPath ?? '', 'utf8');
    expect(JSON.parse(lines.trim().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'event_msg',
      payload: { type: 'turn_aborted', reason: 'interrupted' },
    });
  });

  test('goes on with a thread by id and by last, and each request extends the one before [AGENT-04]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({
      steps: [respond(text('One.')), respond(text('Two.')), respond(text('Three.'))],
    });
    const quire = workspace.quire(simulator);
    const options = { workingDirectory: workspace.repository };
    const first = await quire.startThread(options);
    await first.run('one');
    await first.close();
    const second = await quire.resumeThread({ kind: 'id', id: first.facts.threadId }, options);
    await second.run('two');
    await second.close();
    const third = await quire.resumeThread({ kind: 'last' }, options);
    const result = await third.run('three');
    await third.close();

    expect([second.facts.threadId, third.facts.threadId]).toEqual([first.facts.threadId, first.facts.threadId]);
    expect(result.finalResponse).toBe('Three.');
    expect(simulator.requests[2]?.input.length).toBe(2 + 5);
  });

  test('has the header on disk before it knows the thread, and nothing for an ephemeral one [AGENT-05]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({});
    const options = { workingDirectory: workspace.repository };
    await using kept = await workspace.quire(simulator).startThread(options);
    const header = (await readFile(kept.facts.rolloutPath ?? '', 'utf8')).split('\n')[0] ?? '';
    await using forgotten = await workspace.quire(simulator).startThread({ ...options, ephemeral: true });

    expect(JSON.parse(header)).toMatchObject({
      type: 'session_meta',
      payload: { id: kept.facts.threadId, cwd: workspace.repository },
    });
    expect(forgotten.facts.rolloutPath).toBeUndefined();
    const files = (await readdir(join(workspace.home, 'sessions'), { recursive: true })).filter((name) =>
      name.endsWith('.jsonl'),
    );
    expect(files.length).toBe(1);
  });

  test('gets a rejection for a failed turn and can use the thread again [AGENT-06]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({
      steps: [
        status(/* code */ 400, { body: { error: { message: 'no', code: 'invalid_prompt' } } }),
        respond(text('Fine.')),
      ],
    });
    await using thread = await workspace.quire(simulator).startThread({ workingDirectory: workspace.repository });

    const failure = await thread.run('bad').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TurnFailedError);
    expect((failure as TurnFailedError).failure.code).toBe('invalid-request');
    expect((await thread.run('good')).finalResponse).toBe('Fine.');
  });

  test('may not run two turns at once, nor any after closing [AGENT-07]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [stall({ afterEvents: 1 }, respond(text('Never.')))] });
    const thread = await workspace.quire(simulator).startThread({ workingDirectory: workspace.repository });
    const stop = new AbortController();
    const first = thread.run('one', { signal: stop.signal });

    await expect(thread.run('two')).rejects.toMatchObject({ code: 'busy' });
    await simulator.request(/* index */ 0, { signal: AbortSignal.timeout(20_000) });
    stop.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    await Promise.all([thread.close(), thread.close()]);
    await expect(thread.run('three')).rejects.toMatchObject({ code: 'closed' });
  });

  test.each([
    ['a folder that is not there', { workingDirectory: '/nonexistent-folder' }, 'missing-directory'],
    ['a folder outside a repository', { workingDirectory: '/' }, 'not-a-repository'],
  ] as const)('is refused for %s, and nothing is written [AGENT-08]', async (_, options, code) => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({});

    const error = await workspace
      .quire(simulator)
      .startThread(options)
      .catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(AgentError);
    expect((error as AgentError).code).toBe(code);
    expect(await readdir(workspace.home)).toEqual([]);
  });

  test('without credentials for a provider that needs them is refused before anything is written [AGENT-09]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({});
    const quire = workspace.quire(simulator, { configOverrides: [] });

    await expect(quire.startThread({ workingDirectory: workspace.repository })).rejects.toMatchObject({
      code: 'no-credentials',
    });
    expect(await readdir(workspace.home)).toEqual([]);
  });

  test.each([
    ['CODEX_API_KEY', (url: string) => [`openai_base_url=${JSON.stringify(url)}`]],
    [
      'MY_KEY',
      (url: string) => [`model_providers.mine={name="Mine",base_url="${url}",env_key="MY_KEY"}`, 'model_provider=mine'],
    ],
  ])('does not hand its own key, in %s, to commands or to the record [AGENT-10]', async (variable, overrides) => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({
      expectAuthorization: 'Bearer sk-sentinel',
      steps: [respond(functionCall('call-1', 'shell_command', { command: 'env' })), respond(text('Done.'))],
    });
    const quire = new Quire({
      home: workspace.home,
      environment: { PATH: process.env['PATH'], HOME: workspace.home, OTHER: 'kept', [variable]: 'sk-sentinel' },
      configOverrides: overrides(simulator.url),
    });
    await using thread = await quire.startThread({ ...FULL_ACCESS, workingDirectory: workspace.repository });

    await thread.run('go');

    expect(simulator.requests[1]?.rawBody.toString()).toContain('OTHER=kept');
    expect(simulator.requests[1]?.rawBody.toString()).not.toContain('sk-sentinel');
    expect(await readFile(thread.facts.rolloutPath ?? '', 'utf8')).not.toContain('sk-sentinel');
  });

  test('that gives up opening leaves nothing behind [AGENT-15]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({});
    const signal = AbortSignal.abort(new Error('changed my mind'));

    const opening = workspace.quire(simulator).startThread({ workingDirectory: workspace.repository, signal });

    await expect(opening).rejects.toThrow('changed my mind');
    expect(await readdir(workspace.home)).toEqual([]);
  });

  test('with a key that can not be sent is refused before anything is written [AGENT-16]', async () => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({});
    const quire = workspace.quire(simulator, { configOverrides: [], baseUrl: simulator.url, apiKey: 'sk-a\nb' });

    await expect(quire.startThread({ workingDirectory: workspace.repository })).rejects.toMatchObject({
      code: 'no-credentials',
    });
    expect(await readdir(workspace.home)).toEqual([]);
  });

  test.each([
    ['OpenAI', ['web_search']],
    ['Test', []],
    ['Azure', []],
  ])('offers the web search of the provider named %s only where there is one [AGENT-17]', async (name, offered) => {
    await using workspace = await createWorkspace();
    await using simulator = await Simulator.start({ steps: [respond(text('Ok.'))], lenient: true });
    const quire = new Quire({
      home: workspace.home,
      environment: { PATH: process.env['PATH'], HOME: workspace.home },
      configOverrides: [`model_providers.p={name="${name}",base_url="${simulator.url}"}`, 'model_provider=p'],
    });
    await using thread = await quire.startThread({ workingDirectory: workspace.repository });

    await thread.run('hi');

    const tools = simulator.requests[0]?.body['tools'] as readonly { readonly type: string }[];
    expect(tools.filter((tool) => tool.type === 'web_search').map((tool) => tool.type)).toEqual(offered);
  });

  test('tells the model about AGENTS.md and the place [AGENT-11]', async () => {
    await using workspace = await createWorkspace();
    await writeFile(join(workspace.repository, 'AGENTS.md'), 'Use tabs.\n');
    await using simulator = await Simulator.start({ steps: [respond(text('Ok.'))] });
    await using thread = await workspace.quire(simulator).startThread({ workingDirectory: workspace.repository });

    await thread.run('hi');

    const context = JSON.stringify(simulator.requests[0]?.input[1]);
    expect(context).toContain(`# AGENTS.md instructions for ${workspace.repository}`);
    expect(context).toContain(`<cwd>${workspace.repository}</cwd>`);
  });
});
