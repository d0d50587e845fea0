import { functionCall, respond, text } from '@quire/simulator';
import { expect, test } from 'vitest';
import { isChild, openScene, outputText, runAll, spawnedId, warningsOf } from '../sub-agents-scene.ts';

test('what is to be said of models and choices is said once for a thread and its agents [MODEL-07] [MODEL-49]', async () => {
  await using scene = await openScene(
    (request) => {
      if (isChild(request)) return respond(text('Found.'));
      if (outputText(request, 'spawn') === undefined) {
        return respond(
          functionCall('spawn', 'spawn_agent', { message: 'same' }),
          functionCall('other', 'spawn_agent', { message: 'other', model: 'mistral' }),
        );
      }
      if (outputText(request, 'wait') === undefined) {
        return respond(functionCall('wait', 'wait', { ids: [spawnedId(request, 'other')] }));
      }
      return respond(text('Done.'));
    },
    ['model_verbosity="high"', 'model=llama'],
  );
  const told = warningsOf(await runAll(scene.thread, 'go'));

  expect([
    scene.thread.facts.warnings,
    told[0],
    told.slice(1).map((line) => line.replace(/Agent \w+/, 'Agent')),
  ]).toEqual([
    ['Nothing is known about the model llama; general settings are used for it, which may cost quality.'],
    'llama takes no verbosity; high is left out.',
    [
      'Agent: Nothing is known about the model mistral; general settings are used for it, which may cost quality.',
      'Agent: mistral takes no verbosity; high is left out.',
    ],
  ]);
});
