import type { ResponseItem } from '@quire/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isToolCall, isToolOutput, normalizeHistory } from '../../src/history/normalize-history.ts';

const callId = fc.constantFrom('a', 'b', 'c');
const anyItem: fc.Arbitrary<ResponseItem> = fc.oneof(
  callId.map((call_id): ResponseItem => ({ type: 'function_call', call_id, name: 'f', arguments: '{}' })),
  callId.map((call_id): ResponseItem => ({ type: 'custom_tool_call', call_id, name: 'g', input: '' })),
  callId.map((call_id): ResponseItem => ({ type: 'local_shell_call', call_id, status: 'completed', action: {} })),
  callId.map((call_id): ResponseItem => ({ type: 'function_call_output', call_id, output: 'x' })),
  callId.map((call_id): ResponseItem => ({ type: 'custom_tool_call_output', call_id, output: 'x' })),
  fc.constant<ResponseItem>({ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }),
);

describe('history for a request', () => {
  test('answers every call exactly once, whatever was recorded [CORE-40]', () => {
    fc.assert(
      fc.property(fc.array(anyItem), (items) => {
        const open = new Map<string, ResponseItem>();
        for (const item of normalizeHistory(items, { acceptsImages: true })) {
          if (isToolCall(item) && item.call_id !== undefined) {
            expect(open.has(item.call_id)).toBe(false);
            open.set(item.call_id, item);
          } else if (isToolOutput(item)) {
            const call = open.get(item.call_id);
            expect(call?.type === 'custom_tool_call').toBe(item.type === 'custom_tool_call_output');
            expect(call).toBeDefined();
            open.delete(item.call_id);
          }
        }
        expect(open.size).toBe(0);
      }),
    );
  });

  test('is the recorded history itself when nothing needs repair [CORE-41]', () => {
    const items: ResponseItem[] = [
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: 'x' },
    ];
    expect(normalizeHistory(items, { acceptsImages: true })).toBe(items);
  });

  test('holds no image for a model that takes none, and says so in each place [CORE-42]', () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AAAA' } as const;
    const items: ResponseItem[] = [
      { type: 'message', role: 'user', content: [image, { type: 'input_text', text: 'look' }] },
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: [image] },
    ];

    const placeholder = { type: 'input_text', text: 'image content omitted because you do not support image input' };
    expect(normalizeHistory(items, { acceptsImages: false })).toEqual([
      { type: 'message', role: 'user', content: [placeholder, { type: 'input_text', text: 'look' }] },
      items[1],
      { type: 'function_call_output', call_id: 'a', output: [placeholder] },
    ]);
  });
});
