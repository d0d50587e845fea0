import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';

/** Which output answers which call. A server-side tool search answers itself. */
const OUTPUT_OF_CALL: ReadonlyMap<string, string> = new Map([
  ['function_call', 'function_call_output'],
  ['local_shell_call', 'function_call_output'],
  ['custom_tool_call', 'custom_tool_call_output'],
  ['tool_search_call', 'tool_search_output'],
]);
const OUTPUTS: ReadonlySet<string> = new Set(OUTPUT_OF_CALL.values());
const ROLES: ReadonlySet<string> = new Set(['user', 'assistant', 'developer', 'system']);

/** Each item by itself, then unique ids, then calls and outputs against each other. */
export function checkInput(input: readonly JsonObject[]): readonly string[] {
  return [...input.flatMap(checkItem), ...checkItemIds(input), ...checkCalls(input)];
}

function checkItem(item: JsonObject, index: number): readonly string[] {
  const type = stringAt(item, 'type');
  const missing = (field: string): string => `input[${index}] (${type ?? 'no type'}) lacks ${field}`;
  switch (type) {
    case undefined:
      return [missing('type')];
    case 'message':
      return checkMessage(item, index);
    case 'reasoning':
      return Array.isArray(item['summary']) ? [] : [missing('summary')];
    case 'function_call':
      return lacking(item, ['call_id', 'name', 'arguments']).map(missing);
    case 'custom_tool_call':
      return lacking(item, ['call_id', 'name', 'input']).map(missing);
    case 'local_shell_call':
      return isJsonObject(item['action']) ? [] : [missing('action')];
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const output = item['output'];
      const isBody = typeof output === 'string' || (Array.isArray(output) && output.every(isJsonObject));
      return [...lacking(item, ['call_id']), ...(isBody ? [] : ['output (a string or parts)'])].map(missing);
    }
    default:
      return [];
  }
}

function lacking(item: JsonObject, fields: readonly string[]): readonly string[] {
  return fields.filter((field) => typeof item[field] !== 'string');
}

function checkMessage(item: JsonObject, index: number): readonly string[] {
  const { role, content } = item;
  if (typeof role !== 'string' || !ROLES.has(role)) return [`input[${index}] (message) has no known role`];
  if (!Array.isArray(content)) return [`input[${index}] (message) lacks content`];
  const wrong = role === 'assistant' ? 'input_text' : 'output_text';
  return content.some((part) => isJsonObject(part) && part['type'] === wrong)
    ? [`input[${index}] (message of role ${role}) holds ${wrong}`]
    : [];
}

function checkItemIds(input: readonly JsonObject[]): readonly string[] {
  const seen = new Map<string, number>();
  const problems: string[] = [];
  for (const [index, item] of input.entries()) {
    const id = stringAt(item, 'id');
    if (id === undefined) continue;
    const first = seen.get(id);
    if (first === undefined) seen.set(id, index);
    else problems.push(`input[${index}] uses the item id ${id} of input[${first}]`);
  }
  return problems;
}

interface OpenCall {
  readonly type: string;
  readonly index: number;
  isAnswered: boolean;
}

function checkCalls(input: readonly JsonObject[]): readonly string[] {
  const calls = new Map<string, OpenCall>();
  const problems: string[] = [];
  for (const [index, item] of input.entries()) {
    const type = stringAt(item, 'type');
    const callId = stringAt(item, 'call_id');
    if (type === undefined || callId === undefined || item['execution'] === 'server') continue;
    const call = calls.get(callId);
    if (OUTPUT_OF_CALL.has(type)) {
      if (call === undefined) calls.set(callId, { type, index, isAnswered: false });
      else problems.push(`input[${index}] (${type}) uses the call id ${callId} of input[${call.index}]`);
    } else if (OUTPUTS.has(type)) problems.push(...answerCall(call, { type, callId, index }));
  }
  for (const [callId, call] of calls) {
    if (!call.isAnswered) problems.push(`input[${call.index}] (${call.type} ${callId}) has no output`);
  }
  return problems;
}

function answerCall(
  call: OpenCall | undefined,
  output: { readonly type: string; readonly callId: string; readonly index: number },
): readonly string[] {
  const where = `input[${output.index}] (${output.type} ${output.callId})`;
  if (call === undefined) return [`${where} has no call before it`];
  if (call.isAnswered) return [`${where} is one output too many for input[${call.index}]`];
  call.isAnswered = true;
  const expected = OUTPUT_OF_CALL.get(call.type);
  return expected === output.type ? [] : [`${where} answers a ${call.type}, which wants a ${expected}`];
}
