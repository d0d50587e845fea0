import { readFile } from 'node:fs/promises';
import { functionCall, respond, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { exportAll, Scene } from './scene.ts';

const TOOL_TURN = [
  respond(functionCall('call-1', 'shell_command', { command: 'echo hello' })),
  respond(text('Done.')),
] as const;

describe('what is exported of a thread', () => {
  test('are counters and distributions under the names that the peer has for them [TEL-10]', async () => {
    await using scene = await Scene.set({
      steps: [status(/* code */ 503), ...TOOL_TURN],
      overrides: ['features.undo=true'],
    });
    await scene.run(['say hello']);

    const { collector } = scene;
    const series = (name: string): readonly unknown[] =>
      collector.metrics
        .filter((metric) => metric.name === name)
        .map(({ count, attributes }) => {
          const { 'app.version': _version, originator, model, session_source, ...rest } = attributes;
          expect([originator, model, session_source]).toEqual(['quire_sdk', 'gpt-5.2-codex', 'exec']);
          return { count, ...rest };
        });
    expect(collector.violations).toEqual([]);
    expect(series('codex.thread.started')).toEqual([{ count: 1, is_git: 'true', is_worktree: 'false' }]);
    expect(series('codex.feature.state')).toEqual([{ count: 1, feature: 'undo', value: 'true' }]);
    expect(series('codex.tool.call')).toEqual([
      { count: 1, tool: 'shell_command', success: 'true', sandbox: 'none', sandbox_policy: 'danger-full-access' },
    ]);
    expect(series('codex.api_request')).toEqual([
      { count: 1, status: '503', success: 'false' },
      { count: 2, status: '200', success: 'true' },
    ]);
    expect(series('codex.turn.e2e_duration_ms')).toEqual([{ count: 1 }]);
    expect(series('quire.turn')).toEqual([{ count: 1, kind: 'turn', outcome: 'completed' }]);
    expect(series('codex.turn.tool.call')).toEqual([{ count: 1, tmp_mem_enabled: 'false' }]);
    expect(series('codex.turn.token_usage')).toEqual(
      ['input', 'cached_input', 'cache_write_input', 'output', 'reasoning_output', 'total'].map((token_type) => ({
        count: 1,
        token_type,
        tmp_mem_enabled: 'false',
      })),
    );
    expect([...new Set(collector.metrics.map(({ name, kind, unit }) => `${name} ${kind} ${unit}`))].sort()).toEqual([
      'codex.api_request sum ',
      'codex.api_request.duration_ms histogram ms',
      'codex.feature.state sum ',
      'codex.process.start sum ',
      'codex.sse_event sum ',
      'codex.sse_event.duration_ms histogram ms',
      'codex.startup.phase.duration_ms histogram ms',
      'codex.thread.started sum ',
      'codex.tool.call sum ',
      'codex.tool.call.duration_ms histogram ms',
      'codex.turn.e2e_duration_ms histogram ms',
      'codex.turn.token_usage histogram ',
      'codex.turn.tool.call histogram ',
      'codex.turn.ttfm.duration_ms histogram ms',
      'codex.turn.ttft.duration_ms histogram ms',
      'quire.turn sum ',
    ]);
  });

  test('are log records that stand in their spans [TEL-11]', async () => {
    await using scene = await Scene.set({ steps: TOOL_TURN });
    await scene.run(['say hello']);

    const { collector } = scene;
    const spanOf = new Map(collector.spans.map(({ spanId, name }) => [spanId, name]));
    const told = new Set(collector.logs.map(({ name, spanId }) => `${name} in ${spanOf.get(spanId ?? '')}`));
    expect([...told].sort()).toEqual([
      'codex.api_request in model.request',
      'codex.conversation_starts in thread.start',
      'codex.sse_event in model.request',
      'codex.startup_phase in thread.start',
      'codex.tool_decision in tool.call',
      'codex.tool_result in tool.call',
      'codex.turn_ttft in turn.run',
      'codex.user_prompt in turn.run',
    ]);
    const completions = collector.logs.filter(({ attributes }) => attributes['input_token_count'] !== undefined);
    expect(completions).toHaveLength(2);
    expect(completions[0]?.attributes).toMatchObject({
      model: 'gpt-5.2-codex',
      input_token_count: expect.any(String),
      output_token_count: expect.any(String),
      tool_token_count: expect.any(String),
      'conversation.id': expect.any(String),
    });
    const [result] = collector.logs.filter(({ name }) => name === 'codex.tool_result');
    expect(result?.attributes).toMatchObject({ tool_name: 'shell_command', call_id: 'call-1', success: 'true' });
    const [decision] = collector.logs.filter(({ name }) => name === 'codex.tool_decision');
    expect(decision?.attributes).toMatchObject({ call_id: 'call-1', decision: 'approved', source: 'Config' });
  });

  test.each([
    ['no prompt', [], '[REDACTED]'],
    ['the prompt when the user says so', ['otel.log_user_prompt=true'], 'say hello to Ada'],
  ])('holds %s [TEL-12]', async (_title, overrides, prompt) => {
    await using scene = await Scene.set({ steps: [respond(text('Hello.'))], overrides });
    await scene.run(['say hello to Ada']);

    const [record] = scene.collector.logs.filter(({ name }) => name === 'codex.user_prompt');
    expect(record?.attributes).toMatchObject({ prompt, prompt_length: '16' });
    const bytes = scene.collector.exports.map(({ body }) => body.toString('utf8')).join('\n');
    expect(bytes.includes('hello to Ada')).toBe(overrides.length > 0);
  });

  test('names the service, its version and the environment, and what the variables of OpenTelemetry add [TEL-13]', async () => {
    const environment = {
      PATH: process.env['PATH'],
      OTEL_RESOURCE_ATTRIBUTES: 'team=tools,place=here%20now',
      OTEL_SERVICE_NAME: 'my-agent',
    };
    await using scene = await Scene.set({
      steps: [respond(text('Hello.'))],
      overrides: ['otel.environment=staging'],
      quire: { environment },
    });
    await scene.run(['hello'].map((prompt) => prompt));
    expect(scene.collector.spans[0]?.resource).toMatchObject({
      'service.name': 'my-agent',
      'service.version': expect.any(String),
      'service.instance.id': expect.any(String),
      'deployment.environment.name': 'staging',
      team: 'tools',
      place: 'here now',
    });
  });
});

test('no secret is in anything that is exported, wherever it stands [TEL-14]', async () => {
  const secrets = {
    variable: 'variable-sentinel-58c1d7e0aa',
    header: 'header-sentinel-58c1d7e0aa',
    bearer: 'bearer-sentinel-58c1d7e0aa',
    collector: 'collector-sentinel-58c1d7e0aa',
    output: 'output-sentinel-58c1d7e0aa',
    argument: 'argument-sentinel-58c1d7e0aa',
    server: 'server-sentinel-58c1d7e0aa',
  };
  const environment = { PATH: process.env['PATH'], DEPLOY_TOKEN: secrets.variable };
  await using scene = await Scene.set({
    steps: [
      status(/* code */ 500, { body: `{"error":{"message":"${secrets.server}"}}` }),
      respond(functionCall('call-1', 'shell_command', { command: `echo ${secrets.argument}` })),
      respond(functionCall(`call-${secrets.variable}`, secrets.argument, { text: secrets.output })),
      respond(text(secrets.output)),
    ],
    provider: `,http_headers={x-key="${secrets.header}"},experimental_bearer_token="${secrets.bearer}"`,
    overrides: ['otel.log_user_prompt=true'],
    quire: { environment },
  });
  const more = `,protocol="json",headers={x-collector-key="${secrets.collector}"}`;
  await scene.run([`my token is ${secrets.variable}`], exportAll(scene.collector, { more }));

  const { collector } = scene;
  expect(collector.exports[0]?.headers['x-collector-key']).toBe(secrets.collector);
  const bytes = collector.exports.map(({ body }) => body.toString('utf8')).join('\n');
  expect(bytes).toContain('codex.user_prompt');
  expect(Object.values(secrets).filter((secret) => bytes.includes(secret))).toEqual([]);
});

test('every name that is exported stands in the documentation [TEL-15]', async () => {
  await using scene = await Scene.set({ steps: TOOL_TURN, overrides: ['features.undo=true'] });
  await scene.run(['say hello']);
  const { spans, metrics, logs } = scene.collector;
  const page = await readFile(new URL('../../../../docs/telemetry.md', import.meta.url), 'utf8');
  const names = new Set([...spans, ...metrics, ...logs].map(({ name }) => name));
  expect([...names].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test('OTEL_SDK_DISABLED switches everything off [TEL-16]', async () => {
  await using scene = await Scene.set({
    steps: [respond(text('One.'))],
    quire: { environment: { PATH: process.env['PATH'], OTEL_SDK_DISABLED: 'true' } },
  });
  await scene.run(['one']);
  expect([scene.collector.connections, scene.problems]).toEqual([0, []]);
});

test.each([
  ['approved', 'approved'],
  ['approved-for-session', 'approved_for_session'],
  ['denied', 'denied'],
  ['aborted', 'abort'],
] as const)('a decision of a person is told: %s [TEL-17]', async (kind, decision) => {
  await using scene = await Scene.set({
    steps: [
      respond(functionCall('call-1', 'shell_command', { command: 'touch a' })),
      ...(kind === 'aborted' ? [] : [respond(text('Done.'))]),
    ],
  });
  const { collector, simulator, workspace } = scene;
  const quire = workspace.quire(simulator, {
    environment: { PATH: process.env['PATH'], HOME: workspace.home },
    configOverrides: [...scene.configOverrides, 'approval_policy=untrusted', ...exportAll(collector)],
  });
  const thread = await quire.startThread({
    workingDirectory: workspace.repository,
    sandboxMode: 'danger-full-access',
    person: { approve: async () => ({ kind }) },
  });
  await thread.run('go').catch(() => undefined); // an aborted turn may reject
  await thread.close();
  const decisions = collector.logs.filter(({ name }) => name === 'codex.tool_decision');
  expect(decisions.map(({ attributes }) => [attributes['decision'], attributes['source']])).toEqual([
    [decision, 'User'],
  ]);
});
