import type { JsonObject, ModelError, ModelErrorCode, ResponseItem } from '@quire/protocol';
import { errorEvent, failed, respond, Simulator, type Step, status, text } from '@quire/simulator';
import { describe, expect, test } from 'vitest';
import { httpError } from '../src/errors/http-error.ts';
import { responseFailedError } from '../src/errors/response-error.ts';
import { wholeInputIndex } from '../src/ws/continuation.ts';
import { connect, REQUEST, run, runToFailure, withInput } from './support.ts';

type Verdict = readonly [ModelErrorCode, number | undefined];

const INVALID_IMAGE = 'The image data you provided does not represent a valid image. Please check your input.';

const known = (total: number) => (named: number) => (named < total ? named : undefined);

function ofStatus(body: unknown): Verdict {
  const bodyText = typeof body === 'string' ? body : JSON.stringify(body);
  const context = {
    nowMs: 0,
    secrets: [],
    credentials: 'none',
    remedy: undefined,
    inputIndex: known(/* total */ 20),
  } as const;
  const error = httpError({ status: 400, headers: {}, bodyText, url: 'http://h' }, context);
  expect(error.retryable).toBe(false);
  return [error.code, error.rejectedInputIndex];
}

test.each<[string, unknown, Verdict]>([
  ['a parameter', { error: { param: 'input[12]', message: 'no' } }, ['invalid-request', 12]],
  ['a place below it', { error: { param: 'input[12].content', message: 'no' } }, ['invalid-request', 12]],
  ['a deep place', { error: { param: 'input[3].content[0].text', message: 'no' } }, ['invalid-request', 3]],
  ['the message', { error: { message: "Invalid 'input[4].name': too long." } }, ['invalid-request', 4]],
  [
    'the message, beside a vague parameter',
    { error: { param: 'input', message: "See 'input[4]'." } },
    ['invalid-request', 4],
  ],
  [
    'the parameter before the message',
    { error: { param: 'input[1]', message: "Not like 'input[0]'." } },
    ['invalid-request', 1],
  ],
  ['one item twice', { error: { message: "'input[2].a' and input[2].b differ" } }, ['invalid-request', 2]],
  ['a text without an error object', 'bad request: input[5] is not known', ['invalid-request', 5]],
  ['two items', { error: { message: 'input[1] and input[2] have the same id' } }, ['invalid-request', undefined]],
  ['an item that was not sent', { error: { param: 'input[20]', message: 'no' } }, ['invalid-request', undefined]],
  [
    'the input of something else',
    { error: { param: 'tools[0].input[1]', message: 'x.input[1]' } },
    ['invalid-request', undefined],
  ],
  ['nothing', { error: { param: null, message: 'no' } }, ['invalid-request', undefined]],
  ['an image by its place', { error: { param: 'input[3].content[0].image_url', message: 'no' } }, ['invalid-image', 3]],
  [
    'an image in the message',
    { error: { message: "Invalid 'input[3].image_url'. Expected a URL." } },
    ['invalid-image', 3],
  ],
  [
    'an image in a tool output',
    { error: { param: 'input[7].output[1].image_url', message: INVALID_IMAGE } },
    ['invalid-image', 7],
  ],
  ['an image by the known sentence', { error: { message: INVALID_IMAGE } }, ['invalid-image', undefined]],
  ['an image by the sentence as plain text', 'the data does not represent a valid image', ['invalid-image', undefined]],
  [
    'an image by its code',
    { error: { code: 'invalid_base64_image', param: 'input[2]', message: 'no' } },
    ['invalid-image', 2],
  ],
  [
    'a full window',
    { error: { code: 'context_length_exceeded', param: 'input[2]', message: 'long' } },
    ['context-window-exceeded', undefined],
  ],
])('a 400 that names %s [REJECT-01] [REJECT-02]', (_title, body, verdict) => {
  expect(ofStatus(body)).toEqual(verdict);
});

test.each<[string, JsonObject, Verdict, boolean]>([
  ['a prompt', { code: 'invalid_prompt', message: 'no' }, ['invalid-request', undefined], false],
  ['an item', { code: 'invalid_prompt', message: "Invalid 'input[2].id'" }, ['invalid-request', 2], false],
  ['an item, under an unknown code', { code: 'new', param: 'input[2]', message: 'no' }, ['invalid-request', 2], false],
  ['an image', { code: 'image_parse_error', message: 'no' }, ['invalid-image', undefined], false],
  ['an image and its place', { code: 'new', param: 'input[2].output[0].image_url' }, ['invalid-image', 2], false],
  ['an image by the known sentence', { code: 'new', message: INVALID_IMAGE }, ['invalid-image', undefined], false],
  ['nothing', { code: 'server_error', message: 'again' }, ['response-failed', undefined], true],
])('a failed response that blames %s [REJECT-03]', (_title, error, [code, index], retryable) => {
  const context = { requestId: 'req-1', inputIndex: known(/* total */ 20) };
  const { code: found, rejectedInputIndex, retryable: again } = responseFailedError({ response: { error } }, context);
  expect([found, rejectedInputIndex, again]).toEqual([code, index, retryable]);
});

test.each<[string, number, { sentFrom: number; total: number }, number | undefined]>([
  ['all was sent', 3, { sentFrom: 0, total: 5 }, 3],
  ['all was sent, and there is no such item', 5, { sentFrom: 0, total: 5 }, undefined],
  ['only the items sent can be meant', 1, { sentFrom: 8, total: 10 }, 9],
  ['only the whole can be meant', 9, { sentFrom: 8, total: 10 }, 9],
  ['an item before those sent can be meant only by counting the whole', 5, { sentFrom: 8, total: 10 }, 5],
  ['both can be meant', 3, { sentFrom: 2, total: 10 }, undefined],
  ['nothing was sent', 0, { sentFrom: 2, total: 2 }, 0],
  ['there is no such item', 12, { sentFrom: 8, total: 10 }, undefined],
])(
  'when %s, a place in a continued request is told as far as it is sure [REJECT-04]',
  (_title, named, sent, expected) => {
    expect(wholeInputIndex(named, sent)).toBe(expected);
  },
);

const message = (content: string): ResponseItem => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text: content }],
});

/** The second request of a thread, which goes on from the answer to the first, and its failure. */
async function secondFails(webSocket: 'off' | 'when-supported', step: Step): Promise<ModelError> {
  await using simulator = await Simulator.start({ steps: [respond(text('one', { id: 'msg_1' })), step] });
  using client = connect(simulator.url, { webSocket, with: { supportsWebsockets: true } });
  const events = await run(client.turn);
  const items = events.flatMap((event) => (event.kind === 'item-end' ? [event.item] : []));
  const next = withInput(...REQUEST.input, ...items, message('two'), message('three'));
  const { error } = await runToFailure(client.turn, next);
  expect(simulator.requests.length).toBe(2);
  return error;
}

const refusal = { type: 'invalid_request_error', code: 'invalid_value', message: 'no' };

describe.each(['off', 'when-supported'] as const)('with WebSocket %s', (webSocket) => {
  test.each<[string, Step]>([
    ['a status', status(/* code */ 400, { body: { error: { ...refusal, param: 'input[3].content' } } })],
    ['an event', respond(errorEvent({ ...refusal, param: 'input[3].content' }, { status: 400 }))],
    ['an event without a status', respond(errorEvent({ ...refusal, param: 'input[3].content' }))],
    ['a failed response', respond(failed({ code: 'invalid_prompt', param: 'input[3].content', message: 'no' }))],
  ])('%s that names an item is final and tells its place [REJECT-05]', async (_title, step) => {
    const { code, retryable, rejectedInputIndex, message: words } = await secondFails(webSocket, step);
    expect({ code, retryable, rejectedInputIndex, words }).toEqual({
      code: 'invalid-request',
      retryable: false,
      rejectedInputIndex: 3,
      words: 'no',
    });
  });

  test.each<[string, Step]>([
    ['a status', status(/* code */ 400, { body: { error: { ...refusal, message: `${INVALID_IMAGE} (input[2])` } } })],
    ['an event', respond(errorEvent({ ...refusal, message: `${INVALID_IMAGE} (input[2])` }, { status: 400 }))],
    ['a failed response', respond(failed({ code: 'invalid_image', param: 'input[2]' }))],
  ])('%s that refuses an image is told as that, with its place [REJECT-05]', async (_title, step) => {
    const { code, retryable, rejectedInputIndex } = await secondFails(webSocket, step);
    expect({ code, retryable, rejectedInputIndex }).toEqual({
      code: 'invalid-image',
      retryable: false,
      rejectedInputIndex: 2,
    });
  });
});

test('a place among the items sent is told as the place in the whole input [REJECT-04]', async () => {
  const error = await secondFails(
    'when-supported',
    status(/* code */ 400, { body: { error: { ...refusal, param: 'input[0].content' } } }),
  );
  expect(error.rejectedInputIndex).toBe(2);
});

test('an error event over server-sent events that is no refusal is still told by the end of the body [REJECT-05]', async () => {
  const error = await secondFails(
    'off',
    respond(errorEvent({ type: 'server_error', message: 'busy' }, { status: 500 })),
  );
  expect([error.code, error.retryable]).toEqual(['stream-truncated', true]);
});
