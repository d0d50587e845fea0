import { describe, expect, test } from 'vitest';
import { catalogEntry, Simulator, status } from '../../src/index.ts';
import { send } from '../support/client.ts';

const ask = (sim: Simulator, headers: Record<string, string> = {}) =>
  send(`${sim.url}/models?client_version=1.2.3`, /* body */ undefined, { method: 'GET', headers });

describe('the models endpoint', () => {
  test('answers with its list and etag, and with nothing new to who knows it [MODEL-40]', async () => {
    const models = [catalogEntry('m', { priority: 7 })];
    await using sim = await Simulator.start({ models, etag: '"e1"' });
    const first = sim.modelsRequest(/* index */ 0);
    const answers = [
      await ask(sim),
      await ask(sim, { 'if-none-match': '"e1"' }),
      await ask(sim, { 'if-none-match': '"x"' }),
    ];

    expect(answers.map((answer) => [answer.status, answer.headers['etag'], answer.body.toString()])).toEqual([
      [200, '"e1"', JSON.stringify({ models })],
      [304, '"e1"', ''],
      [200, '"e1"', JSON.stringify({ models })],
    ]);
    expect((await first).clientVersion).toBe('1.2.3');
  });

  test('answers as it is told until it gets another list [MODEL-40]', async () => {
    await using sim = await Simulator.start();
    sim.setModelsAnswer(status(/* code */ 503, { body: 'busy' }));
    const told = await ask(sim);
    sim.setModels([catalogEntry('n')], { etag: '"e2"' });
    const after = await ask(sim);

    expect([told.status, told.body.toString(), after.status, after.headers['etag']]).toEqual([
      503,
      'busy',
      200,
      '"e2"',
    ]);
  });
});

test('a request for the usage can be waited for [MODEL-40]', async () => {
  await using sim = await Simulator.start();
  const first = sim.usageRequest(/* index */ 0);
  await send(`http://127.0.0.1:${sim.port}/api/codex/usage`, /* body */ undefined, { method: 'GET' });

  expect((await first).path).toBe('/api/codex/usage');
});
