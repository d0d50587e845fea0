import { isJsonObject, type JsonObject, type ToolCallItem } from '@quire/protocol';

export type ArgumentReading<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'invalid'; readonly message: string };

/** The JSON object that a function call carries. The message is the form models know. */
export function parseArguments(call: ToolCallItem): ArgumentReading<JsonObject> {
  if (call.type !== 'function_call') return invalid('this tool takes a function call with JSON arguments');
  try {
    const value: unknown = JSON.parse(call.arguments === '' ? '{}' : call.arguments);
    return isJsonObject(value) ? { kind: 'ok', value } : invalid('expected a JSON object');
  } catch (error) {
    return invalid(error instanceof Error ? error.message : String(error));
  }
}

export function invalid(detail: string): { readonly kind: 'invalid'; readonly message: string } {
  return { kind: 'invalid', message: `failed to parse function arguments: ${detail}` };
}
