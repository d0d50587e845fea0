/** Home folders that one of `quire` and the peer wrote, and the other works in: logins, settings, features, lists. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { catalogEntry, rehearse, respond, text } from '@quire/simulator';
import { Programs, tokenServer } from './programs.js';

/**
 * @typedef {import('../run.js').Case} Case
 * @typedef {import('../lab.js').Lab} Lab
 * @typedef {import('./programs.js').ProgramName} ProgramName
 * @typedef {import('./programs.js').ProgramPaths} ProgramPaths
 * @typedef {{ writer: ProgramName, reader: ProgramName }} Roles
 */

/** @type {readonly Roles[]} */
const DIRECTIONS = [
  { writer: 'peer', reader: 'quire' },
  { writer: 'quire', reader: 'peer' },
];

const MODEL = 'gpt-5.2-codex';
const KEY = 'sk-of-one-home-0123456789';

/**
 * [CONF-80] [CONF-81] [CONF-82] [CONF-83] [CONF-84] [CONF-85] [CONF-86]
 * @param {{ peerPath: string, quirePath: string }} programs
 * @returns {readonly Case[]}
 */
export function createHomeCases({ peerPath, quirePath }) {
  const paths = { peer: peerPath, quire: quirePath };
  return DIRECTIONS.flatMap((roles) => [
    named('tells the program of notify as much', roles, (lab) => tellProgram(lab, paths, roles)),
    named('uses a stored key', roles, (lab) => useKey(lab, paths, roles)),
    named('uses a login, and both renew it', roles, (lab) => useLogin(lab, paths, roles)),
    named('logs out', roles, (lab) => logOut(lab, paths, roles)),
    named('reads settings, servers and features', roles, (lab) => readSettings(lab, paths, roles)),
    named('works beside a list of models', roles, (lab) => useModels(lab, paths, roles)),
  ]);
}

/** @param {string} action @param {Roles} roles @param {Case} body @returns {Case} */
function named(action, { writer, reader }, body) {
  return Object.defineProperty(body, 'name', { value: `home, ${reader} after ${writer}, ${action}` });
}

/** @param {Lab} lab @param {import('@quire/simulator').SimulatorOptions} [options] */
function serviceOf(lab, options = {}) {
  return lab.provider([], {
    acceptsAnyClient: true,
    rules: rehearse(() => respond(text('Done.'))),
    models: [catalogEntry(MODEL)],
    oauth: { opaqueAccessTokens: true },
    ...options,
  });
}

/** @param {Lab} lab @param {string} name */
const fileIn = (lab, name) => readFile(path.join(lab.home, name), 'utf8');

/** @param {Lab} lab @param {ProgramPaths} paths @param {Roles} roles */
async function useKey(lab, paths, { writer, reader }) {
  const programs = new Programs(lab, paths);
  const service = await serviceOf(lab);
  await programs.ok(writer, ['login', '--with-api-key'], { stdin: `${KEY}\n` });
  const written = await fileIn(lab, 'auth.json');
  assert.deepEqual(JSON.parse(written), { auth_mode: 'apikey', OPENAI_API_KEY: KEY });

  const status = await programs.ok(reader, ['login', 'status']);
  assert.match(status.stderr, /sk-of-on\*\*\*56789/);
  assert.equal((await programs.turn(reader, service)).headers.authorization, `Bearer ${KEY}`);
  assert.equal(await fileIn(lab, 'auth.json'), written);
}

/** @param {Lab} lab @param {ProgramPaths} paths @param {Roles} roles */
async function useLogin(lab, paths, { writer, reader }) {
  const programs = new Programs(lab, paths);
  const service = await serviceOf(lab);
  const { oauth } = service;
  await programs.logInWithDevice(writer, service);
  const written = await fileIn(lab, 'auth.json');

  const status = await programs.ok(reader, ['login', 'status']);
  assert.match(status.stderr, /ChatGPT/);
  const request = await programs.turn(reader, service);
  const { access_token: first } = JSON.parse(written).tokens;
  assert.deepEqual(
    [request.headers.authorization, request.headers['chatgpt-account-id']],
    [`Bearer ${first}`, 'account-1'],
  );
  assert.equal(await fileIn(lab, 'auth.json'), written, 'a login that is good is left as it is');

  // Each renews what the other one stored, in turn; a refresh token that came twice would revoke it all.
  for (const [count, program] of [reader, writer, reader].entries()) {
    await age(lab);
    const { headers } = await programs.turn(program, service);
    const { tokens } = JSON.parse(await fileIn(lab, 'auth.json'));
    assert.equal(headers.authorization, `Bearer ${tokens.access_token}`, `${program} uses what it stored`);
    assert.deepEqual([oauth.refreshes.length, oauth.reuseRevocations], [count + 1, 0], program);
  }
  const later = JSON.parse(await fileIn(lab, 'auth.json'));
  assert.deepEqual(shapeOf(later), shapeOf(JSON.parse(written)), 'no field is lost');
}

/** A program of the person, which each starts after a turn. @param {Lab} lab @param {ProgramPaths} paths @param {Roles} roles */
async function tellProgram(lab, paths, { writer, reader }) {
  const programs = new Programs(lab, paths);
  const service = await serviceOf(lab);
  await programs.ok(writer, ['login', '--with-api-key'], { stdin: `${KEY}\n` });
  const told = path.join(lab.home, 'told');
  const script = 'printf "%s|%s|%s\\n" "$0" "$(pwd)" "$1" >> "$TOLD"';
  await writeFile(path.join(lab.home, 'config.toml'), `notify = ["/bin/sh", "-c", '${script}', "own"]\n`);
  /** @type {unknown[]} */
  const heard = [];
  for (const program of [writer, reader]) {
    await programs.turn(program, service, { TOLD: told });
    const [own, folder, payload] = (await lineOf(told, heard.length)).split('|');
    const { 'thread-id': thread, 'turn-id': turn, client, ...turnFacts } = JSON.parse(payload ?? '');
    const kinds = [thread, turn, client].map((value) => typeof value);
    heard.push({ own, folder, kinds, ...turnFacts });
  }
  assert.deepEqual(heard[0], {
    own: 'own',
    folder: lab.repository,
    kinds: ['string', 'string', 'string'],
    type: 'agent-turn-complete',
    cwd: lab.repository,
    'input-messages': ['Say done.'],
    'last-assistant-message': 'Done.',
  });
  assert.deepEqual(heard[1], heard[0]);
}

/** A line of a file that a program writes which nobody waits for. @param {string} file @param {number} index */
async function lineOf(file, index) {
  for (;;) {
    const lines = await readFile(file, 'utf8').then(
      (content) => content.split('\n').slice(0, -1),
      () => [],
    );
    const line = lines[index];
    if (line !== undefined) return line;
    await setTimeout(LOOK_MS);
  }
}

const LOOK_MS = 20;
const NINE_DAYS_MS = 9 * 24 * 3600_000;

/** The login was renewed nine days ago. @param {Lab} lab */
async function age(lab) {
  const document = JSON.parse(await fileIn(lab, 'auth.json'));
  const lastRefresh = new Date(Date.now() - NINE_DAYS_MS).toISOString();
  await writeFile(path.join(lab.home, 'auth.json'), JSON.stringify({ ...document, last_refresh: lastRefresh }));
}

/** Names of the fields, of tokens too. @param {Record<string, any>} document */
function shapeOf(document) {
  return [Object.keys(document).sort(), Object.keys(document['tokens']).sort()];
}

/** @param {Lab} lab @param {ProgramPaths} paths @param {Roles} roles */
async function logOut(lab, paths, { writer, reader }) {
  const programs = new Programs(lab, paths);
  const service = await serviceOf(lab);
  await programs.logInWithDevice(writer, service);
  const { tokens } = JSON.parse(await fileIn(lab, 'auth.json'));
  await programs.ok(reader, ['logout'], { env: tokenServer(service) });
  assert.equal(service.oauth.requests.at(-1)?.fields['token'], tokens.refresh_token);
  assert.equal((await readdir(lab.home)).includes('auth.json'), false);
  const status = await programs.run(writer, ['login', 'status']);
  assert.equal(status.exitCode, 1, status.stderr);
}

const SERVERS = [
  ['docs', '--env', 'LEVEL=high', '--', 'node', 'server.js', '--flag'],
  ['remote', '--url', 'http://127.0.0.1:9/mcp', '--bearer-token-env-var', 'REMOTE_TOKEN'],
];
const FEATURES = /** @type {const} */ ([
  ['enable', 'unified_exec'],
  ['enable', 'enable_request_compression'],
  ['disable', 'fast_mode'],
  ['enable', 'multi_agent'],
]);

/** @param {Lab} lab @param {ProgramPaths} paths @param {Roles} roles */
async function readSettings(lab, paths, { writer, reader }) {
  const programs = new Programs(lab, paths);
  for (const server of SERVERS) await programs.ok(writer, ['mcp', 'add', ...server]);
  for (const [verb, name] of FEATURES) await programs.ok(writer, ['features', verb, name]);
  const written = await fileIn(lab, 'config.toml');

  const [own, other] = await Promise.all([writer, reader].map((program) => serversOf(programs, program)));
  assert.deepEqual(other, own);
  assert.deepEqual(Object.keys(other ?? {}).sort(), ['docs', 'remote']);
  for (const program of [writer, reader]) {
    const states = await featuresOf(programs, program);
    assert.deepEqual(
      FEATURES.map(([, name]) => [program, name, states.get(name)]),
      FEATURES.map(([verb, name]) => [program, name, verb === 'enable' ? 'true' : 'false']),
    );
  }
  if (reader === 'quire') await programs.ok('quire', ['config', 'list']);
  assert.equal(await fileIn(lab, 'config.toml'), written);

  // And the reader changes what the writer wrote, which both read then.
  await programs.ok(reader, ['features', 'disable', 'multi_agent']);
  await programs.ok(reader, ['mcp', 'remove', 'docs']);
  for (const program of [writer, reader]) {
    assert.equal((await featuresOf(programs, program)).get('multi_agent'), 'false');
    assert.deepEqual(Object.keys(await serversOf(programs, program)), ['remote']);
  }
}

/**
 * What a program tells of each server, by name.
 * @param {Programs} programs
 * @param {ProgramName} program
 */
async function serversOf(programs, program) {
  const { stdout } = await programs.ok(program, ['mcp', 'list', '--json']);
  /** @type {{ name: string }[]} */
  const servers = JSON.parse(stdout);
  return Object.fromEntries(servers.map((server) => [server.name, server]));
}

/** State by name. @param {Programs} programs @param {ProgramName} program */
async function featuresOf(programs, program) {
  const { stdout } = await programs.ok(program, ['features', 'list']);
  const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(lines.map((words) => [words[0] ?? '', words.at(-1) ?? '']));
}

/** Whoever of them keeps a list of models, the other works beside it, and it stays one that can be read. @param {Lab} lab @param {ProgramPaths} paths @param {Roles} roles */
async function useModels(lab, paths, { writer, reader }) {
  const programs = new Programs(lab, paths);
  const service = await serviceOf(lab);
  await programs.logInWithDevice(writer, service);
  for (const program of [writer, reader, writer, reader]) {
    assert.equal((await programs.turn(program, service)).body['model'], MODEL, program);
  }
  const kept = JSON.parse(await fileIn(lab, 'models_cache.json'));
  const slugs = kept.models.map((/** @type {{ slug: string }} */ { slug }) => slug);
  assert.deepEqual([slugs, kept.etag], [[MODEL], '"simulator-models-1"']);
}
