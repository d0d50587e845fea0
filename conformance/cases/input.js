/** Input: texts, images, output schemas. */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { respond, text } from '@quire/simulator';
import { createPng } from '../png.js';

/** @typedef {import('../run.js').Case} Case */

const SCHEMA = {
  type: 'object',
  properties: { answer: { type: 'string' } },
  required: ['answer'],
  additionalProperties: false,
};

/** [CONF-20] @type {Case} */
async function theOutputSchemaReachesTheProvider(lab) {
  const provider = await lab.provider([respond(text('{"answer":"42"}'))]);
  const before = await listSchemaFolders();
  const turn = await lab.thread(provider).run('Answer as JSON.', { outputSchema: SCHEMA });
  assert.deepEqual(JSON.parse(turn.finalResponse), { answer: '42' });
  const { format } = Object(provider.requests[0]?.body['text']);
  assert.deepEqual(format, { type: 'json_schema', strict: true, schema: SCHEMA, name: 'codex_output_schema' });
  assert.deepEqual(await listSchemaFolders(), before);
}

/** [CONF-21] @type {Case} */
async function anArrayIsNoOutputSchema(lab) {
  const provider = await lab.provider([]);
  const turn = lab.thread(provider).run('Answer.', { outputSchema: [SCHEMA] });
  await assert.rejects(turn, { message: 'outputSchema must be a plain JSON object' });
  assert.equal(provider.requests.length, 0);
}

/** [CONF-22] @type {Case} */
async function imagesReachANewThread(lab) {
  const provider = await lab.provider([respond(text('Two squares.'))]);
  const red = await writeImage(lab, 'red.png', [255, 0, 0]);
  const blue = await writeImage(lab, 'blue.png', [0, 0, 255]);
  await lab.thread(provider).run([
    { type: 'text', text: 'What is this?' },
    { type: 'local_image', path: red.file },
    { type: 'local_image', path: blue.file },
  ]);
  assert.deepEqual(imagesOf(provider.requests[0]), [red.url, blue.url]);
}

/** [CONF-23] @type {Case} */
async function imagesReachAResumedThread(lab) {
  const provider = await lab.provider([respond(text('Hello.')), respond(text('A square.'))]);
  const thread = lab.thread(provider);
  await thread.run('Hello.');
  const green = await writeImage(lab, 'green.png', [0, 255, 0]);
  await thread.run([
    { type: 'text', text: 'And this?' },
    { type: 'local_image', path: green.file },
  ]);
  assert.deepEqual(imagesOf(provider.requests[0]), []);
  assert.deepEqual(imagesOf(provider.requests[1]), [green.url]);
}

/** [CONF-24] @type {Case} */
async function textsAreJoinedByABlankLine(lab) {
  const provider = await lab.provider([respond(text('Read.'))]);
  await lab.thread(provider).run([
    { type: 'text', text: 'First part.' },
    { type: 'text', text: 'Second part: "quoted", é, 日本, $HOME.' },
  ]);
  assert.deepEqual(provider.requests[0]?.input.at(-1)?.['content'], [
    { type: 'input_text', text: 'First part.\n\nSecond part: "quoted", é, 日本, $HOME.' },
  ]);
}

/** [CONF-25] @type {Case} */
async function aPromptOfAMebibyteArrivesWhole(lab) {
  const provider = await lab.provider([respond(text('Long.'))]);
  const prompt = 'This line is one of many, with an é in it.\n'.repeat(24_000);
  await lab.thread(provider).run(prompt);
  const content = provider.requests[0]?.input.at(-1)?.['content'];
  assert.ok(Array.isArray(content));
  assert.equal(String(Object(content[0])['text']).trimEnd(), prompt.trimEnd());
}

/** [CONF-26] @type {Case} */
async function anUnreadableImageIsRefused(lab) {
  const provider = await lab.provider([]);
  const file = path.join(lab.repository, 'missing.png');
  const turn = lab.thread(provider).run([
    { type: 'text', text: 'What is this?' },
    { type: 'local_image', path: file },
  ]);
  await assert.rejects(turn, /^Error: Codex Exec exited with code 1: .*missing\.png/s);
  assert.equal(provider.requests.length, 0);
}

/**
 * @param {import('../lab.js').Lab} lab
 * @param {string} name
 * @param {readonly [number, number, number]} color
 */
async function writeImage(lab, name, color) {
  const file = path.join(lab.repository, name);
  const bytes = createPng({ width: 8, height: 8, color });
  await writeFile(file, bytes);
  return { file, url: `data:image/png;base64,${bytes.toString('base64')}` };
}

/**
 * The URL of every image of a request, in order.
 * @param {import('@quire/simulator').RecordedRequest | undefined} request
 */
function imagesOf(request) {
  const parts = (request?.input ?? []).flatMap((item) => (Array.isArray(item['content']) ? item['content'] : []));
  return parts.flatMap((part) => (Object(part)['type'] === 'input_image' ? [Object(part)['image_url']] : []));
}

/** Where the SDK keeps the schema while a turn runs. */
async function listSchemaFolders() {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('codex-output-schema-')).sort();
}

/** @type {readonly Case[]} */
export const CASES = [
  theOutputSchemaReachesTheProvider,
  anArrayIsNoOutputSchema,
  imagesReachANewThread,
  imagesReachAResumedThread,
  textsAreJoinedByABlankLine,
  aPromptOfAMebibyteArrivesWhole,
  anUnreadableImageIsRefused,
];
