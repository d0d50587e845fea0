import { setTimeout as delay } from 'node:timers/promises';
import type { ElicitationAnswer, ElicitationRequest, McpServerConfig } from '@quire/core';
import type { JsonObject } from '@quire/protocol';
import { linkSignals, timerDelay, waitFor } from '../process/abort.ts';
import { CallTimer } from './call-timer.ts';
import {
  RESTART_DELAY_MS,
  RESTARTS_MAX,
  STABLE_AFTER_MS,
  STARTUP_TIMEOUT_MS,
  TOOLS_CHANGED_DELAY_MS,
} from './limits.ts';
import { McpError } from './mcp-error.ts';
import type { OpenedServer, OpenServer } from './open-server.ts';
import type { ServerConnection, ToolAnswer } from './server-connection.ts';
import { readTools, type ServerTool } from './tool-list.ts';

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly done: Promise<void>; readonly abort: AbortController }
  | { readonly kind: 'ready'; readonly opened: OpenedServer; readonly sinceMs: number }
  | { readonly kind: 'down'; readonly error: McpError; readonly sinceMs: number }
  | { readonly kind: 'stopped' };

export type SharedServerState = Exclude<State['kind'], 'stopped'>;

export type Elicit = (
  request: ElicitationRequest,
  options: { readonly signal: AbortSignal },
) => Promise<ElicitationAnswer>;

export interface ToolCall {
  readonly tool: string;
  readonly arguments: JsonObject;
  readonly timeoutMs: number;
  readonly elicit: Elicit | undefined;
  readonly signal: AbortSignal;
}

/** Forms of one server that may wait for an answer at the same time. */
const FORMS_MAX = 4;

/** One server, for all threads that configure it alike: started in the background, and again when it went away. */
export class SharedServer {
  readonly #config: McpServerConfig;
  readonly #cwd: string;
  readonly #open: OpenServer;
  readonly #listeners = new Set<(notice: string) => void>();
  /** Elicitors of the calls under way, the latest last. */
  readonly #elicitors = new Set<Elicit>();
  readonly #startupTimeoutMs: number;
  #state: State = { kind: 'idle' };
  #tools: readonly ServerTool[] = [];
  #lastList = '[]';
  #wasReady = false;
  /** Ends and failed starts since it last was stable. */
  #failures = 0;
  #forms = 0;
  #changeTimer: NodeJS.Timeout | undefined;
  #refresh: 'none' | 'scheduled' | 'running' | 'running-stale' = 'none';

  constructor(order: { readonly config: McpServerConfig; readonly cwd: string; readonly open: OpenServer }) {
    this.#config = order.config;
    this.#cwd = order.cwd;
    this.#open = order.open;
    this.#startupTimeoutMs = order.config.startupTimeoutMs ?? STARTUP_TIMEOUT_MS;
  }

  /** The very same array as long as the server's list is the same. Stays while a server is away. */
  get tools(): readonly ServerTool[] {
    return this.#tools;
  }

  get state(): SharedServerState {
    return this.#state.kind === 'stopped' ? 'down' : this.#state.kind;
  }

  /** Why it is down. */
  get problem(): string | undefined {
    return this.#state.kind === 'down' ? this.#state.error.message : undefined;
  }

  /** `listener` gets sentences for a person, at once the one that says why it is down. Must not throw. */
  listen(listener: (notice: string) => void): void {
    this.#listeners.add(listener);
    if (this.problem !== undefined) listener(this.problem);
  }

  unlisten(listener: (notice: string) => void): void {
    this.#listeners.delete(listener);
  }

  /** In the background, unless it runs or failed too often. */
  start(): void {
    const state = this.#state;
    const isOver = state.kind === 'down' && this.#failures <= RESTARTS_MAX && this.#backoffMs(state.sinceMs) <= 0;
    if (state.kind === 'idle' || isOver) this.#begin();
  }

  /** Resolves when it is known whether it works. Rejects only with the reason of the signal. */
  async settled(signal: AbortSignal): Promise<void> {
    this.start();
    if (this.#state.kind === 'starting') await untilDone(this.#state.done, signal);
  }

  /** Rejects with McpError, or the reason of the signal. */
  async callTool(call: ToolCall): Promise<ToolAnswer> {
    using link = linkSignals([call.signal]);
    const timeout = new AbortController();
    using both = linkSignals([link.signal, timeout.signal]);
    const timer = new CallTimer(call.timeoutMs, () => timeout.abort(this.#toolTimeout(call)));
    const { elicit } = call;
    const elicitor: Elicit | undefined =
      elicit && ((request, options) => timer.pauseDuring(() => elicit(request, options)));
    if (elicitor !== undefined) this.#elicitors.add(elicitor);
    try {
      return await this.request(
        (connection) => connection.callTool(call.tool, call.arguments, both.signal),
        both.signal,
      );
    } finally {
      timer.clear();
      if (elicitor !== undefined) this.#elicitors.delete(elicitor);
    }
  }

  /** Asks it something; a server that went away is started again first. Rejects with McpError, or the reason of the signal. */
  async request<Answer>(ask: (connection: ServerConnection) => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 0; ; attempt += 1) {
      const opened = await this.#use(signal);
      try {
        return await ask(opened.connection);
      } catch (error) {
        if (signal.aborted || !(error instanceof McpError)) throw error;
        if (error.code === 'ended') throw await opened.explainEnd();
        if (error.code !== 'session-lost') throw error;
        // Nothing was done with the request: it may be sent again over a new session.
        this.#lose(opened, error);
        if (attempt > 0) throw error;
      }
    }
  }

  /** For good. Never rejects. */
  async stop(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: 'stopped' };
    clearTimeout(this.#changeTimer);
    if (state.kind === 'starting') {
      state.abort.abort(closedError(this.#config.name));
      await state.done;
    }
    if (state.kind === 'ready') await state.opened.stop();
  }

  async #use(signal: AbortSignal): Promise<OpenedServer> {
    for (;;) {
      signal.throwIfAborted();
      const state = this.#state;
      switch (state.kind) {
        case 'ready':
          return state.opened;
        case 'starting':
          await untilDone(state.done, signal);
          break;
        case 'idle':
          this.#begin();
          break;
        case 'down': {
          if (!this.#wasReady || this.#failures > RESTARTS_MAX) throw state.error;
          const waitMs = this.#backoffMs(state.sinceMs);
          // biome-ignore lint/suspicious/noEmptyBlockStatements: looks again
          if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => {});
          else this.#begin();
          break;
        }
        case 'stopped':
          throw closedError(this.#config.name);
      }
    }
  }

  #begin(): void {
    const abort = new AbortController();
    const done = this.#start(abort).then(
      (opened) => {
        if (this.#state.kind === 'stopped') return opened.stop();
        this.#state = { kind: 'ready', opened, sinceMs: performance.now() };
        this.#wasReady = true;
        return undefined;
      },
      (error: unknown) => {
        if (this.#state.kind !== 'stopped') this.#goDown(asMcpError(this.#config.name, error));
      },
    );
    this.#state = { kind: 'starting', done, abort };
  }

  async #start(abort: AbortController): Promise<OpenedServer> {
    const { name } = this.#config;
    const timer = setTimeout(() => abort.abort(this.#startupTimeout()), timerDelay(this.#startupTimeoutMs)).unref();
    let opened: OpenedServer | undefined;
    let isLost = false;
    try {
      opened = await this.#open({
        config: this.#config,
        cwd: this.#cwd,
        signal: abort.signal,
        onNotice: (notice) => this.#announce(notice),
        onToolsChanged: () => this.#scheduleRefresh(),
        onElicit: (request, signal) => this.#elicit(request, signal),
        onClose: () => {
          isLost = true;
          if (this.#state.kind === 'ready') void this.#explainLoss(this.#state.opened);
        },
      });
      this.#takeTools(await opened.connection.listTools(abort.signal));
      if (isLost) throw new McpError('ended', `MCP server ${name} ended`);
      return opened;
    } catch (error) {
      const reason =
        opened !== undefined && error instanceof McpError && error.code === 'ended' ? await opened.explainEnd() : error;
      await opened?.stop();
      throw reason;
    } finally {
      clearTimeout(timer);
    }
  }

  async #explainLoss(opened: OpenedServer): Promise<void> {
    this.#lose(opened, new McpError('ended', `MCP server ${this.#config.name} ended`));
    const error = await opened.explainEnd();
    if (this.#state.kind !== 'down') return;
    this.#state = { ...this.#state, error };
    const what = this.#failures > RESTARTS_MAX ? 'it is left alone now' : 'it is started again when it is needed';
    this.#announce(`${error.message}; ${what}`);
  }

  #lose(opened: OpenedServer, error: McpError): void {
    if (this.#state.kind !== 'ready' || this.#state.opened !== opened) return;
    if (performance.now() - this.#state.sinceMs > STABLE_AFTER_MS) this.#failures = 0;
    this.#failures += 1;
    this.#state = { kind: 'down', error, sinceMs: performance.now() };
    void opened.stop();
  }

  #goDown(error: McpError): void {
    this.#failures += 1;
    this.#state = { kind: 'down', error, sinceMs: performance.now() };
    this.#announce(error.message);
  }

  #backoffMs(sinceMs: number): number {
    return sinceMs + RESTART_DELAY_MS * 4 ** (this.#failures - 1) - performance.now();
  }

  #takeTools(descriptions: readonly JsonObject[]): void {
    const list = JSON.stringify(descriptions);
    if (list === this.#lastList) return;
    this.#lastList = list;
    const { tools, problems } = readTools(descriptions);
    this.#tools = tools;
    for (const problem of problems.slice(0, 3)) this.#announce(`MCP server ${this.#config.name} ${problem}`);
  }

  /** Announcements that follow one another closely are one; one that comes while a list is read makes it read again. */
  #scheduleRefresh(): void {
    if (this.#refresh !== 'none') {
      if (this.#refresh === 'running') this.#refresh = 'running-stale';
      return;
    }
    this.#refresh = 'scheduled';
    this.#changeTimer = setTimeout(() => {
      this.#refresh = 'running';
      void this.#readToolsAgain().finally(() => {
        const isStale = this.#refresh === 'running-stale';
        this.#refresh = 'none';
        if (isStale) this.#scheduleRefresh();
      });
    }, TOOLS_CHANGED_DELAY_MS).unref();
  }

  async #readToolsAgain(): Promise<void> {
    if (this.#state.kind !== 'ready') return;
    const { connection } = this.#state.opened;
    try {
      this.#takeTools(await connection.listTools(AbortSignal.timeout(timerDelay(this.#startupTimeoutMs))));
    } catch (error) {
      if (this.#state.kind !== 'ready') return; // its end is announced
      this.#announce(
        `MCP server ${this.#config.name} did not give its new list of tools: ${asMcpError(this.#config.name, error).message}`,
      );
    }
  }

  /** Over one pipe for all it is not known which call a form belongs to: the latest one is asked. */
  async #elicit(request: ElicitationRequest, signal: AbortSignal): Promise<ElicitationAnswer> {
    const elicit = [...this.#elicitors].at(-1);
    if (elicit === undefined || this.#forms >= FORMS_MAX) return { kind: 'declined' };
    this.#forms += 1;
    try {
      return await elicit(request, { signal });
    } catch {
      return { kind: 'cancelled' }; // the call is over
    } finally {
      this.#forms -= 1;
    }
  }

  #announce(notice: string): void {
    for (const listener of this.#listeners) listener(notice);
  }

  #startupTimeout(): McpError {
    const { name } = this.#config;
    return new McpError(
      'startup-timeout',
      `MCP server ${name} was not ready within ${seconds(this.#startupTimeoutMs)} s and was given up; ` +
        `mcp_servers.${name}.startup_timeout_sec gives it longer`,
    );
  }

  #toolTimeout({ tool, timeoutMs }: ToolCall): McpError {
    const { name } = this.#config;
    return new McpError(
      'tool-timeout',
      `MCP server ${name} did not answer the call of ${tool} within ${seconds(timeoutMs)} s; ` +
        `mcp_servers.${name}.tool_timeout_sec gives it longer`,
    );
  }
}

function seconds(milliseconds: number): string {
  return String(Math.round(milliseconds / 100) / 10);
}

function closedError(name: string): McpError {
  return new McpError('closed', `MCP server ${name} is not used any more`);
}

function asMcpError(name: string, error: unknown): McpError {
  if (error instanceof McpError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new McpError('start-failed', `MCP server ${name} could not be used: ${reason}`, { cause: error });
}

/** Rejects only with the reason of the signal. */
async function untilDone(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  await waitFor(work, { timeoutMs: Number.POSITIVE_INFINITY, signal });
}
