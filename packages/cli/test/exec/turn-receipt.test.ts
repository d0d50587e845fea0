import type { RequestReceipt } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { receiptLine, receiptToJson } from '../../src/exec/turn-receipt.ts';

const receipt: RequestReceipt = {
  outcome: 'completed',
  transport: 'websocket',
  attempts: [
    { transport: 'websocket', durationMs: 12, cause: { code: 'stream-truncated', message: 'cut' } },
    { transport: 'websocket', durationMs: 340, cause: undefined },
  ],
  reusedConnection: true,
  incremental: true,
  bytesSent: 900,
  bytesReceived: 48_123,
  firstTokenMs: 230,
  durationMs: 352,
  tokens: { freshInput: 10, cacheRead: 90, cacheWrite: undefined, visibleOutput: 5, reasoning: 2 },
};

describe('the receipt of a turn', () => {
  test('is one line for a person [EXEC-60]', () => {
    expect(receiptLine([receipt, { ...receipt, attempts: [], transport: 'http', firstTokenMs: 9 }])).toBe(
      '2 requests over websocket and http, 1.8 kB sent, 96.2 kB received, first token after 230 ms',
    );
    expect(receiptLine([receipt])).toBe(
      '1 request over websocket, 1 retry, 900 B sent, 48.1 kB received, first token after 230 ms',
    );
  });

  test('is an event with disjoint token buckets for a program [EXEC-61]', () => {
    expect(receiptToJson(receipt)).toEqual({
      outcome: 'completed',
      transport: 'websocket',
      attempts: [
        {
          transport: 'websocket',
          duration_ms: 12,
          error: { code: 'stream-truncated', message: 'cut', http_status: null },
        },
        { transport: 'websocket', duration_ms: 340, error: null },
      ],
      reused_connection: true,
      incremental: true,
      bytes_sent: 900,
      bytes_received: 48_123,
      first_token_ms: 230,
      duration_ms: 352,
      tokens: { fresh_input: 10, cache_read: 90, cache_write: null, visible_output: 5, reasoning: 2 },
    });
  });
});
