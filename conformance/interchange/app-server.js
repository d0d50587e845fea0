/** What only the peer's app server can do to a thread: compact, revert, name. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { MODEL, providerSettings } from './programs.js';

/**
 * @typedef {Record<string, unknown>} Fields
 * @typedef {{ id?: number, method?: string, params?: Fields, result?: Fields, error?: { message: string } }} Message
 * @typedef {{ peerPath: string, provider: import('./programs.js').Provider, cwd: string, env: Record<string, string> }} Start
 */

/** How long the process may take to end after its input did. Milliseconds. */
const EXIT_PATIENCE_MS = 20_000;

export class AppServer {
  #child;
  #exited;
  #nextId = 0;
  /** @type {Map<number, (message: Message) => void>} */
  #pending = new Map();
  /** @type {{ method: string, resolve: (params: Fields) => void }[]} */
  #waiters = [];

  /** @param {Start} start */
  constructor({ peerPath, provider, cwd, env }) {
    const settings = [
      '-c',
      `model=${MODEL}`,
      '-c',
      'approval_policy="never"',
      '-c',
      'sandbox_mode="danger-full-access"',
    ];
    this.#child = spawn(peerPath, ['app-server', ...providerSettings(provider), ...settings], {
      cwd,
      env,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#exited = new Promise((resolve) => this.#child.once('close', resolve));
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#take(JSON.parse(line)));
  }

  /**
   * Starts it, opens the thread, does `work` and ends it.
   * @param {Start & { threadId: string }} options
   * @param {(server: AppServer) => Promise<void>} work
   */
  static async withThread({ threadId, ...start }, work) {
    const server = new AppServer(start);
    try {
      const clientInfo = { name: 'lab', title: 'lab', version: '1' };
      await server.ask('initialize', { clientInfo, capabilities: { experimentalApi: true } });
      server.#write({ method: 'initialized' });
      await server.ask('thread/resume', { threadId, excludeTurns: true });
      await work(server);
    } finally {
      await server.#close();
    }
  }

  /** @param {string} method @param {Fields} params @returns {Promise<Fields>} rejects with the message of an error */
  async ask(method, params) {
    this.#nextId += 1;
    const id = this.#nextId;
    /** @type {Promise<Message>} */
    const answered = new Promise((resolve) => this.#pending.set(id, resolve));
    this.#write({ id, method, params });
    const gone = this.#exited.then(() => ({ error: { message: 'the app server ended' } }));
    /** @type {Message} */
    const { result = {}, error } = await Promise.race([answered, gone]);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** The next notification of this name; call it before what causes it. @param {string} method @returns {Promise<Fields>} */
  next(method) {
    return new Promise((resolve) => this.#waiters.push({ method, resolve }));
  }

  async #close() {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_PATIENCE_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** @param {Message} message */
  #take(message) {
    if (message.id !== undefined && message.method === undefined) {
      this.#pending.get(message.id)?.(message);
      this.#pending.delete(message.id);
      return;
    }
    const index = this.#waiters.findIndex(({ method }) => method === message.method);
    if (index >= 0) this.#waiters.splice(index, 1)[0]?.resolve(message.params ?? {});
  }

  /** @param {Message} message */
  #write(message) {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}
