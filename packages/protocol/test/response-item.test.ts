import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseResponseItem, responseItemToJson } from '../src/index.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const json = fc.jsonValue({ maxDepth: 2 }).map((value): unknown => JSON.parse(JSON.stringify(value)));
const object = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== '__proto__'),
  json,
  { maxKeys: 3 },
);
const optional = { requiredKeys: [] };

const textPart = fc.record({ type: fc.constantFrom('input_text', 'output_text'), text });
const inputText = fc.record({ type: fc.constant('input_text'), text });
const imagePart = fc.record(
  { type: fc.constant('input_image'), image_url: text, detail: fc.constantFrom('low', 'original') },
  { requiredKeys: ['type', 'image_url'] },
);
const unknownPart = fc
  .tuple(object, fc.constantFrom('input_audio', 'input_file', 'input_image', 'encrypted_content'))
  .map(([rest, type]) => {
    const { image_url: _, ...kept } = rest as Record<string, unknown>;
    return { ...kept, type };
  });
const output = fc.oneof(text, fc.array(fc.oneof(inputText, imagePart, unknownPart), { maxLength: 3 }));
const ids = { id: text, status: text };

const variant = <Required extends object, Optional extends object>(
  type: string,
  required: { [K in keyof Required]: fc.Arbitrary<Required[K]> },
  more: { [K in keyof Optional]: fc.Arbitrary<Optional[K]> },
): fc.Arbitrary<object> =>
  fc.tuple(fc.record(required), fc.record(more, optional)).map(([all, some]) => ({ type, ...all, ...some }));

/** Each kind of item with every field that it may have, as it stands on the wire. */
const WIRE_ITEMS: Readonly<Record<string, fc.Arbitrary<object>>> = {
  message: variant(
    'message',
    {
      role: fc.constantFrom('user', 'assistant', 'developer', 'system'),
      content: fc.array(fc.oneof(textPart, imagePart, unknownPart), { maxLength: 3 }),
    },
    { id: text, phase: text },
  ),
  reasoning: variant(
    'reasoning',
    { summary: fc.array(fc.record({ type: fc.constant('summary_text'), text }), { maxLength: 2 }) },
    {
      id: text,
      content: fc.oneof(
        fc.constant(null),
        fc.array(fc.record({ type: fc.constantFrom('reasoning_text', 'text'), text }), { maxLength: 2 }),
      ),
      encrypted_content: fc.oneof(fc.constant(null), text),
    },
  ),
  'reasoning of a new form': variant(
    'reasoning',
    { summary: fc.array(fc.record({ type: fc.constant('summary_image'), text }), { minLength: 1, maxLength: 2 }) },
    { content: fc.array(fc.record({ type: fc.constant('drawing') }), { minLength: 1, maxLength: 2 }) },
  ),
  function_call: variant(
    'function_call',
    { call_id: text, name: text, arguments: text },
    { id: text, namespace: text },
  ),
  custom_tool_call: variant('custom_tool_call', { call_id: text, name: text, input: text }, ids),
  local_shell_call: variant('local_shell_call', { status: text, action: object }, { id: text, call_id: text }),
  function_call_output: variant('function_call_output', { call_id: text, output }, { id: text }),
  custom_tool_call_output: variant('custom_tool_call_output', { call_id: text, output }, { id: text, name: text }),
  web_search_call: variant('web_search_call', {}, { ...ids, action: object }),
  'web_search_call of a new form': variant('web_search_call', { action: text }, ids),
  tool_search_call: variant('tool_search_call', { execution: text, arguments: json }, { ...ids, call_id: text }),
  tool_search_output: variant(
    'tool_search_output',
    { execution: text, status: text, tools: fc.array(json, { maxLength: 2 }) },
    { id: text, call_id: text },
  ),
  compaction: fc
    .tuple(
      fc.constantFrom('compaction', 'compaction_summary', 'context_compaction'),
      fc.record({ id: text, encrypted_content: fc.oneof(fc.constant(null), text) }, optional),
    )
    .map(([type, rest]) => ({ type, ...rest })),
  compaction_trigger: fc.constant({ type: 'compaction_trigger' }),
  ghost_snapshot: variant('ghost_snapshot', { ghost_commit: object }, {}),
  'a kind not known here': fc
    .tuple(object, fc.constantFrom('image_generation_call', 'agent_message', 'kind_of_tomorrow'))
    .map(([rest, type]) => ({ ...rest, type })),
  'a known kind in a form not known here': fc
    .tuple(object, fc.constantFrom('function_call', 'function_call_output', 'custom_tool_call', 'ghost_snapshot'))
    .map(([rest, type]) => ({ ...rest, type })),
};

describe('a response item', () => {
  test.each(Object.keys(WIRE_ITEMS))('goes out as it came in: %s [CORE-100]', (kind) => {
    fc.assert(
      fc.property(WIRE_ITEMS[kind] ?? fc.constant({}), (wire) => {
        const item = parseResponseItem(wire);
        expect(item).toBeDefined();
        if (item !== undefined) expect(JSON.parse(JSON.stringify(responseItemToJson(item)))).toEqual(wire);
      }),
    );
  });

  test('is an object with a type, and nothing else is one [CORE-101]', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const hasType =
          typeof value === 'object' && value !== null && 'type' in value && typeof value['type'] === 'string';
        expect(parseResponseItem(value) !== undefined).toBe(hasType);
      }),
    );
  });
});
