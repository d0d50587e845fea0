import type { ResponseItem } from '@quire/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { History } from '../../src/history/history.ts';
import { promptItems } from '../../src/history/normalize-history.ts';
import { describeQuarantine, imageSuspects, quarantineImages, quarantineItem } from '../../src/history/quarantine.ts';
import { anyItem, assistant, call, IMAGE, output, text, user } from './arbitrary-items.ts';

const shot = (callId: string): ResponseItem => ({
  type: 'function_call_output',
  call_id: callId,
  output: [text('shot'), IMAGE],
});

describe('a refused image', () => {
  test('is looked for in tool outputs and user messages, newest first [CORE-111]', () => {
    const items: ResponseItem[] = [
      { type: 'message', role: 'user', content: [IMAGE] },
      call('a', 'view_image'),
      shot('a'),
      { type: 'message', role: 'developer', content: [IMAGE] },
      { type: 'custom_tool_call', call_id: 'b', name: 'g', input: '' },
      { type: 'custom_tool_call_output', call_id: 'b', output: [IMAGE] },
      user('no image'),
      output('c'),
    ];
    expect(imageSuspects(items)).toEqual([5, 2, 0]);
    expect(imageSuspects([user('no image')])).toEqual([]);
  });

  test('becomes a text, and the rest of the item stays [CORE-112]', () => {
    expect(quarantineImages(shot('a'))).toEqual({
      type: 'function_call_output',
      call_id: 'a',
      output: [text('shot'), text('Invalid image')],
    });
    expect(quarantineImages({ type: 'message', id: 'm', role: 'user', content: [text('see'), IMAGE] })).toEqual({
      type: 'message',
      id: 'm',
      role: 'user',
      content: [text('see'), text('[the image that stood here was removed because the API refused it]')],
    });
    const plain = user('no image');
    expect(quarantineImages(plain)).toBe(plain);
  });

  test('leaves no suspect behind once each was treated [CORE-112]', () => {
    fc.assert(
      fc.property(fc.array(anyItem), (items) => {
        const history = new History(items);
        for (const index of imageSuspects(items)) {
          history.rewrite(index, quarantineImages(items[index] ?? user('')));
        }
        expect(imageSuspects(history.items)).toEqual([]);
        expect(history.items.length).toBe(items.length);
      }),
    );
  });
});

describe('a refused item', () => {
  test.each<[ResponseItem, ResponseItem | undefined]>([
    [call('a', 'shell'), { type: 'function_call', call_id: 'a', name: 'shell', arguments: '{}' }],
    [
      { type: 'custom_tool_call', id: 'ctc', call_id: 'a', name: 'g', input: 'bad' },
      { type: 'custom_tool_call', id: 'ctc', call_id: 'a', name: 'g', input: '' },
    ],
    [
      { type: 'local_shell_call', call_id: 'a', status: 'completed', action: { type: 'exec', command: ['x'] } },
      { type: 'local_shell_call', call_id: 'a', status: 'completed', action: { type: 'exec', command: [] } },
    ],
    [shot('a'), output('a', '[the output that stood here was removed because the API refused it]')],
    [
      { type: 'tool_search_output', call_id: 'a', execution: 'client', status: 'completed', tools: [{}] },
      { type: 'tool_search_output', call_id: 'a', execution: 'client', status: 'completed', tools: [] },
    ],
    [user('bad'), user('[the message that stood here was removed because the API refused it]')],
    [assistant('bad'), assistant('[the message that stood here was removed because the API refused it]')],
    [{ type: 'reasoning', summary: [], encrypted_content: 'bad' }, undefined],
    [{ type: 'web_search_call', action: { type: 'other' } }, undefined],
    [{ type: 'compaction', encrypted_content: 'bad' }, undefined],
    [{ type: 'unknown', raw: { type: 'kind_of_tomorrow' } }, undefined],
  ])('becomes a placeholder of its kind, or goes when nothing hangs on it: %j [CORE-113]', (item, placeholder) => {
    expect(quarantineItem(item)).toEqual(placeholder);
  });

  test('is gone after two refusals, and the other items are still paired [CORE-114]', () => {
    fc.assert(
      fc.property(fc.array(anyItem, { minLength: 1 }), fc.nat(), (items, place) => {
        const history = new History(items);
        const input = history.forPrompt({ acceptsImages: true });
        const refused = input[place % Math.max(1, input.length)];
        const index = refused === undefined ? undefined : history.indexOf(refused);
        if (index === undefined) return;
        const item = history.items[index];
        if (item === undefined) throw new Error('the history has the item that it names');
        const once = quarantineItem(item);
        history.rewrite(index, once);
        if (once !== undefined) expect(quarantineItem(once)).toBeUndefined();
        const next = promptItems(history.items);
        expect(promptItems(next)).toBe(next);
      }),
    );
  });

  test('is named to people in one line [CORE-115]', () => {
    const history = [call('a', 'view_image'), shot('a'), user('bad')];
    const line = (item: ResponseItem, whole?: boolean) =>
      describeQuarantine(item, { history, ...(whole === undefined ? {} : { whole }) });
    expect([
      line(history[1] ?? user('')),
      line(history[1] ?? user(''), /* whole */ true),
      line(history[0] ?? user('')),
      line(user('bad')),
      line(shot('not there')),
      line({ type: 'unknown', raw: { type: 'kind_of_tomorrow' } }),
      describeQuarantine({ type: 'message', role: 'user', content: [IMAGE] }),
    ]).toEqual([
      'an image in the output of view_image was refused by the API and is left out from now on',
      'the output of view_image was refused by the API and is left out from now on',
      'a call of view_image was refused by the API and is left out from now on',
      'a message of the user was refused by the API and is left out from now on',
      'an image in the output of a tool was refused by the API and is left out from now on',
      'an item of type kind_of_tomorrow was refused by the API and is left out from now on',
      'an image in a message of the user was refused by the API and is left out from now on',
    ]);
  });
});
