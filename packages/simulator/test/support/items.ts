import type { JsonObject, JsonValue } from '@quire/protocol';

export function message(role: string, ...texts: readonly string[]): JsonObject {
  const type = role === 'assistant' ? 'output_text' : 'input_text';
  return { type: 'message', role, content: texts.map((text) => ({ type, text })) };
}

export function call(callId: string): JsonObject {
  return { type: 'function_call', call_id: callId, name: 'look', arguments: '{"path":"a.png"}' };
}

export function output(callId: string, content: JsonValue = 'done'): JsonObject {
  return { type: 'function_call_output', call_id: callId, output: content };
}

export const PERMISSIONS = '<permissions instructions>\nAsk first.\n</permissions instructions>';
export const PROJECT = '# AGENTS.md instructions for /repo\n\n<INSTRUCTIONS>\nUse tabs.\n</INSTRUCTIONS>';
export const ENVIRONMENT =
  '<environment_context>\n  <cwd>/repo</cwd>\n  <timezone>Europe/Berlin</timezone>\n</environment_context>';
export const IMAGE: JsonObject = { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=' };
