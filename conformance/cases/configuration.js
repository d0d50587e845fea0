/** Configuration through the SDK: base URL, key, `config`, `configOverrides`. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { functionCall, respond, text } from '@quire/simulator';
import { API_KEY } from '../lab.js';

/** @typedef {import('../run.js').Case} Case */

/** [CONF-30] [CONF-31] @type {Case} */
async function theKeyReachesTheProviderAndNothingElse(lab) {
  const provider = await lab.provider(
    [
      respond(functionCall('call-1', 'shell_command', { command: 'env; echo "end of list"' })),
      respond(text('Listed.')),
    ],
    { expectAuthorization: `Bearer ${API_KEY}` },
  );
  const turn = await lab.thread(provider).run('List the environment.');
  const listing = String(turn.items[0]?.['aggregated_output']);
  assert.match(listing, /^PATH=.*end of list$/ms);
  assert.ok(!listing.includes(API_KEY), 'a tool saw the key');
  for (const file of await listFilesBelow(lab.home)) {
    assert.ok(!(await readFile(file, 'utf8')).includes(API_KEY), `${file} holds the key`);
  }
}

/** [CONF-32] @type {Case} */
async function configTablesAreFlattened(lab) {
  const provider = await lab.provider([respond(text('Hello.'))]);
  const codex = lab.codex({
    config: {
      model_provider: 'lab',
      model_providers: {
        lab: {
          name: 'A "quoted" name',
          base_url: provider.url,
          http_headers: { 'x-lab': 'header value' },
          query_params: { lab: 'yes' },
          request_max_retries: 0,
          requires_openai_auth: false,
        },
      },
      model_reasoning_effort: 'low',
    },
  });
  await codex.startThread(lab.threadOptions()).run('Hello?');
  const request = provider.requests[0];
  assert.equal(request?.path, '/v1/responses?lab=yes');
  assert.equal(request?.headers['x-lab'], 'header value');
  assert.equal(request?.headers['authorization'], undefined);
  assert.equal(Object(request?.body['reasoning'])['effort'], 'low');
}

/** [CONF-33] @type {Case} */
async function configArraysAndUnknownKeysAreTaken(lab) {
  await writeFile(path.join(lab.repository, 'LAB.md'), 'The house rule of this laboratory.\n');
  const provider = await lab.provider([respond(text('Hello.'))]);
  const codex = lab.codexFor(provider, {
    config: {
      project_doc_fallback_filenames: ['NOT-THERE.md', 'LAB.md'],
      lab: { text: 'x "q"', number: 3, list: ['p', { k: true, 'w s': 1 }], empty: {} },
    },
  });
  await codex.startThread(lab.threadOptions()).run('Hello?');
  assert.match(JSON.stringify(provider.requests[0]?.input), /The house rule of this laboratory\./);
}

/** [CONF-34] @type {Case} */
async function rawOverridesAreTakenVerbatim(lab) {
  const provider = await lab.provider([respond(text('Hello.'))]);
  const codex = lab.codex({
    configOverrides: [
      'model_provider=lab',
      `model_providers.lab={name="Lab", base_url=${JSON.stringify(provider.url)}, http_headers={"x-lab"="raw"}}`,
      'developer_instructions = Speak plainly = always.',
    ],
  });
  await codex.startThread(lab.threadOptions()).run('Hello?');
  assert.equal(provider.requests[0]?.headers['x-lab'], 'raw');
  assert.match(JSON.stringify(provider.requests[0]?.input), /Speak plainly = always\./);
}

/** [CONF-35] @type {Case} */
async function aWrongConfigValueIsRefused(lab) {
  const provider = await lab.provider([]);
  const codex = lab.codexFor(provider, { config: { model_context_window: 'many' } });
  const turn = codex.startThread(lab.threadOptions()).run('Hello?');
  await assert.rejects(turn, /^Error: Codex Exec exited with code 1: .*model_context_window/s);
  assert.equal(provider.requests.length, 0);
}

/** [CONF-36] @type {Case} */
async function aRunWithoutAKeyIsRefused(lab) {
  const provider = await lab.provider([]);
  const thread = lab.codex({ baseUrl: provider.url }).startThread(lab.threadOptions());
  await assert.rejects(thread.run('Hello?'), /^Error: Codex Exec exited with code 1: .*CODEX_API_KEY/s);
  assert.equal(provider.requests.length, 0);
}

/** @param {string} folder @returns {Promise<string[]>} */
async function listFilesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** @type {readonly Case[]} */
export const CASES = [
  theKeyReachesTheProviderAndNothingElse,
  configTablesAreFlattened,
  configArraysAndUnknownKeysAreTaken,
  rawOverridesAreTakenVerbatim,
  aWrongConfigValueIsRefused,
  aRunWithoutAKeyIsRefused,
];
