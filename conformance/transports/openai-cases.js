/** The general client of the API, `openai` from npm, against our provider. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { everyEvent, respond, text } from '@quire/simulator';
import { installPackages } from '../install-packages.js';
import { startSimulateCommand } from './simulate-command.js';

/** @typedef {import('../run.js').Case} Case */

/** The newest version on the registry on the day it was pinned; `ws` is what its WebSocket client wants beside it. */
const VERSIONS = { openai: '7.55.0', ws: '8.23.0' };

const ANSWER = 'Hello from the simulator.';
const CHUNKS = 3;
/** General clients build on part events, which this API's own clients do not need. */
const STEP = everyEvent(respond(text(ANSWER, { chunks: CHUNKS })));

/** A general client sends no thread, no tools and no session headers. */
const ANY_CLIENT = { acceptsAnyClient: true };

/**
 * Installs the client when it is missing.
 * @param {string} folder
 * @param {{ quirePath: string }} options
 * @returns {Promise<readonly Case[]>}
 */
export async function loadOpenaiCases(folder, { quirePath }) {
  await installPackages(folder, VERSIONS);
  const load = (/** @type {string} */ file) =>
    import(pathToFileURL(path.join(folder, 'node_modules/openai', file)).href);
  const [{ default: OpenAI }, { ResponsesWS }] = await Promise.all([
    load('index.mjs'),
    load('resources/responses/ws.mjs'),
  ]);
  const clientFor = (/** @type {{ url: string }} */ provider) =>
    new OpenAI({ apiKey: 'key-of-the-test', baseURL: provider.url, maxRetries: 0 });

  /** [TRANSPORT-55] @type {Case} */
  async function theOpenaiClientStreamsAResponse(lab) {
    const provider = await lab.provider([STEP], ANY_CLIENT);
    const types = [];
    let streamed = '';
    const stream = await clientFor(provider).responses.create({ model: 'test-model', input: 'Hi.', stream: true });
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === 'response.output_text.delta') streamed += event.delta;
    }
    assert.equal(streamed, ANSWER);
    assert.deepEqual(types, [
      'response.created',
      'response.output_item.added',
      'response.content_part.added',
      ...Array(CHUNKS).fill('response.output_text.delta'),
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
  }

  /** [TRANSPORT-56] @type {Case} */
  async function theOpenaiClientAccumulatesAResponse(lab) {
    const provider = await lab.provider([STEP], ANY_CLIENT);
    const final = await clientFor(provider).responses.stream({ model: 'test-model', input: 'Hi.' }).finalResponse();
    assert.equal(final.output_text, ANSWER);
    assert.deepEqual([final.usage.input_tokens, final.usage.output_tokens, final.usage.total_tokens], [100, 10, 110]);
  }

  /** [TRANSPORT-57] @type {Case} */
  async function theOpenaiClientStreamsAChatCompletion(lab) {
    const provider = await lab.provider([STEP], ANY_CLIENT);
    const stream = clientFor(provider).chat.completions.stream({
      model: 'test-model',
      messages: [{ role: 'user', content: 'Hi.' }],
      stream_options: { include_usage: true },
    });
    assert.equal(await stream.finalContent(), ANSWER);
    assert.equal((await stream.totalUsage()).total_tokens, 110);
    assert.deepEqual(
      provider.requests.map(({ transport }) => transport),
      ['chat'],
    );
  }

  /** [TRANSPORT-58] @type {Case} */
  async function theOpenaiClientAsksOverWebSocket(lab) {
    const provider = await lab.provider([STEP], ANY_CLIENT);
    const socket = new ResponsesWS(clientFor(provider));
    const answer = await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('response.completed', resolve);
      socket.send({ type: 'response.create', model: 'test-model', input: 'Hi.' });
    });
    socket.close();
    assert.equal(answer.response.usage.total_tokens, 110);
    assert.deepEqual(
      provider.requests.map(({ transport }) => transport),
      ['websocket'],
    );
  }

  /** [TRANSPORT-59] @type {Case} */
  async function theOpenaiClientIsServedByTheCommand(lab) {
    const { folder: place, environment } = lab;
    const script = { steps: [{ respond: [{ text: ANSWER, chunks: CHUNKS }], repeat: 2 }] };
    const flags = ['--any-client'];
    const command = await startSimulateCommand({ quirePath, folder: place, environment, script, flags });
    try {
      const client = clientFor(command);
      const final = await client.responses.stream({ model: 'test-model', input: 'Hi.' }).finalResponse();
      assert.equal(final.output_text, ANSWER);
      const chat = client.chat.completions.stream({
        model: 'test-model',
        messages: [{ role: 'user', content: 'Hi.' }],
      });
      assert.equal(await chat.finalContent(), ANSWER);
    } finally {
      assert.equal(await command.stop(), 0);
    }
  }

  return [
    theOpenaiClientIsServedByTheCommand,
    theOpenaiClientStreamsAResponse,
    theOpenaiClientAccumulatesAResponse,
    theOpenaiClientStreamsAChatCompletion,
    theOpenaiClientAsksOverWebSocket,
  ];
}
