import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';
import { parseToolResult, type ToolResult } from './tool-result.ts';
import type { ToolCall } from './toolbox.ts';

export interface FinishedCall extends ToolCall {
  readonly result: ToolResult;
}

/** What one message of the user led to so far. */
export interface Segment {
  readonly prompt: string;
  readonly calls: readonly FinishedCall[];
}

/** Blocks the client adds in the user's name. Source: the fragment table of the core. */
const CONTEXTUAL = /^\s*(?:<|# AGENTS\.md instructions|Warning: )/;

/** Divides a request's input at the user's own messages. */
export function readTranscript(input: readonly JsonObject[]): readonly Segment[] {
  const results = new Map<string, ToolResult>();
  for (const item of input) {
    const callId = stringAt(item, 'call_id');
    const output = item['output'];
    if (callId !== undefined && output !== undefined) results.set(callId, parseToolResult(output));
  }
  const segments: { prompt: string; calls: FinishedCall[] }[] = [];
  for (const item of input) {
    const prompt = promptOf(item);
    if (prompt !== undefined) segments.push({ prompt, calls: [] });
    const call = callOf(item);
    const result = results.get(stringAt(item, 'call_id') ?? '');
    if (call !== undefined && result !== undefined) segments.at(-1)?.calls.push({ ...call, result });
  }
  return segments;
}

function promptOf(item: JsonObject): string | undefined {
  if (item['type'] !== 'message' || item['role'] !== 'user' || !Array.isArray(item['content'])) return undefined;
  const texts = item['content'].map((part) => (isJsonObject(part) ? (stringAt(part, 'text') ?? '') : ''));
  const own = texts.filter((entry) => entry !== '' && !CONTEXTUAL.test(entry));
  return own.length === 0 ? undefined : own.join('\n');
}

function callOf(item: JsonObject): ToolCall | undefined {
  const name = stringAt(item, 'name');
  const isCustom = item['type'] === 'custom_tool_call';
  if (name === undefined || (!isCustom && item['type'] !== 'function_call')) return undefined;
  const input = stringAt(item, isCustom ? 'input' : 'arguments');
  return input === undefined ? undefined : { form: isCustom ? 'custom' : 'function', name, input };
}
