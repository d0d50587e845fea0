import { ModelError, type ModelEvent, type ResponseItem, type TokenUsage } from '@quire/protocol';
import type { CompactionInput, CompactionListener, CompactionPorts } from '../../src/compaction/compaction.ts';
import { findModel } from '../../src/model/catalog.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { ModelPort, ModelRequest } from '../../src/ports/model-port.ts';
import type { ThreadSettings } from '../../src/thread/settings.ts';
import { settings } from '../thread/harness.ts';

export function compactionSettings(overrides: Partial<ThreadSettings> = {}): ThreadSettings {
  const { environment } = settings();
  return settings({
    model: findModel('gpt-5.2-codex'),
    gitInContext: false,
    omittedSections: [],
    compaction: {
      strategies: ['local', 'trim'],
      deadlineMs: 60_000,
      autoCompactTokenLimit: undefined,
      prompt: undefined,
      ledger: true,
    },
    environment: { ...environment, currentDate: undefined, timezone: undefined },
    reasoningEffort: undefined,
    streamMaxRetries: 2,
    ...overrides,
  });
}

export function compactionInput(
  history: readonly ResponseItem[],
  overrides: Partial<CompactionInput> & { readonly strategies?: ThreadSettings['compaction']['strategies'] } = {},
): CompactionInput {
  const { strategies, ...rest } = overrides;
  const base = compactionSettings();
  const chosen = strategies === undefined ? base : { ...base, compaction: { ...base.compaction, strategies } };
  return {
    settings: chosen,
    history,
    tools: [],
    form: 'standalone',
    context: [],
    ledger: undefined,
    targetWindow: 258_400,
    knownSummaries: [],
    unavailable: new Set(),
    ...rest,
  };
}

/** Short sleeps end at once; longer ones when the test moves the time. */
export class SteppedClock implements Clock {
  nowMs = 1_000_000;
  readonly slept: number[] = [];
  readonly #waiting = new Set<{ readonly atMs: number; readonly wake: () => void }>();
  readonly #watchers: (() => void)[] = [];

  now(): number {
    return this.nowMs;
  }

  sleep(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    if (ms < 2_000) {
      this.slept.push(ms);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const sleeper = { atMs: this.nowMs + ms, wake: resolve };
      this.#waiting.add(sleeper);
      for (const watcher of this.#watchers.splice(0)) watcher();
      signal.addEventListener(
        'abort',
        () => {
          this.#waiting.delete(sleeper);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  /** Resolves when somebody sleeps for long. */
  async sleeping(): Promise<void> {
    if (this.#waiting.size === 0) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  get sleepers(): number {
    return this.#waiting.size;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const sleeper of [...this.#waiting]) {
      if (sleeper.atMs > this.nowMs) continue;
      this.#waiting.delete(sleeper);
      sleeper.wake();
    }
  }
}

export type Answer = readonly ResponseItem[] | Error | 'hang';

export interface FakeLine {
  readonly ports: CompactionPorts;
  readonly clock: SteppedClock;
  readonly listener: CompactionListener;
  readonly requests: ModelRequest[];
  readonly notices: string[];
  readonly retries: number[];
  readonly usages: TokenUsage[];
  /** Resolves when so many requests have come to hang. */
  hung(count: number): Promise<void>;
}

const USAGE: TokenUsage = {
  inputTokens: 9,
  cachedInputTokens: 0,
  outputTokens: 1,
  reasoningOutputTokens: 0,
  totalTokens: 10,
};

/** A line that gives these answers, one for each request; `endpoint` absent: it has no such endpoint. */
export function fakeLine(answers: {
  readonly stream?: readonly Answer[];
  readonly endpoint?: readonly Answer[];
}): FakeLine {
  const clock = new SteppedClock();
  const requests: ModelRequest[] = [];
  const stream = [...(answers.stream ?? [])];
  const endpoint = answers.endpoint === undefined ? undefined : [...answers.endpoint];
  let hangs = 0;
  const hangWatchers: { readonly count: number; readonly resolve: () => void }[] = [];
  const take = async (queue: Answer[], signal: AbortSignal): Promise<readonly ResponseItem[]> => {
    const answer = queue.shift();
    if (answer === undefined) throw new Error('the script has no answer left');
    if (answer instanceof Error) throw answer;
    if (answer !== 'hang') return answer;
    hangs += 1;
    for (const { count, resolve } of hangWatchers) if (hangs >= count) resolve();
    return new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  };
  const modelTurn = {
    async *stream(request: ModelRequest, { signal }: { readonly signal: AbortSignal }) {
      requests.push(request);
      const items = await take(stream, signal);
      yield items.map((item): ModelEvent => ({ kind: 'item-end', item }));
      yield [{ kind: 'response-end', responseId: 'r', usage: USAGE, endTurn: undefined } as const];
    },
  };
  const model: ModelPort = {
    beginTurn: () => modelTurn,
    close: () => undefined,
    ...(endpoint === undefined
      ? {}
      : {
          compact: (request: ModelRequest, { signal }: { readonly signal: AbortSignal }) => {
            requests.push(request);
            return take(endpoint, signal);
          },
        }),
  };
  const notices: string[] = [];
  const retries: number[] = [];
  const usages: TokenUsage[] = [];
  return {
    ports: { model, modelTurn, clock, entropy: { random: () => 0.5, uuid: () => 'uuid' } },
    clock,
    requests,
    notices,
    retries,
    usages,
    hung: (count) => new Promise((resolve) => (hangs >= count ? resolve() : hangWatchers.push({ count, resolve }))),
    listener: {
      usage: (usage) => usages.push(usage),
      retry: ({ delayMs }) => retries.push(delayMs),
      notice: (message) => notices.push(message),
    },
  };
}

export function failure(
  code: ModelError['code'],
  details: { readonly retryable?: boolean; readonly httpStatus?: number } = {},
): ModelError {
  return new ModelError(code, `it failed: ${code}`, {
    retryable: details.retryable ?? false,
    httpStatus: details.httpStatus,
  });
}

export function user(text: string): ResponseItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

export function developer(text: string): ResponseItem {
  return { type: 'message', role: 'developer', content: [{ type: 'input_text', text }] };
}

export function assistant(text: string): ResponseItem {
  return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
}

export function compaction(content: string): ResponseItem {
  return { type: 'compaction', encrypted_content: content };
}

export function call(id: string, name: string, args: object): ResponseItem {
  return { type: 'function_call', call_id: id, name, arguments: JSON.stringify(args) };
}

export function output(id: string, text: string): ResponseItem {
  return { type: 'function_call_output', call_id: id, output: text };
}

/** A command with its output, as the shell tool writes them. */
export function ran(
  id: string,
  command: string,
  result: { readonly exitCode?: number; readonly printed?: string } = {},
): readonly ResponseItem[] {
  const { exitCode = 0, printed = '' } = result;
  return [
    call(id, 'shell_command', { command }),
    output(id, `Exit code: ${exitCode}\nWall time: 0.1 seconds\nOutput:\n${printed}`),
  ];
}

/** What work leaves behind: long enough that any compaction is worth it. */
export function longWork(): readonly ResponseItem[] {
  return [...ran('work', 'make all', { printed: 'x'.repeat(8_000) }), assistant('The build works.')];
}

/** The text of each message; the type of anything else. */
export function shape(items: readonly ResponseItem[]): readonly string[] {
  return items.map((item) => {
    if (item.type !== 'message') return item.type;
    return item.content.map((part) => ('text' in part ? part.text : part.type)).join('|');
  });
}

export function never(): AbortSignal {
  return new AbortController().signal;
}
