/** Where one case runs: a throw-away git repository, a home folder, a provider, and the SDK pointed at `quire`. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from '../tools/lib/run-command.js';
import { waitForNoProcess } from './processes.js';

/**
 * @typedef {import('./sdk-types.d.ts').Sdk} Sdk
 * @typedef {import('./sdk-types.d.ts').SdkEvent} SdkEvent
 * @typedef {import('./sdk-types.d.ts').SdkOptions} SdkOptions
 * @typedef {import('./sdk-types.d.ts').SdkThreadOptions} SdkThreadOptions
 * @typedef {import('./sdk-types.d.ts').SdkThread} SdkThread
 * @typedef {import('@quire/simulator').Simulator} Simulator
 * @typedef {import('@quire/simulator').SimulatorOptions} SimulatorOptions
 * @typedef {import('@quire/simulator').Step} Step
 */

/** How long a process may live on after the SDK let go of it. Milliseconds. */
export const LINGER_LIMIT_MS = 1000;
/** The same at the end of a case, whose programs have ended by themselves. No time is promised for what they leave. */
const END_LIMIT_MS = 10_000;

/** The key the SDK hands over; nothing but the `authorization` header may show it. */
export const API_KEY = 'sk-conformance-0123456789';

/** @typedef {{ sdk: Sdk, Simulator: typeof import('@quire/simulator').Simulator, quirePath: string }} LabTools */

export class Lab {
  /** @type {Simulator[]} */
  #simulators = [];
  #tools;

  /** @param {LabTools} tools @param {string} folder */
  constructor(tools, folder) {
    this.#tools = tools;
    this.folder = folder;
    this.repository = path.join(folder, 'repository');
    this.home = path.join(folder, 'home');
    this.mark = `CONFORMANCE_LAB=${randomUUID()}`;
  }

  /** @param {LabTools} tools */
  static async open(tools) {
    const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'quire-conformance-')));
    const lab = new Lab(tools, folder);
    await Promise.all([mkdir(lab.home), mkdir(lab.repository)]);
    const { exitCode, output } = await runCommand(['git', 'init', '--quiet'], { cwd: lab.repository });
    assert.equal(exitCode, 0, `git init: ${output}`);
    return lab;
  }

  /** What the SDK passes to the command: nothing of the caller's home, keys or proxies. */
  get environment() {
    const [name = '', value = ''] = this.mark.split('=');
    return { PATH: process.env['PATH'] ?? '', HOME: this.home, CODEX_HOME: this.home, [name]: value };
  }

  /**
   * A provider that answers with `steps`; the end of the case checks that all were used and every request was sound.
   * @param {readonly Step[]} steps
   * @param {SimulatorOptions} [options]
   */
  async provider(steps, options = {}) {
    const simulator = await this.#tools.Simulator.start({ steps, ...options });
    this.#simulators.push(simulator);
    return simulator;
  }

  /** @param {SdkOptions} options */
  codex(options) {
    return new this.#tools.sdk.Codex({ codexPathOverride: this.#tools.quirePath, env: this.environment, ...options });
  }

  /**
   * The SDK with the provider's address and a key, as most programs use it.
   * @param {Simulator} provider
   * @param {SdkOptions} [options]
   */
  codexFor(provider, options = {}) {
    return this.codex({ baseUrl: provider.url, apiKey: API_KEY, ...options });
  }

  /**
   * A new thread in the repository with full access.
   * @param {Simulator} provider
   * @param {SdkThreadOptions} [options]
   */
  thread(provider, options = {}) {
    return this.codexFor(provider).startThread(this.threadOptions(options));
  }

  /**
   * @param {SdkThreadOptions} [options]
   * @returns {SdkThreadOptions}
   */
  threadOptions(options = {}) {
    return { workingDirectory: this.repository, sandboxMode: 'danger-full-access', ...options };
  }

  /** Fails when a process of this case lives longer than that from now. */
  async assertNoProcessLeft({ withinMs } = { withinMs: LINGER_LIMIT_MS }) {
    const left = await waitForNoProcess(this.mark, { withinMs });
    assert.deepEqual(left, [], `processes that outlive their turn by ${withinMs} ms`);
  }

  /** Removes everything; fails for a provider that was asked the wrong things and for processes left behind. */
  async close() {
    try {
      await this.assertNoProcessLeft({ withinMs: END_LIMIT_MS });
      for (const simulator of this.#simulators) await simulator.close();
    } finally {
      await this.abandon();
    }
  }

  /** Removes everything without judging, and ends what still runs. */
  async abandon() {
    for (const { pid } of await waitForNoProcess(this.mark, { withinMs: 0 })) killIfAlive(pid);
    await Promise.all(this.#simulators.map((simulator) => simulator.stop()));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** @param {number} pid */
function killIfAlive(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/**
 * Every event of a turn. The thread id, which is random, is checked and then shown as `<thread>`.
 * @param {SdkThread} thread
 * @param {string} prompt
 * @returns {Promise<SdkEvent[]>}
 */
export async function collectEvents(thread, prompt) {
  /** @type {SdkEvent[]} */
  const events = [];
  const { events: stream } = await thread.runStreamed(prompt);
  for await (const event of stream) events.push(event);
  return events.map(maskThreadId);
}

/** Version 7 UUID in lower case. */
const THREAD_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** @param {SdkEvent} event */
export function maskThreadId(event) {
  if (event.type !== 'thread.started') return event;
  assert.match(event.thread_id ?? '', THREAD_ID);
  return { ...event, thread_id: '<thread>' };
}

/**
 * The usage of a turn of `count` responses with the simulator's default numbers, in the words of the event stream.
 * @param {number} count
 */
export function usageOf(count) {
  return {
    input_tokens: 100 * count,
    cached_input_tokens: 20 * count,
    cache_write_input_tokens: 0,
    output_tokens: 10 * count,
    reasoning_output_tokens: 4 * count,
  };
}
