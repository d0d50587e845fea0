import { type ResponseItem, responseItemToJson } from '@quire/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sourceOf } from '../../src/history/derived-item.ts';
import { normalizeHistory, promptItems, withCompactionTrigger } from '../../src/history/normalize-history.ts';
import { anyItem, assistant, call, IMAGE, output, text, user } from './arbitrary-items.ts';

const options = fc.record({ acceptsImages: fc.boolean(), jsonOutputsAsText: fc.boolean() });
const OMITTED = text('image content omitted because you do not support image input');

/** The answer that a strict server asks for after a call; `undefined`: the item is no call of ours. */
function wantedAnswer(item: ResponseItem): string | undefined {
  if (item.type === 'tool_search_call') return item.execution === 'client' ? 'tool_search_output' : undefined;
  if (item.type === 'custom_tool_call') return 'custom_tool_call_output';
  if (item.type === 'local_shell_call') return item.call_id === undefined ? undefined : 'function_call_output';
  return item.type === 'function_call' ? 'function_call_output' : undefined;
}

function expectPaired(items: readonly ResponseItem[]): void {
  const open = new Map<string, string>();
  for (const item of items) {
    const callId = 'call_id' in item ? item.call_id : undefined;
    const wanted = wantedAnswer(item);
    if (wanted !== undefined && callId !== undefined) {
      expect(open.has(callId)).toBe(false);
      open.set(callId, wanted);
    } else if (item.type.endsWith('_output') && callId !== undefined) {
      if (item.type === 'tool_search_output' && item.execution === 'server') continue;
      expect(open.get(callId)).toBe(item.type);
      open.delete(callId);
    }
  }
  expect([...open]).toEqual([]);
}

describe('history for a request', () => {
  test('answers every call exactly once and holds no orphan, whatever was recorded [CORE-40]', () => {
    fc.assert(fc.property(fc.array(anyItem), options, (items, how) => expectPaired(normalizeHistory(items, how))));
  });

  test('needs no second repair [CORE-102]', () => {
    fc.assert(
      fc.property(fc.array(anyItem), options, (items, how) => {
        const once = normalizeHistory(items, how);
        expect(normalizeHistory(once, how)).toBe(once);
        expect(promptItems(once)).toBe(once);
      }),
    );
  });

  test('is the recorded history itself when nothing needs repair [CORE-41]', () => {
    const items: ResponseItem[] = [call('a'), output('a')];
    expect(normalizeHistory(items, { acceptsImages: true })).toBe(items);
    expect(normalizeHistory(items, { acceptsImages: false, jsonOutputsAsText: true })).toBe(items);
  });

  test('holds the same objects each time it is made, so that the beginning of two requests is the same [CORE-103]', () => {
    fc.assert(
      fc.property(fc.array(anyItem), options, (items, how) => {
        const first = normalizeHistory(items, how);
        const again = normalizeHistory([...items], how);
        expect(again.length).toBe(first.length);
        for (const [index, item] of first.entries()) expect(again[index]).toBe(item);
      }),
    );
  });

  test('keeps its beginning when settled items are added [CORE-103]', () => {
    fc.assert(
      fc.property(fc.array(anyItem), fc.array(anyItem), options, (recorded, added, how) => {
        const fresh = added.map((item) =>
          'call_id' in item && item.call_id !== undefined ? { ...item, call_id: `new-${item.call_id}` } : item,
        );
        const before = normalizeHistory(recorded, how);
        const after = normalizeHistory([...recorded, ...fresh], how);
        for (const [index, item] of before.entries()) expect(after[index]).toBe(item);
      }),
    );
  });

  test('tells for each of its items which recorded one it stands for [CORE-104]', () => {
    fc.assert(
      fc.property(fc.array(anyItem), options, (items, how) => {
        for (const item of normalizeHistory(items, how)) expect(items).toContain(sourceOf(item));
      }),
    );
  });

  test('puts the answer that is missing directly after its call, in the kind that fits it [CORE-105]', () => {
    const items: ResponseItem[] = [
      call('a'),
      { type: 'custom_tool_call', call_id: 'b', name: 'g', input: '' },
      { type: 'local_shell_call', call_id: 'c', status: 'completed', action: {} },
      { type: 'tool_search_call', call_id: 'd', execution: 'client', arguments: {} },
      { type: 'tool_search_call', call_id: 'e', execution: 'server', arguments: {} },
      user('go on'),
    ];
    expect(normalizeHistory(items, { acceptsImages: true })).toEqual([
      items[0],
      output('a', 'aborted'),
      items[1],
      { type: 'custom_tool_call_output', call_id: 'b', output: 'aborted' },
      items[2],
      output('c', 'aborted'),
      items[3],
      { type: 'tool_search_output', call_id: 'd', execution: 'client', status: 'completed', tools: [] },
      items[4],
      items[5],
    ]);
  });

  test('leaves out what is local, what asks for a compaction, system messages and unreadable calls [CORE-106]', () => {
    const kept: ResponseItem[] = [
      user('hi'),
      { type: 'unknown', raw: { type: 'kind_of_tomorrow', secret: [1] } },
      { type: 'web_search_call', action: { type: 'dream' } },
      { type: 'tool_search_output', call_id: 's', execution: 'server', status: 'completed', tools: [] },
    ];
    const items: ResponseItem[] = [
      { type: 'ghost_snapshot', ghost_commit: {} },
      { type: 'message', role: 'system', content: [text('rules')] },
      ...kept,
      { type: 'unknown', raw: { type: 'custom_tool_call', call_id: 'q' } },
      { type: 'custom_tool_call_output', call_id: 'q', output: 'orphan' },
      { type: 'compaction_trigger' },
    ];
    expect(normalizeHistory(items, { acceptsImages: true })).toEqual(kept);
    expect(withCompactionTrigger(items)).toEqual([...kept, { type: 'compaction_trigger' }]);
  });

  test('holds no image for a model that takes none, and says so in each place [CORE-42]', () => {
    const unreadable = { type: 'unknown', raw: { type: 'input_image', file_id: 'f' } } as const;
    const items: ResponseItem[] = [
      { type: 'message', role: 'user', content: [IMAGE, text('look'), unreadable] },
      call('a'),
      { type: 'function_call_output', call_id: 'a', output: [IMAGE] },
      { type: 'custom_tool_call', call_id: 'b', name: 'g', input: '' },
      { type: 'custom_tool_call_output', call_id: 'b', output: [text('one'), IMAGE, IMAGE] },
      { type: 'unknown', raw: { type: 'image_generation_call', id: 'ig', result: 'iVBOR' } },
    ];
    expect(normalizeHistory(items, { acceptsImages: false })).toEqual([
      { type: 'message', role: 'user', content: [OMITTED, text('look'), OMITTED] },
      items[1],
      { type: 'function_call_output', call_id: 'a', output: [OMITTED] },
      items[3],
      { type: 'custom_tool_call_output', call_id: 'b', output: [text('one'), OMITTED, OMITTED] },
      { type: 'unknown', raw: { type: 'image_generation_call', id: 'ig', result: '' } },
    ]);
  });

  test('has no image bytes anywhere for such a model, whatever was recorded [CORE-42]', () => {
    fc.assert(
      fc.property(fc.array(anyItem), (items) => {
        const sent = JSON.stringify(normalizeHistory(items, { acceptsImages: false }).map(responseItemToJson));
        expect(sent).not.toMatch(/data:image|iVBOR|"input_image"/);
      }),
    );
  });

  test('tells shell outputs of older files as text when asked to, and only those [CORE-107]', () => {
    const json = (value: string) =>
      JSON.stringify({ output: value, metadata: { exit_code: 2, duration_seconds: 0.5 } });
    const items: ResponseItem[] = [
      call('a', 'shell'),
      output('a', json('Total output lines: 900\n\nhead\ntail')),
      call('b', 'other'),
      output('b', json('stays')),
      call('c', 'container.exec'),
      output('c', '{ no JSON'),
      { type: 'local_shell_call', call_id: 'd', status: 'completed', action: {} },
      output('d', json('plain')),
    ];
    const told = normalizeHistory(items, { acceptsImages: true, jsonOutputsAsText: true });
    expect(told.map((item) => (item.type === 'function_call_output' ? item.output : undefined))).toEqual([
      undefined,
      'Exit code: 2\nWall time: 0.5 seconds\nTotal output lines: 900\nOutput:\nhead\ntail',
      undefined,
      json('stays'),
      undefined,
      '{ no JSON',
      undefined,
      'Exit code: 2\nWall time: 0.5 seconds\nOutput:\nplain',
    ]);
    expect(normalizeHistory(items, { acceptsImages: true })).toBe(items);
  });

  test('costs time in proportion to its length [CORE-108]', () => {
    const history = (turns: number): ResponseItem[] =>
      Array.from({ length: turns }, (_, index) => [
        call(`c${index}`, 'shell'),
        output(`c${index}`),
        assistant('ok'),
        { type: 'message', role: 'user', content: [IMAGE] } as const,
        call(`open${index}`),
      ]).flat();
    const how = { acceptsImages: false, jsonOutputsAsText: true };
    const bestOf = (items: readonly ResponseItem[]): number => {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 30; round += 1) {
        const start = performance.now();
        normalizeHistory([...items], how);
        best = Math.min(best, performance.now() - start);
      }
      return best;
    };
    // The bound is for machines under load; alone it takes about a millisecond.
    expect(bestOf(history(/* turns */ 1_000))).toBeLessThan(5);
  });
});
