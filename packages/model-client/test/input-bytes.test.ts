import { type ResponseItem, responseItemToJson } from '@quire/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputBytes } from '../src/request/input-bytes.ts';

const ITEMS: readonly ResponseItem[] = Array.from({ length: 12 }, (_, index) => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text: `Grüße ${index}` }],
}));

test('whatever requests follow one another, each holds exactly its own items [REQUEST-03]', () => {
  const input = fc.array(fc.integer({ min: 0, max: ITEMS.length - 1 }), { maxLength: 8 });
  const part = fc.boolean();
  fc.assert(
    fc.property(fc.array(fc.record({ input, part, growsFrom: fc.nat({ max: 8 }) })), (requests) => {
      const bytes = new InputBytes((item) => responseItemToJson(item));
      let previous: readonly ResponseItem[] = [];
      for (const request of requests) {
        const own = request.input.flatMap((index) => ITEMS[index] ?? []);
        const items = [...previous.slice(0, request.growsFrom), ...own];
        const written = Buffer.concat([...(request.part ? bytes.ofPart(items) : bytes.of(items))]).toString();
        expect(JSON.parse(`[${written}]`)).toEqual(items);
        previous = items;
      }
    }),
  );
});
