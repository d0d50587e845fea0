import type { ResponseItem } from '@quire/protocol';
import fc from 'fast-check';

export const IMAGE = { type: 'input_image', image_url: 'data:image/png;base64,AAAA' } as const;

export const text = (value: string) => ({ type: 'input_text', text: value }) as const;
export const user = (value: string): ResponseItem => ({ type: 'message', role: 'user', content: [text(value)] });
export const developer = (...values: string[]): ResponseItem => ({
  type: 'message',
  role: 'developer',
  content: values.map(text),
});
export const assistant = (value: string): ResponseItem => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text: value }],
});
export const call = (callId: string, name = 'f'): ResponseItem => ({
  type: 'function_call',
  call_id: callId,
  name,
  arguments: '{"a":1}',
});
export const output = (callId: string, value = 'x'): ResponseItem => ({
  type: 'function_call_output',
  call_id: callId,
  output: value,
});

const callId = fc.constantFrom('a', 'b', 'c');
const execution = fc.constantFrom('client', 'server');

/** Items of every kind, with few call ids, so that they meet. */
export const anyItem: fc.Arbitrary<ResponseItem> = fc.oneof(
  { weight: 3, arbitrary: callId.map((id) => call(id)) },
  { weight: 3, arbitrary: callId.map((id) => output(id)) },
  callId.map((id): ResponseItem => ({ type: 'function_call_output', call_id: id, output: [IMAGE, text('y')] })),
  callId.map((id): ResponseItem => ({ type: 'function_call', call_id: id, name: 'shell', arguments: '{}' })),
  callId.map((id) => output(id, '{"output":"o","metadata":{"exit_code":0,"duration_seconds":1.5}}')),
  callId.map((id): ResponseItem => ({ type: 'custom_tool_call', call_id: id, name: 'g', input: 'i' })),
  callId.map((id): ResponseItem => ({ type: 'custom_tool_call_output', call_id: id, output: [IMAGE] })),
  callId.map((id): ResponseItem => ({ type: 'local_shell_call', call_id: id, status: 'completed', action: {} })),
  fc.constant<ResponseItem>({ type: 'local_shell_call', status: 'completed', action: {} }),
  fc
    .tuple(callId, execution)
    .map(([id, by]): ResponseItem => ({ type: 'tool_search_call', call_id: id, execution: by, arguments: { q: 1 } })),
  fc.tuple(callId, execution).map(
    ([id, by]): ResponseItem => ({
      type: 'tool_search_output',
      call_id: id,
      execution: by,
      status: 'completed',
      tools: [{}],
    }),
  ),
  fc.constantFrom<ResponseItem>(
    { type: 'tool_search_output', execution: 'client', status: 'completed', tools: [] },
    { type: 'message', role: 'user', content: [text('look'), IMAGE] },
    { type: 'message', role: 'system', content: [text('system')] },
    user('hi'),
    assistant('ok'),
    { type: 'reasoning', summary: [], encrypted_content: 'x'.repeat(2_000) },
    { type: 'web_search_call', status: 'completed', action: { type: 'dream' } },
    { type: 'compaction', encrypted_content: 'sealed' },
    { type: 'compaction_trigger' },
    { type: 'ghost_snapshot', ghost_commit: { id: 'c' } },
    { type: 'unknown', raw: { type: 'image_generation_call', id: 'ig', status: 'completed', result: 'iVBOR' } },
    { type: 'unknown', raw: { type: 'function_call', call_id: 'a', arguments: {} } },
    { type: 'unknown', raw: { type: 'agent_message', content: [] } },
  ),
);
