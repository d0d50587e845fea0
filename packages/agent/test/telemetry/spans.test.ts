import { functionCall, respond, text } from '@quire/simulator';
import { expect, test } from 'vitest';
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
