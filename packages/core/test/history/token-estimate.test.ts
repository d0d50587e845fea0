import type { ResponseItem } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { activeContextTokens, estimateItemTokens, percentLeft } from '../../src/history/token-estimate.ts';

const user = (text: string): ResponseItem => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
});
const reasoning = (length: number): ResponseItem => ({
  type: 'reasoning',
  summary: [],
  encrypted_content: 'x'.repeat(length),
});
const answer: ResponseItem = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'ok' }] };

describe('the estimate of an item', () => {
  test('is its JSON at four bytes a token [CORE-80]', () => {
    const item = user('hé');
    expect(estimateItemTokens(item)).toBe(Math.ceil(Buffer.byteLength(JSON.stringify(item)) / 4));
  });

  test('counts an inline image at a fixed size, however large it is [CORE-81]', () => {
    const image = (bytes: number): ResponseItem => ({
      type: 'message',
      role: 'user',
      content: [{ type: 'input_image', image_url: `data:image/png;base64,${'A'.repeat(bytes)}` }],
    });
    expect(estimateItemTokens(image(/* bytes */ 1_000_000))).toBe(estimateItemTokens(image(/* bytes */ 10)));
    expect(estimateItemTokens(image(/* bytes */ 10))).toBeGreaterThan(1_843);
  });

  test('counts encrypted reasoning by what it holds, without its envelope [CORE-82]', () => {
    expect(estimateItemTokens(reasoning(/* length */ 4_000))).toBe(Math.ceil((3_000 - 650) / 4));
    expect(estimateItemTokens(reasoning(/* length */ 100))).toBe(0);
  });
});

describe('the active context', () => {
  test('is what the server counted and what it has not seen [CORE-83]', () => {
    const output: ResponseItem = { type: 'function_call_output', call_id: 'a', output: 'x'.repeat(400) };
    const call: ResponseItem = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' };
    const active = activeContextTokens([user('go'), call, output], {
      lastTotalTokens: 1_000,
      serverCountsReasoning: true,
    });
    expect(active).toBe(1_000 + estimateItemTokens(output));
  });

  test('adds earlier encrypted reasoning unless the server counts it [CORE-84]', () => {
    const items = [user('one'), reasoning(/* length */ 8_000), answer, user('two'), reasoning(/* length */ 8_000), answer];
    const counted = activeContextTokens(items, { lastTotalTokens: 100, serverCountsReasoning: true });
    const uncounted = activeContextTokens(items, { lastTotalTokens: 100, serverCountsReasoning: false });
    expect(uncounted - counted).toBe(estimateItemTokens(reasoning(/* length */ 8_000)));
  });
});

test('the percentage left leaves out what every request takes and stays between 0 and 100 [CORE-85]', () => {
  expect([
    percentLeft(/* windowTokens */ 12_000, /* usedTokens */ 0),
    percentLeft(/* windowTokens */ 258_400, /* usedTokens */ 0),
    percentLeft(/* windowTokens */ 258_400, /* usedTokens */ 12_000),
    percentLeft(/* windowTokens */ 258_400, /* usedTokens */ 135_200),
    percentLeft(/* windowTokens */ 258_400, /* usedTokens */ 999_999),
  ]).toEqual([0, 100, 100, 50, 0]);
});
