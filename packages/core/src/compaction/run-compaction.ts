import { assertNever, type CompactionStrategyName, ModelError, type ModelErrorCode } from '@quire/protocol';
import { estimateTokens } from '../history/estimate-tokens.ts';
import { TaskError } from '../thread/task-error.ts';
import type {
  CompactedHistory,
  CompactionFailure,
  CompactionInput,
  CompactionListener,
  CompactionPorts,
  CompactionResult,
  CompactionStrategy,
} from './compaction.ts';
import { frameTokens } from './frame-tokens.ts';
import { withinTime } from './within-time.ts';

/** A compaction that frees less is not worth what it loses; the next strategy may do better. Percent. */
const LEAST_FREED_PERCENT = 10;

/** The next request would meet these as well, so no strategy is better than to stop and keep the history. */
const LINE_FAILURES: ReadonlySet<ModelErrorCode> = new Set([
  'unauthorized',
  'quota-exceeded',
  'usage-limit-reached',
  'usage-not-included',
  'dns',
  'connection-failed',
  'proxy',
  'tls',
  'configuration',
]);

/** Statuses that say that a server does not know the endpoint. */
const UNKNOWN_ENDPOINT: ReadonlySet<number | undefined> = new Set([404, 405, 501]);

/**
 * Tries the configured strategies in order until one gives a history that is whole, shorter and fits. One deadline
 * holds for all of them; each gets its share of what is left. Nothing is changed here.
 *
 * Rejects only with the reason of `signal`, or with the `TaskError` of a budget that is used up.
 */
export async function runCompaction(
  input: CompactionInput,
  ports: CompactionPorts,
  listener: CompactionListener,
  { signal }: { readonly signal: AbortSignal },
): Promise<CompactionResult> {
  signal.throwIfAborted();
  const { strategies, deadlineMs } = input.settings.compaction;
  const usable = strategies.filter((name) => isUsable(name, input, ports));
  const endMs = ports.clock.now() + deadlineMs;
  const failures: CompactionFailure[] = [];
  const unavailable: CompactionStrategyName[] = [];
  for (const [index, strategy] of usable.entries()) {
    const attempt = await tryStrategy(strategy, input, {
      ports,
      listener,
      signal,
      timeMs: (endMs - ports.clock.now()) / Math.max(1, usable.slice(index).filter(needsTime).length),
    });
    if (attempt.kind === 'done') return { kind: 'compacted', strategy, ...attempt.compacted, unavailable };
    const { error, freesTooLittle = false } = attempt;
    failures.push({ strategy, error, freesTooLittle });
    if (LINE_FAILURES.has(error.code)) break;
    if (strategy === 'endpoint' && UNKNOWN_ENDPOINT.has(error.httpStatus)) unavailable.push(strategy);
    const next = usable[index + 1];
    if (next !== undefined) {
      listener.notice(`Compaction ${WAYS[strategy]} did not work: ${oneLine(error.message)}. Trying it ${WAYS[next]}.`);
    }
  }
  return { kind: 'failed', failures, unavailable };
}

/** For a person, after "compaction". */
const WAYS: Readonly<Record<CompactionStrategyName, string>> = {
  endpoint: "by the provider's endpoint",
  trigger: 'by the provider inside a request',
  local: 'by a summary of the model',
  trim: 'by cutting the history',
};

function isUsable(name: CompactionStrategyName, input: CompactionInput, ports: CompactionPorts): boolean {
  return !input.unavailable.has(name) && (name !== 'endpoint' || ports.model.compact !== undefined);
}

/** Cutting waits for nobody, so it is possible even when the others used all of the time. */
function needsTime(name: CompactionStrategyName): boolean {
  return name !== 'trim';
}

type Attempt =
  | { readonly kind: 'done'; readonly compacted: CompactedHistory }
  | { readonly kind: 'failed'; readonly error: ModelError; readonly freesTooLittle?: boolean };

async function tryStrategy(
  name: CompactionStrategyName,
  input: CompactionInput,
  options: {
    readonly ports: CompactionPorts;
    readonly listener: CompactionListener;
    readonly signal: AbortSignal;
    readonly timeMs: number;
  },
): Promise<Attempt> {
  const { ports, listener, signal, timeMs } = options;
  try {
    const strategy = await loadStrategy(name);
    const run = (stop: AbortSignal) => strategy(input, ports, listener, { signal: stop });
    const compacted = needsTime(name)
      ? await withinTime(run, { timeMs, clock: ports.clock, signal })
      : await run(signal);
    signal.throwIfAborted();
    const objection = objectionTo(name, compacted, input);
    if (objection === undefined) return { kind: 'done', compacted };
    const error = new ModelError('response-failed', objection.reason, { retryable: false });
    return { kind: 'failed', error, freesTooLittle: objection.freesTooLittle };
  } catch (error) {
    signal.throwIfAborted();
    // Another way would only spoil the history: nothing more may be sent after it.
    if (error instanceof TaskError) throw error;
    return { kind: 'failed', error: asModelError(error) };
  }
}

async function loadStrategy(name: CompactionStrategyName): Promise<CompactionStrategy> {
  switch (name) {
    case 'endpoint':
      return (await import('./remote-endpoint.ts')).compactByEndpoint;
    case 'trigger':
      return (await import('./remote-trigger.ts')).compactByTrigger;
    case 'local':
      return (await import('./local-summary.ts')).summariseLocally;
    case 'trim':
      return (await import('./trim.ts')).trimHistory;
    default:
      return assertNever(name, 'loadStrategy');
  }
}

/** Why a result is not good enough; `undefined`: it is. */
function objectionTo(
  name: CompactionStrategyName,
  { history }: CompactedHistory,
  input: CompactionInput,
): { readonly reason: string; readonly freesTooLittle: boolean } | undefined {
  const before = estimateTokens(input.history);
  const after = estimateTokens(history);
  const most = name === 'trim' ? before - 1 : before - (before * LEAST_FREED_PERCENT) / 100;
  if (after > most) {
    return { reason: `it would free too little (${before} tokens before, ${after} after)`, freesTooLittle: true };
  }
  if (input.targetWindow === undefined) return undefined;
  const whole = frameTokens(input) + after;
  if (whole <= input.targetWindow) return undefined;
  const reason = `its result of ${whole} tokens does not fit the window of ${input.targetWindow}`;
  return { reason, freesTooLittle: false };
}

function asModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ModelError('response-failed', message, { retryable: false, cause: error });
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replace(/\.$/, '');
}
