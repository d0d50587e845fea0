import type {
  Clock,
  Command,
  CommandOutcome,
  CommandRunner,
  FileEdit,
  ModelPort,
  ModelRequest,
  PatchFiles,
  RolloutWriter,
  SessionReading,
  SessionWriting,
  WorkTreeSnapshots,
} from '@quire/core';
import {
  findModel,
  resolveSettings,
  Thread,
  type ThreadSeed,
  type ThreadSettings,
  type TurnChoices,
} from '@quire/core';
import {
  type ModelEvent,
  parseThreadId,
  type ResponseItem,
  type RolloutLine,
  type ThreadEvent,
  type ThreadId,
  type TurnOutcome,
} from '@quire/protocol';

const THREAD_ID = parseThreadId('01a1fb92-91c2-7ad3-9095-c4fc9f7c6463') as ThreadId;

/** What one request gets: batches of events, and perhaps an error after them. */
export interface ModelStep {
  readonly events: readonly ModelEvent[];
  readonly error?: unknown;
  /** The stream hangs after its events until the request is aborted. */
  readonly hang?: boolean;
}

export class ScriptedModel implements ModelPort {
  readonly requests: ModelRequest[] = [];
  readonly #steps: (ModelStep | ((request: ModelRequest) => ModelStep))[];
  readonly #waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(steps: readonly (ModelStep | ((request: ModelRequest) => ModelStep))[]) {
    this.#steps = [...steps];
  }

  /** Resolves once `count` requests were made. */
  requested(count: number): Promise<void> {
    if (this.requests.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ count, resolve }));
  }

  beginTurn(): { stream: ScriptedModel['stream'] } {
    return { stream: (request, options) => this.stream(request, options) };
  }

  async *stream(
    request: ModelRequest,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<readonly ModelEvent[], void, undefined> {
    this.requests.push(request);
    for (const waiter of this.#waiters) if (this.requests.length >= waiter.count) waiter.resolve();
    const next = this.#steps.shift();
    if (next === undefined) throw new Error('the script has no step left for this request');
    const step = typeof next === 'function' ? next(request) : next;
    yield step.events;
    if (step.hang === true) {
      await new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        if (signal.aborted) reject(signal.reason);
      });
    }
    signal.throwIfAborted();
    if (step.error !== undefined) throw step.error;
  }

  get unusedSteps(): number {
    return this.#steps.length;
  }

  close(): void {
    // Nothing is open.
  }
}

export interface RunningCommand {
  readonly script: string;
  finish(output: string, exitCode?: number): void;
}

/** Commands that end when the test says so, or at once when a result is given. */
export class ScriptedRunner implements CommandRunner {
  readonly shell = { name: 'bash', path: '/bin/bash' };
  readonly running: RunningCommand[] = [];
  readonly scripts: string[] = [];
  readonly timeouts: number[] = [];
  readonly #instant: ((script: string) => string) | undefined;
  readonly #waiters: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(instant?: (script: string) => string) {
    this.#instant = instant;
  }

  started(count: number): Promise<void> {
    if (this.scripts.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ count, resolve }));
  }

  argv(command: Command): readonly string[] {
    if ('argv' in command) return command.argv;
    return [this.shell.path, command.login ? '-lc' : '-c', command.script];
  }

  run(
    command: Command & { readonly timeoutMs: number },
    { signal }: { readonly signal: AbortSignal },
  ): Promise<CommandOutcome> {
    const script = 'argv' in command ? command.argv.join(' ') : command.script;
    this.scripts.push(script);
    this.timeouts.push(command.timeoutMs);
    const result = new Promise<CommandOutcome>((resolve, reject) => {
      const finish = (output: string, exitCode = 0): void =>
        resolve({
          end: { kind: 'exited', exitCode },
          output,
          omittedBytes: 0,
          totalLines: output.split('\n').length - 1,
          durationMs: 100,
        });
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      if (this.#instant !== undefined) finish(this.#instant(script));
      else this.running.push({ script, finish });
    });
    for (const waiter of this.#waiters) if (this.scripts.length >= waiter.count) waiter.resolve();
    return result;
  }

  async openSession(command: Command, look: { readonly signal: AbortSignal }): Promise<SessionReading> {
    const { end, output, omittedBytes, durationMs } = await this.run({ ...command, timeoutMs: 0 }, look);
    return { sessionId: 10_000 + this.scripts.length, end, output, omittedBytes, durationMs };
  }

  async writeSession(): Promise<SessionWriting> {
    return { kind: 'unknown-session' };
  }

  warmUp(): void {
    // Nothing to get ready.
  }

  async close(): Promise<void> {
    // Nothing runs beyond a test.
  }
}

export class MemoryFiles implements PatchFiles {
  readonly files: Map<string, string>;

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.files = new Map(Object.entries(files));
  }

  async read(path: string): Promise<{ kind: 'text'; text: string } | { kind: 'missing' }> {
    const text = this.files.get(path);
    return text === undefined ? { kind: 'missing' } : { kind: 'text', text };
  }

  async resolveTarget(path: string): Promise<string> {
    return path;
  }

  async apply(edits: readonly FileEdit[]): Promise<void> {
    for (const edit of edits) {
      if (edit.kind === 'write') this.files.set(edit.path, edit.text);
      else this.files.delete(edit.path);
    }
  }
}

export class MemoryRollout implements RolloutWriter {
  readonly lines: RolloutLine[] = [];
  failure: Error | undefined;

  append(lines: readonly RolloutLine[]): void {
    if (this.failure !== undefined) throw this.failure;
    this.lines.push(...lines);
  }

  close(): void {
    // Nothing is open.
  }

  /** Line types and, for events and items, what they are. */
  get summary(): readonly string[] {
    return this.lines.map((line) => {
      if (line.type === 'event_msg') return `event:${line.payload.type}`;
      return line.type === 'response_item' ? `item:${itemName(line.payload)}` : line.type;
    });
  }
}

export function itemName(item: ResponseItem): string {
  if (item.type === 'message') return `${item.role}-message`;
  return 'call_id' in item && item.call_id !== undefined ? `${item.type}:${item.call_id}` : item.type;
}

/** Time stands still but for what is slept; sleeps are noted and take no time. */
export class FakeClock implements Clock {
  nowMs = 1_763_683_200_000;
  readonly slept: number[] = [];

  now(): number {
    return this.nowMs;
  }

  async sleep(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted();
    this.slept.push(ms);
    // What is ready at the same moment comes first, as it would with any real wait.
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
    this.nowMs += ms;
  }
}

const CHOICES: TurnChoices = {
  reasoningEffort: { turn: undefined, planMode: undefined, configured: 'medium' },
  reasoningSummary: { turn: undefined, configured: 'auto' },
  verbosity: undefined,
  personality: { feature: true, turn: undefined, configured: undefined, stored: undefined },
  serviceTier: { turn: undefined, configured: undefined, fastMode: true },
  allowedWebSearchModes: undefined,
  tools: { shell: true, unifiedExec: false, enabled: new Set(), disabled: new Set(), originalImages: false },
};

/** What is not overridden follows from model and choices. */
export function settings(overrides: Partial<ThreadSettings> = {}): ThreadSettings {
  const ground = {
    cwd: '/repo',
    model: findModel('gpt-5.2-codex'),
    choices: CHOICES,
    baseInstructions: 'Base.',
    developerInstructions: undefined,
    projectInstructions: undefined,
    environment: {
      shellName: 'bash',
      currentDate: '2025-11-21',
      timezone: 'UTC',
      git: undefined,
      otherWorkspaces: [],
    },
    bakedPersonality: undefined,
    collaborationMode: undefined,
    gitInContext: true,
    omittedSections: [],
    compaction: {
      strategies: ['local', 'trim'],
      deadlineMs: 60_000,
      autoCompactTokenLimit: undefined,
      prompt: undefined,
      ledger: true,
    },
    approvalPolicy: 'never',
    sandbox: {
      mode: 'danger-full-access',
      writableRoots: [],
      networkAccess: false,
      excludeTmpdirEnvVar: false,
      excludeSlashTmp: false,
    },
    temporaryRoots: [],
    webSearch: {
      mode: 'disabled',
      allowedDomains: undefined,
      contextSize: undefined,
      location: undefined,
      isServed: false,
    },
    commands: { allowLoginShell: true, longestPollMs: 300_000 },
    network: { allowedHosts: undefined },
    streamMaxRetries: 5,
    toolOutputTokenLimit: undefined,
    ...overrides,
  } as const;
  return { ...resolveSettings(ground), ...overrides };
}

export interface TestThread {
  readonly thread: Thread;
  readonly model: ScriptedModel;
  readonly runner: ScriptedRunner;
  readonly files: MemoryFiles;
  readonly rollout: MemoryRollout;
  readonly clock: FakeClock;
  readonly events: ThreadEvent[];
  run(text: string, options?: { readonly signal?: AbortSignal }): Promise<TurnOutcome>;
}

export function openTestThread(parts: {
  readonly steps: readonly (ModelStep | ((request: ModelRequest) => ModelStep))[];
  readonly runner?: ScriptedRunner;
  readonly files?: MemoryFiles;
  readonly settings?: ThreadSettings;
  readonly seed?: ThreadSeed;
  readonly rollout?: MemoryRollout;
  readonly snapshots?: WorkTreeSnapshots;
}): TestThread {
  const model = new ScriptedModel(parts.steps);
  const runner = parts.runner ?? new ScriptedRunner(() => '');
  const files = parts.files ?? new MemoryFiles();
  const rollout = parts.rollout ?? new MemoryRollout();
  const clock = new FakeClock();
  const events: ThreadEvent[] = [];
  let ids = 0;
  const entropy = { random: () => 0.5, uuid: () => `id-${++ids}` };
  const thread = new Thread({
    id: THREAD_ID,
    settings: parts.settings ?? settings(),
    ports: { model, runner, files, rollout, clock, entropy, ...(parts.snapshots && { snapshots: parts.snapshots }) },
    seed: parts.seed,
  });
  return {
    thread,
    model,
    runner,
    files,
    rollout,
    clock,
    events,
    run: (text, options) =>
      thread.runTurn({
        input: [{ kind: 'text', text }],
        signal: options?.signal ?? new AbortController().signal,
        outputSchema: undefined,
        onEvent: (event) => events.push(event),
      }),
  };
}

/** Builders for what a model says. */
export function says(text: string, id = `msg-${text}`): readonly ModelEvent[] {
  const item: ResponseItem = { type: 'message', id, role: 'assistant', content: [{ type: 'output_text', text }] };
  return [
    { kind: 'item-start', item: { ...item, content: [] } },
    { kind: 'text-delta', itemId: id, delta: text },
    { kind: 'item-end', item },
  ];
}

export function calls(callId: string, name: string, args: object): readonly ModelEvent[] {
  const item: ResponseItem = {
    type: 'function_call',
    id: `fc-${callId}`,
    call_id: callId,
    name,
    arguments: JSON.stringify(args),
  };
  return [{ kind: 'item-end', item }];
}

export function callsCustom(callId: string, name: string, input: string): readonly ModelEvent[] {
  return [{ kind: 'item-end', item: { type: 'custom_tool_call', id: `ctc-${callId}`, call_id: callId, name, input } }];
}

export function done(endTurn?: boolean): readonly ModelEvent[] {
  const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5, reasoningOutputTokens: 1, totalTokens: 15 };
  return [{ kind: 'response-end', responseId: 'resp', usage, endTurn }];
}

export function step(...parts: readonly (readonly ModelEvent[])[]): ModelStep {
  return { events: parts.flat() };
}

/** Input of a request as short names. */
export function names(request: ModelRequest | undefined): readonly string[] {
  return (request?.input ?? []).map(itemName);
}

export function outputs(request: ModelRequest | undefined): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const item of request?.input ?? []) {
    if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output')
      found[item.call_id] = item.output;
  }
  return found;
}
