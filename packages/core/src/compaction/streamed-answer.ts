import type { ModelEvent, ResponseItem } from '@quire/protocol';
import { backoffDelayMs, isWorthRetrying } from '../backoff.ts';
import type { ModelRequest } from '../ports/model-port.ts';
import type { CompactionListener, CompactionPorts } from './compaction.ts';

/**
 * The items of one answer. A stream that fails in a way that may pass is begun anew; nothing of a failed attempt
 * is kept.
 * @throws ModelError, the reason of `signal`
 */
export async function streamedAnswer(
  request: ModelRequest,
  ports: CompactionPorts,
  listener: CompactionListener,
  options: { readonly maxRetries: number; readonly signal: AbortSignal },
): Promise<readonly ResponseItem[]> {
  const { maxRetries, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readAnswer(request, ports, listener, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isWorthRetrying(error) || attempt > maxRetries) throw error;
      const delayMs = error.retryAfterMs ?? backoffDelayMs(attempt, ports.entropy.random());
      listener.retry({ attempt, maxAttempts: maxRetries, delayMs, cause: error });
      await ports.clock.sleep(delayMs, { signal });
    }
  }
}

async function readAnswer(
  request: ModelRequest,
  ports: CompactionPorts,
  listener: CompactionListener,
  signal: AbortSignal,
): Promise<readonly ResponseItem[]> {
  const items: ResponseItem[] = [];
  for await (const batch of ports.modelTurn.stream(request, { signal })) {
    for (const event of batch) {
      if (event.kind === 'item-end') items.push(event.item);
      else report(event, listener);
    }
  }
  return items;
}

function report(event: ModelEvent, listener: CompactionListener): void {
  switch (event.kind) {
    case 'response-end':
      if (event.usage !== undefined) listener.usage(event.usage);
      return;
    case 'rate-limits':
    case 'server-model':
    case 'transport-fallback':
    case 'model-silent':
    case 'receipt':
      listener.lineEvent?.(event);
      return;
    default:
      // Deltas and the like: only whole items count.
      return;
  }
}
