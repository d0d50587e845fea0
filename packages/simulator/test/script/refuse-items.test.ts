import type { JsonObject } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { type ItemRefusal, refuseItems, respond, Simulator, text } from '../../src/index.ts';
import { bodyWith, post, send, userMessage } from '../support/client.ts';
import { call, IMAGE, message, output } from '../support/items.ts';
import { WebSocketClient } from '../support/web-socket-client.ts';

const a = userMessage('a');
const picture: JsonObject = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'see' }, IMAGE] };
const seen = output('c', [IMAGE]);
const placeholder = output('c', [{ type: 'input_text', text: 'Invalid image' }]);
const anyImage = refuseItems(() => 'It is empty.', { form: 'image' });
const poison = refuseItems((item) => (JSON.stringify(item).includes('poison') ? 'It is poison.' : undefined), {
  form: 'index',
});

function errorOf(param: string, message: string): JsonObject {
  return { message, type: 'invalid_request_error', param, code: null };
}

const imageError = (param: string): JsonObject =>
  errorOf(param, 'The image data you provided does not represent a valid image. It is empty.');
const poisonError = (place: string): JsonObject => errorOf(place, `Invalid value for '${place}'. It is poison.`);

describe('an item that the service refuses', () => {
  test.each<readonly [string, readonly JsonObject[], JsonObject, ItemRefusal]>([
    ['an image of a message', [a, picture], imageError('input[1].content[1].image_url'), anyImage],
    ['an image of an output', [a, call('c'), seen], imageError('input[2].output[0].image_url'), anyImage],
    ['an item by its place', [a, message('assistant', 'poison')], poisonError('input[1]'), poison],
  ])(
    '%s is answered with status 400 and its place, also by a compaction [SIM-157]',
    async (_name, input, error, refusal) => {
      const sim = await Simulator.start({ refusals: [refusal] });
      const body = { model: 'm', instructions: 'Be brief.', input };
      const answers = [
        await post(sim, bodyWith({ input })),
        await post(sim, bodyWith({ input: [...input, a] })),
        await send(`${sim.url}/responses/compact`, body),
      ];
      await sim.stop();

      expect(answers.map((answer) => [answer.status, JSON.parse(answer.body.toString())])).toEqual(
        answers.map(() => [400, { error }]),
      );
      expect([sim.violations, sim.unexpectedRequests]).toEqual([[], []]);
    },
  );

  test('takes no step, and the thread recovers with a placeholder [SIM-158]', async () => {
    await using sim = await Simulator.start({
      steps: [respond(text('fine')), respond()],
      refusals: [anyImage, poison],
    });
    const codes = [];
    for (const item of [seen, placeholder, placeholder]) {
      codes.push((await post(sim, bodyWith({ input: [a, call('c'), item] }))).status);
    }

    expect([codes, sim.requests.length]).toEqual([[400, 200, 200], 3]);
  });

  test('is an error event over WebSocket, with its place in what was sent [SIM-157]', async () => {
    await using sim = await Simulator.start({ steps: [respond(), respond()], refusals: [poison] });
    using client = await WebSocketClient.open(sim);
    await client.ask();
    const refused = await client.ask({ previous_response_id: 'resp_0', input: [a, userMessage('poison')] });
    const after = await client.ask({ input: [userMessage('hello'), a, userMessage('harmless')] });

    expect(refused).toEqual([{ type: 'error', status: 400, error: poisonError('input[1]') }]);
    expect(after.length).toBe(2);
  });

  test('that the response before brought is only refused once it is sent [SIM-157]', async () => {
    await using sim = await Simulator.start({ steps: [respond(text('poison'))], refusals: [poison] });
    using client = await WebSocketClient.open(sim);
    await client.ask();
    const [unknown] = await client.ask({ previous_response_id: 'resp_0', input: [a] });
    const whole = await client.ask({ input: [userMessage('hello'), message('assistant', 'poison'), a] });

    expect(unknown).toMatchObject({ type: 'error', status: 400, error: { code: 'previous_response_not_found' } });
    expect(whole).toEqual([{ type: 'error', status: 400, error: poisonError('input[1]') }]);
  });
});
