/** The three clients: what is installed, how each is started, and where its final answer is. */
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { findPeerBinary, installedVersion, installPackages } from '../conformance/install-packages.js';
import { REPOSITORY_ROOT } from '../tools/lib/tool.js';
import { createPiSession, createRollout } from './history.js';

/** The newest versions on the registry on the day they were pinned. To raise one, change it here. */
const VERSIONS = { '@openai/codex': '0.169.0', '@mariozechner/pi-coding-agent': '0.73.1' };

/** A name without metadata in any client, so that all use their general settings. */
const MODEL = 'mock-model';
const THREAD_ID = '019bc0de-0000-7000-8000-00000000be4c';

/** Larger than any history here: no client may start to compact. */
const CONTEXT_WINDOW = 1_000_000_000;

/**
 * @typedef {{ url: string, home: string, repository: string, prompt: string, webSocket: boolean,
 *   resumes: import('./history.js').HistoryKind | undefined }} Run
 * @typedef {{
 *   name: string, version: string, program: string, speaksWebSocket: boolean, readsRollouts: boolean,
 *   argumentsFor: (run: Run) => string[],
 *   environmentFor: (run: Run) => Record<string, string>,
 *   prepareHome: (run: Run) => Promise<void>,
 *   finalTextOf: (stdout: string) => string | undefined,
 * }} Client
 *   `program` is executed as it is, so a script pays for its `#!` line as it does for a user
 */

/** The one all ratios refer to. */
export const PEER = 'codex';

/**
 * Installs what is missing.
 * @param {string} folder
 * @returns {Promise<Client[]>}
 */
export async function loadClients(folder) {
  await installPackages(folder, VERSIONS);
  const manifest = JSON.parse(await readFile(path.join(REPOSITORY_ROOT, 'packages/cli/package.json'), 'utf8'));
  return [
    createQuire(path.join(REPOSITORY_ROOT, 'packages/cli/bin/quire.js'), manifest.version),
    createPeer(findPeerBinary(folder), (await installedVersion(folder, '@openai/codex')) ?? ''),
    createPi(
      path.join(folder, 'node_modules/.bin/pi'),
      (await installedVersion(folder, '@mariozechner/pi-coding-agent')) ?? '',
    ),
  ];
}

/** @param {string} program @param {string} version @returns {Client} */
function createQuire(program, version) {
  return { name: 'quire', version, program, speaksWebSocket: true, readsRollouts: true, ...EXEC_CLIENT };
}

/** @param {string} program @param {string} version @returns {Client} */
function createPeer(program, version) {
  return { name: PEER, version, program, speaksWebSocket: true, readsRollouts: true, ...EXEC_CLIENT };
}

/** `quire` and the peer take the same command line and read the same files. */
const EXEC_CLIENT = {
  /** @param {Run} run */
  argumentsFor: ({ url, repository, prompt, resumes, webSocket }) => [
    'exec',
    '--json',
    ...['-m', MODEL, '-s', 'danger-full-access', '-C', repository],
    ...[
      '-c',
      `model_providers.bench={name="bench", base_url=${JSON.stringify(url)}, wire_api="responses", supports_websockets=${webSocket}}`,
    ],
    ...['-c', 'model_provider=bench', '-c', `model_context_window=${CONTEXT_WINDOW}`],
    ...(resumes === undefined ? [] : ['resume', THREAD_ID]),
    prompt,
  ],
  /** @param {Run} run */
  environmentFor: ({ home }) => ({ CODEX_HOME: home }),
  /** @param {Run} run */
  prepareHome: async ({ home, repository, resumes }) => {
    // Both would answer with the same settings file; this one stops the peer from reporting home.
    await writeFile(path.join(home, 'config.toml'), '[analytics]\nenabled = false\n');
    if (resumes !== undefined) await writeHistory(home, createRollout(resumes, { id: THREAD_ID, cwd: repository }));
  },
  /** @param {string} stdout */
  finalTextOf: (stdout) => {
    const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    return events.findLast(({ item }) => item?.type === 'agent_message')?.item.text;
  },
};

/** @param {string} program @param {string} version @returns {Client} */
function createPi(program, version) {
  return {
    name: 'pi',
    version,
    program,
    speaksWebSocket: false,
    readsRollouts: false,
    argumentsFor: ({ home, prompt, resumes }) => [
      ...['--print', '--provider', 'bench', '--model', MODEL],
      ...(resumes === undefined ? [] : ['--session', path.join(home, 'bench-session.jsonl')]),
      prompt,
    ],
    environmentFor: ({ home }) => ({ PI_CODING_AGENT_DIR: path.join(home, 'pi'), PI_OFFLINE: '1', PI_TELEMETRY: '0' }),
    prepareHome: async ({ url, home, repository, resumes }) => {
      const model = { id: MODEL, contextWindow: CONTEXT_WINDOW };
      const provider = { baseUrl: url, api: 'openai-responses', apiKey: 'bench', models: [model] };
      await mkdir(path.join(home, 'pi'), { recursive: true });
      await writeFile(path.join(home, 'pi/models.json'), JSON.stringify({ providers: { bench: provider } }));
      if (resumes !== undefined) await writeHistory(home, createPiSession({ id: THREAD_ID, cwd: repository }));
    },
    finalTextOf: (stdout) => stdout.trimEnd(),
  };
}

/** Bytes that are joined before they are written. */
const WRITE_BYTES = 1024 * 1024;

/** Never holds more of the file than one piece. @param {string} home @param {import('./history.js').HistoryFile} file */
async function writeHistory(home, file) {
  const target = path.join(home, file.path);
  await mkdir(path.dirname(target), { recursive: true });
  await pipeline(piecesOf(file.lines), createWriteStream(target));
}

/** @param {Iterable<string>} lines */
function* piecesOf(lines) {
  let piece = '';
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < WRITE_BYTES) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}
