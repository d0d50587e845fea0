import {
  type Clock,
  type CommandOutcome,
  findModel,
  type RolloutWriter,
  resolveSettings,
  Thread,
  type ThreadSettings,
} from '@quire/core';
import { createPatchFiles, systemEntropy } from '@quire/host';
import { createModelClient, type FallbackMemory, type ModelClientOptions } from '@quire/model-client';
import {
  type Credentials,
  isJsonObject,
  type JsonObject,
  type ModelProvider,
  type RequestReceipt,
  type ThreadEvent,
  type ThreadId,
  type TurnItem,
  type TurnOutcome,
} from '@quire/protocol';
import { HumanOutput } from '../../../packages/cli/src/exec/human-output.ts';
import { createStyle } from '../../../packages/cli/src/exec/style.ts';
import { historyDigest } from '../../support/history-digest.ts';
import { NO_CHOICES } from '../../support/no-choices.ts';

export type LineTransport = 'http' | 'websocket';

export interface ClientOptions {
  readonly url: string;
  readonly transport: LineTransport;
  readonly provider?: Partial<ModelProvider>;
  readonly credentials?: ModelClientOptions['credentials'];
  readonly environment?: Readonly<Record<string, string>>;
  readonly fallbackMemory?: FallbackMemory;
  readonly pingIntervalMs?: number;
  /** What running a command prints. */
  readonly commandOutput?: string;
}

/** What one turn came to. */
export interface TurnReport {
  readonly outcome: TurnOutcome;
  readonly events: readonly ThreadEvent[];
  /** Every line that tells a person of trouble, exactly as `quire exec` prints it; the port is `PORT`. */
  readonly notices: readonly string[];
  /** One short text for each item that ended, the person's own left out. */
  readonly items: readonly string[];
  readonly receipts: readonly RequestReceipt[];
}

/**
 * A thread with the real line to the model. Waiting between attempts is recorded instead of done, and jitter is
 * at its middle, so that gaps are exact; limits on silence and on handshakes are real.
 */
export class TransportClient implements AsyncDisposable {
  /** Every wait between attempts, of both layers of retries. Milliseconds. */
  readonly gapsMs: number[] = [];
  /** Scripts of the commands that ran. */
  readonly commands: string[] = [];
  readonly #record: JsonObject[] = [];
  readonly #thread: Thread;
  readonly #model: ReturnType<typeof createModelClient>;

  constructor(options: ClientOptions) {
    const clock: Clock = {
      now: () => Date.now(),
      sleep: async (ms, { signal }) => {
        signal.throwIfAborted();
        this.gapsMs.push(Math.round(ms));
      },
    };
    const entropy = { random: () => 0.5, uuid: () => systemEntropy.uuid() };
    const threadId = entropy.uuid() as ThreadId;
    const provider = createProvider(options);
    const key: Credentials = { kind: 'api-key', token: 'key-of-the-test' };
    this.#model = createModelClient({
      provider,
      credentials: options.credentials ?? {
        current: () => Promise.resolve(key),
        remedy: 'the key was refused: check CODEX_API_KEY',
      },
      threadId,
      originator: 'quire_test',
      clientVersion: '1.2.3',
      userAgent: 'quire_test/1.2.3 (TestOS 1; x64) none',
      clock,
      entropy,
      environment: options.environment ?? {},
      webSocket: options.transport === 'websocket' ? 'when-supported' : 'off',
      ...(options.fallbackMemory === undefined ? {} : { fallbackMemory: options.fallbackMemory }),
      ...(options.pingIntervalMs === undefined ? {} : { pingIntervalMs: options.pingIntervalMs }),
    });
    const rollout: RolloutWriter = {
      append: (lines) => {
        for (const { type, payload } of lines) {
          if (type === 'response_item' && isJsonObject(payload)) this.#record.push(payload);
        }
      },
      close: () => undefined,
    };
    const ports = { model: this.#model, runner: this.#runner(options), files: createPatchFiles() };
    this.#thread = new Thread({
      id: threadId,
      settings: threadSettings(provider),
      ports: { ...ports, rollout, clock, entropy },
      seed: undefined,
    });
  }

  /** What is on record of model and tools, one short text for each item. */
  get record(): readonly string[] {
    return historyDigest(this.#record);
  }

  warmUp(): void {
    this.#thread.warmUp();
  }

  async turn(
    prompt = 'Go.',
    options: { readonly outputSchema?: JsonObject; readonly signal?: AbortSignal } = {},
  ): Promise<TurnReport> {
    const events: ThreadEvent[] = [];
    const outcome = await this.#thread.runTurn({
      input: [{ kind: 'text', text: prompt }],
      signal: options.signal ?? new AbortController().signal,
      outputSchema: options.outputSchema,
      onEvent: (event) => events.push(event),
    });
    return { outcome, ...readEvents(events) };
  }

  close(): void {
    this.#model.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #runner({ commandOutput = 'ran\n' }: ClientOptions): ConstructorParameters<typeof Thread>[0]['ports']['runner'] {
    return {
      shell: { name: 'sh', path: '/bin/sh' },
      argv: (command) => ('argv' in command ? command.argv : ['/bin/sh', '-c', command.script]),
      run: async (command): Promise<CommandOutcome> => {
        this.commands.push('argv' in command ? command.argv.join(' ') : command.script);
        return {
          end: { kind: 'exited', exitCode: 0 },
          output: commandOutput,
          omittedBytes: 0,
          totalLines: 1,
          durationMs: 1,
        };
      },
      openSession: () => Promise.reject(new Error('no sessions here')),
      writeSession: () => Promise.resolve({ kind: 'unknown-session' }),
      warmUp: () => undefined,
      close: () => Promise.resolve(),
    };
  }
}

/** What a list of thread events tells a program and a person. */
export function readEvents(events: readonly ThreadEvent[]): Omit<TurnReport, 'outcome'> {
  return {
    events,
    notices: noticesOf(events),
    items: events.flatMap((event) => (event.kind === 'item-end' ? itemDigest(event.item) : [])),
    receipts: events.flatMap((event) => (event.kind === 'turn-receipt' ? event.requests : [])),
  };
}

/** How `quire exec` begins a line that tells of trouble. */
const NOTICE = /^(?:↻|!|ERROR:|…) /;

function noticesOf(events: readonly ThreadEvent[]): readonly string[] {
  let shown = '';
  const sink = {
    isTerminal: false,
    write: (text: string) => {
      shown += text;
    },
    flush: () => Promise.resolve(),
  };
  const human = new HumanOutput({
    stdout: { ...sink, write: () => undefined },
    stderr: sink,
    style: createStyle({ color: false }),
    version: '0.0.0',
    sharedSink: false,
    stdoutIsTerminal: false,
  });
  for (const event of events) {
    if (event.kind === 'turn-end') human.ended(event.outcome);
    else human.event(event);
  }
  return shown
    .split('\n')
    .filter((line) => NOTICE.test(line))
    .map((line) => line.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT'));
}

function itemDigest(item: TurnItem): readonly string[] {
  switch (item.kind) {
    case 'user-message':
      return [];
    case 'agent-message':
      return [`message ${item.text}`];
    case 'reasoning':
      return [`reasoning ${item.summary.join('|')}`];
    case 'command-execution':
      return [`output ${item.id}`];
    default:
      return [item.kind];
  }
}

function createProvider({ url, transport, provider }: ClientOptions): ModelProvider {
  return {
    id: 'test',
    name: 'Test',
    baseUrl: url,
    envKey: undefined,
    envKeyInstructions: undefined,
    bearerToken: undefined,
    queryParams: {},
    httpHeaders: {},
    envHttpHeaders: {},
    requestMaxRetries: 4,
    streamMaxRetries: 5,
    streamIdleTimeoutMs: 20_000,
    requiresOpenaiAuth: false,
    supportsWebsockets: transport === 'websocket',
    ...provider,
  };
}

function threadSettings(provider: ModelProvider): ThreadSettings {
  return resolveSettings({
    cwd: '/',
    model: findModel('gpt-5.2-codex'),
    choices: NO_CHOICES,
    baseInstructions: 'Be brief.',
    developerInstructions: undefined,
    projectInstructions: undefined,
    environment: { shellName: 'sh', currentDate: '2026-01-01', timezone: 'UTC', git: undefined, otherWorkspaces: [] },
    bakedPersonality: undefined,
    collaborationMode: undefined,
    gitInContext: true,
    omittedSections: [],
    compaction: {
      strategies: [],
      deadlineMs: 1_000,
      autoCompactTokenLimit: undefined,
      prompt: undefined,
      ledger: false,
    },
    approvalPolicy: 'never',
    sandbox: {
      mode: 'danger-full-access',
      writableRoots: [],
      networkAccess: true,
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
    streamMaxRetries: provider.streamMaxRetries,
    toolOutputTokenLimit: undefined,
  });
}
