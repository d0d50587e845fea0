import type { JsonObject, ModelEvent } from '@quire/protocol';
import { expect, test } from 'vitest';
import { EventDecoder } from '../src/events/event-decoder.ts';
import { rateLimitsFromHeaders } from '../src/events/rate-limits.ts';
import { startEvents } from '../src/events/start-events.ts';

function decode(...wire: readonly JsonObject[]): { events: ModelEvent[]; outcomes: string[] } {
  const decoder = new EventDecoder({ requestId: 'req-1', serverModel: 'model-a' });
  const events: ModelEvent[] = [];
  const outcomes = wire.map((raw) => decoder.decode(String(raw['type']), raw, events));
  return { events, outcomes };
}

const message = { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'x' }] };
const future = { type: 'response.in_progress', response: { id: 'r' } };

test.each<[JsonObject, ModelEvent[]]>([
  [{ type: 'response.created', response: { id: 'r' } }, [{ kind: 'response-start', responseId: 'r' }]],
  [
    { type: 'response.output_item.added', item: { type: 'message', role: 'assistant', content: [] } },
    [{ kind: 'item-start', item: { type: 'message', role: 'assistant', content: [] } }],
  ],
  [
    { type: 'response.output_item.done', item: message },
    [
      {
        kind: 'item-end',
        item: { ...message, type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'x' }] },
      },
    ],
  ],
  [{ type: 'response.output_text.delta', delta: 'a' }, [{ kind: 'text-delta', itemId: undefined, delta: 'a' }]],
  [
    { type: 'response.reasoning_summary_text.delta', item_id: 'i', delta: 'a', summary_index: 0 },
    [{ kind: 'reasoning-summary-delta', itemId: 'i', delta: 'a', summaryIndex: 0 }],
  ],
  [
    { type: 'response.reasoning_summary_part.added', item_id: 'i', summary_index: 1 },
    [{ kind: 'reasoning-summary-part-start', itemId: 'i', summaryIndex: 1 }],
  ],
  [
    { type: 'response.reasoning_summary_text.done', item_id: 'i', text: 't', summary_index: 1 },
    [{ kind: 'reasoning-summary-end', itemId: 'i', text: 't', summaryIndex: 1 }],
  ],
  [
    { type: 'response.reasoning_text.delta', item_id: 'i', delta: 'a', content_index: 0 },
    [{ kind: 'reasoning-content-delta', itemId: 'i', delta: 'a', contentIndex: 0 }],
  ],
  [
    { type: 'response.custom_tool_call_input.delta', call_id: 'c', delta: 'a' },
    [{ kind: 'tool-input-delta', itemId: 'c', delta: 'a' }],
  ],
  [{ type: 'response.function_call_arguments.delta', delta: 'a' }, []],
  [{ type: 'response.function_call_arguments.done' }, []],
  [{ type: 'response.custom_tool_call_input.done' }, []],
  [{ type: 'response.reasoning_summary_part.done' }, []],
  [{ type: 'codex.response.metadata', headers: { 'X-Models-Etag': ['e-1'] } }, [{ kind: 'models-etag', etag: 'e-1' }]],
  [
    {
      type: 'codex.rate_limits',
      plan_type: 'pro',
      rate_limits: { primary: { used_percent: 42.5, window_minutes: 300, reset_at: 9 }, secondary: null },
      credits: { has_credits: true, unlimited: false, balance: ' ' },
      metered_limit_name: 'Codex-Other',
    },
    [
      {
        kind: 'rate-limits',
        snapshot: {
          limitId: 'codex_other',
          limitName: undefined,
          primary: { usedPercent: 42.5, windowMinutes: 300, resetsAtSeconds: 9 },
          secondary: undefined,
          credits: { hasCredits: true, unlimited: false, balance: undefined },
          planType: 'pro',
        },
      },
    ],
  ],
  [future, [{ kind: 'unknown', type: 'response.in_progress', raw: future }]],
])('%j [EVENT-01] [EVENT-02]', (raw, expected) => {
  expect(decode(raw).events).toEqual(expected);
});

test('a completion carries id, usage and whether the turn may end [EVENT-03]', () => {
  const usage = {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 5,
    output_tokens_details: { reasoning_tokens: 2 },
    total_tokens: 15,
  };
  const { events, outcomes } = decode(
    { type: 'response.completed', response: { id: 'r', usage, end_turn: false } },
    { type: 'response.completed', response: { id: 's', usage: null } },
    { type: 'response.completed', response: { id: 't', usage: { input_tokens: 1, output_tokens: 2 } } },
  );
  const counts = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5, reasoningOutputTokens: 2, totalTokens: 15 };
  const few = { inputTokens: 1, cachedInputTokens: 0, outputTokens: 2, reasoningOutputTokens: 0, totalTokens: 3 };
  expect(events).toEqual([
    { kind: 'response-end', responseId: 'r', usage: counts, endTurn: false },
    { kind: 'response-end', responseId: 's', usage: undefined, endTurn: undefined },
    { kind: 'response-end', responseId: 't', usage: few, endTurn: undefined },
  ]);
  expect(outcomes).toEqual(['completed', 'completed', 'completed']);
});

test('a completion without a response id is a retryable error [EVENT-03]', () => {
  expect(() => decode({ type: 'response.completed', response: {} })).toThrow(
    expect.objectContaining({ code: 'stream-protocol', retryable: true, requestId: 'req-1' }),
  );
});

test.each<JsonObject>([
  { type: 'response.created' },
  { type: 'response.output_item.done' },
  { type: 'response.output_item.done', item: { no: 'type' } },
  { type: 'response.output_text.delta' },
  { type: 'response.reasoning_summary_text.delta', delta: 'a' },
  { type: 'response.reasoning_summary_part.added', summary_index: '0' },
  { type: 'response.reasoning_text.delta', content_index: 1 },
  { type: 'response.custom_tool_call_input.delta', delta: 'a' },
  { type: 'codex.rate_limits', rate_limits: { primary: {} } },
])('%j lacks what it needs and is skipped [EVENT-04]', (raw) => {
  expect(decode(raw)).toEqual({ events: [], outcomes: ['skipped'] });
});

test('the serving model is told when it changes, inner headers first, and never from the response object [EVENT-05]', () => {
  const { events } = decode(
    { type: 'response.created', response: { id: 'r', model: 'model-z', headers: { 'OpenAI-Model': 'model-a' } } },
    { type: 'response.output_text.delta', delta: 'x', headers: { 'x-openai-model': ['model-b', 'other'] } },
    {
      type: 'response.in_progress',
      response: { headers: { 'openai-model': 'model-b' } },
      headers: { 'openai-model': 'model-c' },
    },
  );
  expect(events.filter(({ kind }) => kind === 'server-model')).toEqual([{ kind: 'server-model', model: 'model-b' }]);
});

test('headers become the first events, in the documented order [EVENT-06]', () => {
  const headers = {
    'openai-model': 'model-b',
    'x-models-etag': 'etag-1',
    'x-reasoning-included': 'false',
    'x-codex-primary-used-percent': '12.5',
    'x-codex-primary-window-minutes': '300',
    'x-codex-primary-reset-at': '1999',
    'x-codex-secondary-used-percent': '0',
    'x-codex-credits-has-credits': 'True',
    'x-codex-credits-unlimited': '0',
    'x-codex-credits-balance': ' 7 ',
    'x-codex-other-primary-used-percent': '50',
    'x-codex-other-limit-name': 'Other',
    'x-codex-empty-primary-used-percent': '0',
  };
  const credits = { hasCredits: true, unlimited: false, balance: '7' };
  expect(startEvents(headers)).toEqual([
    { kind: 'server-model', model: 'model-b' },
    {
      kind: 'rate-limits',
      snapshot: {
        limitId: 'codex',
        limitName: undefined,
        primary: { usedPercent: 12.5, windowMinutes: 300, resetsAtSeconds: 1999 },
        secondary: undefined,
        credits,
        planType: undefined,
      },
    },
    {
      kind: 'rate-limits',
      snapshot: {
        limitId: 'codex_other',
        limitName: 'Other',
        primary: { usedPercent: 50, windowMinutes: undefined, resetsAtSeconds: undefined },
        secondary: undefined,
        credits,
        planType: undefined,
      },
    },
    { kind: 'models-etag', etag: 'etag-1' },
    { kind: 'server-reasoning-included' },
  ]);
});

test('without any limit header the default snapshot is there and empty [EVENT-06]', () => {
  expect(rateLimitsFromHeaders({ 'x-codex-primary-used-percent': 'NaN' })).toEqual([
    {
      limitId: 'codex',
      limitName: undefined,
      primary: undefined,
      secondary: undefined,
      credits: undefined,
      planType: undefined,
    },
  ]);
});
