import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { functionCall, rehearse, respond, status, text } from '@quire/simulator';
import { expect, test } from 'vitest';
import { isChild, outputText, spawnedId } from '../sub-agents-scene.ts';
import { Scene, treeOf } from './scene.ts';

test('a thread is a tree of spans: its start, its turns, their requests and tools [TEL-01]', async () => {
  await using scene = await Scene.set({
    steps: [
      respond(functionCall('call-1', 'shell_command', { command: 'echo hello' })),
      respond(text('Done.')),
      respond(text('Again.')),
    ],
  });
  await scene.run(['say hello', 'again']);

  const { collector } = scene;
  expect([collector.violations, scene.problems]).toEqual([[], []]);
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(treeOf(collector.spans)).toEqual([
    'thread.start',
    '  turn.run',
    '    model.request',
    '      model.attempt',
    '    tool.call',
    '    model.request',
    '      model.attempt',
    '  turn.run',
    '    model.request',
    '      model.attempt',
  ]);
});

test('a compaction is a span with its requests in it [TEL-02]', async () => {
  await using scene = await Scene.set({
    simulator: { expectLocalCompactions: true, steps: [respond(text('One.')), respond(text('The summary.'))] },
    overrides: ['compaction.strategies=["local"]'],
  });
  await scene.run(['one', { task: 'compact' }]);

  const { collector } = scene;
  expect(treeOf(collector.spans).slice(4)).toEqual([
    '  turn.run',
    '    history.compact',
    '      model.request',
    '        model.attempt',
  ]);
  const [compaction] = collector.spans.filter(({ name }) => name === 'history.compact');
  expect(compaction?.attributes).toMatchObject({ form: 'standalone', automatic: false, outcome: 'compacted' });
  expect(collector.total('codex.task.compact')).toBe(1);
});

test('the thread of an agent stands below the thread that started it [TEL-03]', async () => {
  await using scene = await Scene.set({
    simulator: {
      rules: rehearse((request) => {
        if (isChild(request)) return respond(text('Found it.'));
        if (outputText(request, 'spawn') === undefined) {
          return respond(functionCall('spawn', 'spawn_agent', { message: 'look for it' }));
        }
        if (outputText(request, 'wait') === undefined) {
          return respond(functionCall('wait', 'wait', { ids: [spawnedId(request)] }));
        }
        return respond(text('Done.'));
      }),
    },
    overrides: ['features.multi_agent=true'],
  });
  await scene.run(['go']);

  const { spans, violations } = scene.collector;
  const [parent, child] = spans.filter(({ name }) => name === 'thread.start');
  expect([violations, scene.problems]).toEqual([[], []]);
  expect(child?.parentSpanId).toBe(parent?.spanId);
  expect(spans.filter(({ name }) => name === 'turn.run').map(({ parentSpanId }) => parentSpanId)).toEqual(
    expect.arrayContaining([parent?.spanId, child?.spanId]),
  );
  expect(child?.attributes['conversation.id']).not.toBe(parent?.attributes['conversation.id']);
});

test('a refused login is a span for each step, told with what renewed it, and never with a token [TEL-04]', async () => {
  await using scene = await Scene.set({
    simulator: { oauth: {}, steps: [status(/* code */ 401), status(/* code */ 401), respond(text('One.'))] },
    provider: ',requires_openai_auth=true',
    quire: { environment: { PATH: process.env['PATH'] } },
  });
  const { simulator, workspace, collector } = scene;
  const login = simulator.oauth.logIn();
  const { idToken: id_token, accessToken: access_token, refreshToken: refresh_token } = login;
  const tokens = { id_token, access_token, refresh_token, account_id: 'account-1' };
  const stored = { auth_mode: 'chatgpt', OPENAI_API_KEY: null, tokens, last_refresh: new Date().toISOString() };
  await writeFile(join(workspace.home, 'auth.json'), JSON.stringify(stored), { mode: 0o600 });
  scene.environment = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${simulator.issuer}/oauth/token` };
  await scene.run(['one']);

  const steps = collector.spans.filter(({ name }) => name === 'auth.recover');
  expect(steps.map(({ attributes }) => [attributes['auth.step'], attributes['auth.outcome']])).toEqual([
    ['reload', 'recovery_succeeded'],
    ['refresh_token', 'recovery_succeeded'],
  ]);
  expect(collector.logs.filter(({ name }) => name === 'codex.auth_recovery')).toHaveLength(2);
  expect(
    collector.metrics.filter(({ name }) => name === 'quire.auth_refresh').map(({ attributes }) => attributes),
  ).toMatchObject([{ reason: 'unauthorized-recovery', outcome: 'renewed', auth_mode: 'Chatgpt' }]);
  expect(collector.logs[0]?.attributes['user.account_id']).toBe('account-1');
  expect(collector.spans.filter(({ name }) => name === 'auth.refresh').map(({ error }) => error)).toEqual([undefined]);
  expect(
    [...collector.spans, ...collector.metrics].filter(({ attributes }) => 'user.account_id' in attributes),
  ).toEqual([]);
  const bytes = collector.exports.map(({ body }) => body.toString('utf8')).join('\n');
  expect([access_token, refresh_token, id_token].filter((token) => bytes.includes(String(token)))).toEqual([]);
});

test('a turn that fails or is interrupted, and a thread that can not be opened, say so [TEL-05]', async () => {
  await using scene = await Scene.set({ steps: [status(/* code */ 400, { body: '{"error":{"message":"no"}}' })] });
  await expect(scene.run(['one'])).rejects.toThrow();
  const [turn] = scene.collector.spans.filter(({ name }) => name === 'turn.run');
  expect([turn?.error, turn?.attributes['turn.outcome']]).toEqual([expect.any(String), 'failed']);

  await using closed = await Scene.set({ steps: [], provider: ',env_key="NO_SUCH_KEY"' });
  await expect(closed.run(['one'])).rejects.toThrow('NO_SUCH_KEY');
  expect(closed.collector.spans.map(({ name, error }) => [name, error])).toEqual([
    ['thread.start', expect.any(String)],
  ]);
});
