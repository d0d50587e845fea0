/** Thread options: each is seen where it takes effect. */
import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { functionCall, respond, text } from '@quire/simulator';

/** @typedef {import('../run.js').Case} Case */

/** [CONF-40] @type {Case} */
async function workingDirectoryIsWhereCommandsRun(lab) {
  const folder = path.join(lab.repository, 'deep folder');
  await mkdir(folder);
  const provider = await lab.provider([
    respond(functionCall('call-1', 'shell_command', { command: 'pwd' })),
    respond(text('There.')),
  ]);
  const turn = await lab.thread(provider, { workingDirectory: folder }).run('Where are we?');
  assert.equal(turn.items[0]?.['aggregated_output'], `${folder}\n`);
}

/** [CONF-41] @type {Case} */
async function aMissingWorkingDirectoryIsRefused(lab) {
  const provider = await lab.provider([]);
  const thread = lab.thread(provider, { workingDirectory: path.join(lab.folder, 'nowhere') });
  await assert.rejects(thread.run('Hello?'), /^Error: Codex Exec exited with code 1: .*nowhere/s);
}

/** [CONF-42] @type {Case} */
async function skipGitRepoCheckAllowsAnyFolder(lab) {
  const folder = path.join(lab.folder, 'no repository');
  await mkdir(folder);
  const provider = await lab.provider([respond(text('Hello.'))]);
  const refused = lab.thread(provider, { workingDirectory: folder });
  await assert.rejects(refused.run('Hello?'), /^Error: Codex Exec exited with code 1: .*skip-git-repo-check/s);
  const allowed = lab.thread(provider, { workingDirectory: folder, skipGitRepoCheck: true });
  assert.equal((await allowed.run('Hello?')).finalResponse, 'Hello.');
}

/** [CONF-43] @type {Case} */
async function modelAndEffortReachTheProvider(lab) {
  const provider = await lab.provider([respond(text('Hello.'))]);
  await lab.thread(provider, { model: 'gpt-5.1-codex-max', modelReasoningEffort: 'high' }).run('Hello?');
  const body = provider.requests[0]?.body;
  assert.deepEqual([body?.['model'], Object(body?.['reasoning'])['effort']], ['gpt-5.1-codex-max', 'high']);
}

/** [CONF-44] @type {Case} */
async function webSearchModeDecidesTheSearchTool(lab) {
  const modes = ['disabled', 'cached', 'live'];
  const provider = await lab.provider(modes.map(() => respond(text('Hello.'))));
  // Full access would make every search live; a confined thread shows the mode itself.
  const sandboxMode = 'workspace-write';
  for (const webSearchMode of modes) await lab.thread(provider, { sandboxMode, webSearchMode }).run('Hello?');
  const offered = provider.requests.map(({ body }) => {
    const tools = Array.isArray(body['tools']) ? body['tools'] : [];
    const search = tools.map(Object).find((tool) => tool.type === 'web_search');
    return search?.external_web_access ?? 'no tool';
  });
  assert.deepEqual(offered, ['no tool', false, true]);
}

/** [CONF-45] @type {Case} */
async function aReadOnlyThreadRunsNothingUnconfined(lab) {
  const provider = await lab.provider([
    respond(functionCall('call-1', 'shell_command', { command: 'touch made-by-a-tool' })),
    respond(text('Refused.')),
  ]);
  const turn = await lab.thread(provider, { sandboxMode: 'read-only' }).run('Make a file.');
  assert.equal(turn.finalResponse, 'Refused.');
  assert.notEqual(turn.items[0]?.['status'], 'completed');
  assert.deepEqual(await readdir(lab.repository), ['.git']);
}

/** [CONF-46] @type {Case} */
async function workspaceOptionsReachTheModel(lab) {
  const extra = path.join(lab.folder, 'extra');
  await mkdir(extra);
  const provider = await lab.provider([respond(text('Hello.'))]);
  const thread = lab.thread(provider, {
    sandboxMode: 'workspace-write',
    additionalDirectories: [extra],
    networkAccessEnabled: true,
    approvalPolicy: 'never',
    threadSource: 'conformance',
  });
  assert.equal((await thread.run('Hello?')).finalResponse, 'Hello.');
  const context = JSON.stringify(provider.requests[0]?.input);
  for (const word of ['workspace-write', extra, 'never'])
    assert.ok(context.includes(word), `the model is not told ${word}`);
}

/** @type {readonly Case[]} */
export const CASES = [
  workingDirectoryIsWhereCommandsRun,
  aMissingWorkingDirectoryIsRefused,
  skipGitRepoCheckAllowsAnyFolder,
  modelAndEffortReachTheProvider,
  webSearchModeDecidesTheSearchTool,
  aReadOnlyThreadRunsNothingUnconfined,
  workspaceOptionsReachTheModel,
];
