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

/** All of them, or what is wrong with the first that can not be read. */
export function readAll<Values extends object>(
  readings: {
    readonly [Name in keyof Values]: ArgumentReading<Values[Name]>;
  },
): ArgumentReading<Values> {
  const values: Partial<Values> = {};
  for (const name of Object.keys(readings) as (keyof Values)[]) {
    const reading = readings[name];
    if (reading.kind === 'invalid') return reading;
    values[name] = reading.value;
  }
  return { kind: 'ok', value: values as Values }; // no name is missing: all were gone through
}

export function invalid(detail: string): { readonly kind: 'invalid'; readonly message: string } {
  return { kind: 'invalid', message: `failed to parse function arguments: ${detail}` };
}
