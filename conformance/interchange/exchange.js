/** One thread on which two programs take turns. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { compaction, functionCall, rehearse, respond, text } from '@quire/simulator';
import { runCommand } from '../../tools/lib/run-command.js';
import { AppServer } from './app-server.js';
import { SEALED_SUMMARY, SUMMARY } from './conversation.js';
import { runExec } from './programs.js';
import { openQuire, withQuireThread } from './quire-thread.js';

/**
 * @typedef {import('../lab.js').Lab} Lab
 * @typedef {import('@quire/simulator').RecordedRequest} RecordedRequest
 * @typedef {import('@quire/simulator').Output} Output
 * @typedef {import('./programs.js').ProgramName} ProgramName
 * @typedef {import('./programs.js').ProgramPaths} ProgramPaths
 * @typedef {(request: RecordedRequest) => readonly Output[]} Reply what one response holds
 * @typedef {{ prompt: string, replies?: readonly Reply[], image?: string, fork?: boolean, interrupt?: boolean,
 *   target?: string }} Turn
 *   `replies`: one for each request, `Answer to PROMPT` when absent; `fork`: in a new thread that begins as this one;
 *   `interrupt`: stopped when its first command has begun; `target`: what names the thread, its id when absent
 */

/** A final text. @param {string} words @returns {Reply} */
export const say = (words) => () => [text(words)];

/** What a turn without replies is answered. @param {string} prompt */
export const answerTo = (prompt) => `Answer to ${prompt}`;

/**
 * Commands in one response, by the tool that the program offers.
 * @param {Readonly<Record<string, string>>} commands by call id
 * @param {string} [words] said before them
 * @returns {Reply}
 */
export const run = (commands, words) => (request) => [
  ...(words === undefined ? [] : [text(words)]),
  ...Object.entries(commands).map(([callId, command]) => shellCall(request, callId, command)),
];

export class Exchange {
  /** @type {string | undefined} */
  threadId;
  /** @type {Reply[]} */
  #replies = [];
  /** @type {import('@quire/simulator').Simulator | undefined} */
  #simulator;
  #lab;
  #paths;
  #providerName;

  /** @param {Lab} lab @param {ProgramPaths} paths @param {{ providerName: string }} options */
  constructor(lab, paths, { providerName }) {
    this.#lab = lab;
    this.#paths = paths;
    this.#providerName = providerName;
  }

  /** @param {Lab} lab @param {ProgramPaths} paths @param {{ providerName?: string }} [options] */
  static async open(lab, paths, { providerName = 'lab' } = {}) {
    const exchange = new Exchange(lab, paths, { providerName });
    // Two programs with habits of their own: only what every client keeps is checked, whole calls among it.
    exchange.#simulator = await lab.provider([], {
      acceptsAnyClient: true,
      rules: rehearse((request) => respond(...exchange.#reply(request))),
    });
    return exchange;
  }

  get #place() {
    assert.ok(this.#simulator !== undefined);
    const provider = { url: this.#simulator.url, name: this.#providerName };
    return { provider, cwd: this.#lab.repository, env: this.#lab.environment };
  }

  /**
   * A turn of `program` on the thread, or the first one.
   * @param {ProgramName} program
   * @param {Turn} turn
   * @returns {Promise<{ request: RecordedRequest, threadId: string }>} its last request
   */
  async turn(program, { prompt, replies = [say(answerTo(prompt))], image, fork = false, interrupt = false, target }) {
    const known = target ?? this.threadId;
    const verb = known === undefined ? [] : [fork ? 'fork' : 'resume', known];
    this.#replies = [...replies];
    // An image before the prompt would take it for another image.
    const words = [...verb, prompt, ...(image === undefined ? [] : ['-i', image])];
    const outcome = await runExec(this.#paths[program], words, {
      ...this.#place,
      ...(interrupt ? { interruptAt: startsCommand } : {}),
    });
    const what = `${program} ${words.join(' ')}: exit code ${outcome.exitCode}\n${outcome.diagnostics}`;
    assert.equal(outcome.exitCode !== 0, interrupt, what);
    assert.deepEqual(this.#replies, [], `${what}\nnot every reply was asked for`);
    const threadId = outcome.events.find(({ type }) => type === 'thread.started')?.thread_id;
    assert.ok(threadId !== undefined, what);
    assert.equal(this.threadId !== undefined && threadId !== this.threadId, fork && this.threadId !== undefined, what);
    if (!fork) this.threadId = threadId;
    return { request: this.#lastRequest(), threadId };
  }

  /** Both go on with this thread from here on. @param {string} threadId */
  follow(threadId) {
    this.threadId = threadId;
  }

  /** @param {ProgramName} program */
  async compact(program) {
    this.#replies = [];
    if (program === 'quire') {
      await withQuireThread(this.#thread(), (thread) => thread.compact());
      return;
    }
    await this.#withAppServer(async (server, threadId) => {
      const ended = server.next('turn/completed');
      await server.ask('thread/compact/start', { threadId });
      assert.equal(Object((await ended)['turn'])['status'], 'completed');
    });
  }

  /** Takes the newest turn back. @param {ProgramName} program */
  async takeBackOneTurn(program) {
    if (program === 'quire') {
      await withQuireThread(this.#thread(), (thread) => thread.rollBack(/* turns */ 1));
      return;
    }
    const beforeTurnId = await this.#newestTurnId();
    await this.#withAppServer(async (server, threadId) => {
      await server.ask('thread/revert', { threadId, beforeTurnId });
    });
  }

  /** @param {ProgramName} program @param {string} name */
  async rename(program, name) {
    if (program === 'quire') {
      await openQuire(this.#place).setThreadName(this.#thread().threadId, name);
      return;
    }
    await this.#withAppServer(async (server, threadId) => {
      await server.ask('thread/name/set', { threadId, name });
    });
  }

  /** Puts the thread away, or takes it back. @param {ProgramName} program @param {'archive' | 'unarchive'} verb */
  async move(program, verb) {
    const { threadId } = this.#thread();
    if (program === 'quire') {
      const quire = openQuire(this.#place);
      await (verb === 'archive' ? quire.archiveThread(threadId) : quire.unarchiveThread(threadId));
      return;
    }
    const { exitCode, output } = await runCommand([this.#paths.peer, verb, threadId], this.#place);
    assert.equal(exitCode, 0, output);
  }

  /** The thread's files, oldest first: the peer begins another one when it reverts. */
  async files() {
    const folder = path.join(this.#lab.home, 'sessions');
    const names = await readdir(folder, { recursive: true });
    const own = names.filter((name) => name.endsWith('.jsonl') && name.includes(this.#thread().threadId)).sort();
    return own.map((name) => path.join(folder, name));
  }

  #thread() {
    assert.ok(this.threadId !== undefined, 'no turn was made yet');
    return { threadId: this.threadId, ...this.#place };
  }

  /** @param {(server: AppServer, threadId: string) => Promise<void>} work */
  async #withAppServer(work) {
    const thread = this.#thread();
    const start = { ...thread, peerPath: this.#paths.peer };
    await AppServer.withThread(start, (server) => work(server, thread.threadId));
  }

  /** Text of the base instructions in the thread's header. @returns {Promise<string | undefined>} */
  async storedBaseInstructions() {
    const [header] = await this.#linesOfNewestFile();
    return header.payload.base_instructions?.text;
  }

  /** What `quire` noted of the work beside the newest summary; the peer has to pass over it. @returns {Promise<unknown>} */
  async storedLedger() {
    const lines = await this.#linesOfNewestFile();
    return lines.findLast(({ type }) => type === 'compacted')?.payload.ledger;
  }

  async #newestTurnId() {
    const lines = await this.#linesOfNewestFile();
    return lines.findLast(({ payload }) => payload.type === 'task_started')?.payload.turn_id;
  }

  async #linesOfNewestFile() {
    const content = await readFile((await this.files()).at(-1) ?? '', 'utf8');
    return content
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  /** The request that began it all. */
  firstRequest() {
    const request = this.#simulator?.requests[0];
    assert.ok(request !== undefined, 'nobody asked the provider');
    return request;
  }

  #lastRequest() {
    const request = this.#simulator?.requests.at(-1);
    assert.ok(request !== undefined, 'nobody asked the provider');
    return request;
  }

  /** @param {RecordedRequest} request @returns {readonly Output[]} */
  #reply(request) {
    if (request.input.at(-1)?.['type'] === 'compaction_trigger') return [compaction(SEALED_SUMMARY)];
    // Who asks for a summary offers no tools.
    const { tools } = request.body;
    if (!Array.isArray(tools) || tools.length === 0) return [text(SUMMARY)];
    const reply = this.#replies.shift();
    return reply === undefined ? [text('One request too many.')] : reply(request);
  }
}

/** @param {import('./programs.js').PrintedEvent} event */
function startsCommand({ type, item }) {
  return type === 'item.started' && item?.type === 'command_execution';
}

/** @param {RecordedRequest} request @param {string} callId @param {string} command */
function shellCall(request, callId, command) {
  const { tools } = request.body;
  const offersExec = Array.isArray(tools) && tools.some((tool) => Object(tool)['name'] === 'exec_command');
  return offersExec
    ? functionCall(callId, 'exec_command', { cmd: command, login: false })
    : functionCall(callId, 'shell_command', { command, login: false });
}
