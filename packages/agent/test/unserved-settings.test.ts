import { respond, Simulator, text } from '@quire/simulator';
import { expect, test } from 'vitest';
import { Quire } from '../src/index.ts';
import { createWorkspace } from './workspace.ts';

test('a setting that is understood and not served is told when a thread opens [AGENT-63]', async () => {
  await using workspace = await createWorkspace();
  await using simulator = await Simulator.start({ steps: [respond(text('Ok.'))] });
  const quire = new Quire({
    home: workspace.home,
    environment: { PATH: process.env['PATH'], HOME: workspace.home },
    configOverrides: [
      `model_providers.p={name="P",base_url="${simulator.url}"}`,
      'model_provider=p',
      'model=gpt-5.2-codex',
      'oss_provider=ollama',
    ],
  });
  await using thread = await quire.startThread({ workingDirectory: workspace.repository });
  await thread.run('hi');
  expect(thread.facts.warnings).toEqual(['oss_provider is not supported yet: set model_provider instead.']);
});
