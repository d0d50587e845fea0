import { type AttemptReceipt, ModelError, type ModelEvent, type RequestReceipt } from '@quire/protocol';
import { expect, test } from 'vitest';
import { done, type ModelStep, openTestThread, says, step } from './harness.ts';

const overloaded = new ModelError('overloaded', 'busy', { retryable: true });
const FAILED: AttemptReceipt = { transport: 'http', durationMs: 10, cause: { code: 'overloaded', message: 'busy' } };
const GOOD: AttemptReceipt = { transport: 'http', durationMs: 10, cause: undefined };

function receipt(attempts: readonly AttemptReceipt[]): RequestReceipt {
  const isGood = attempts.at(-1)?.cause === undefined;
  return {
    outcome: isGood ? 'completed' : 'failed',
    transport: 'http',
    attempts,
    reusedConnection: false,
    incremental: false,
    bytesSent: 100 * attempts.length,
    bytesReceived: 7 * attempts.length,
    firstTokenMs: isGood ? 5 : undefined,
    durationMs: 10 * attempts.length,
    tokens: undefined,
  };
}

function told(attempts: readonly AttemptReceipt[]): readonly ModelEvent[] {
  return [{ kind: 'receipt', receipt: receipt(attempts) }];
}

test('a request that is repeated has one receipt, and the next request one of its own [RECEIPT-14]', async () => {
  const twice: ModelStep = { events: [...told([FAILED, FAILED])], error: overloaded };
  const t = openTestThread({
    steps: [
      twice,
      twice,
      step(says('One.'), done(/* endTurn */ false), told([GOOD])),
      step(says('Two.'), done(), told([GOOD])),
    ],
  });
  await t.run('go');
  const requests = t.events.flatMap((event) => (event.kind === 'turn-receipt' ? event.requests : []));
  expect(requests).toEqual([{ ...receipt([FAILED, FAILED, FAILED, FAILED, GOOD]), firstTokenMs: 45 }, receipt([GOOD])]);
});

test('a request that fails for good has one receipt as well [RECEIPT-14]', async () => {
  const t = openTestThread({
    steps: Array.from({ length: 20 }, () => ({ events: told([FAILED]), error: overloaded })),
  });
  await t.run('go');
  const requests = t.events.flatMap((event) => (event.kind === 'turn-receipt' ? event.requests : []));
  expect(requests.map(({ outcome, attempts }) => [outcome, attempts.length])).toEqual([
    ['failed', t.model.requests.length],
  ]);
});
