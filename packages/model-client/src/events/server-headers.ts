import { isJsonObject, type JsonObject, objectAt } from '@quire/protocol';

/** The header `name` (lower case) among headers that ride in an event: any case, a string or a list. */
export function headerInEvent(headers: JsonObject, name: string): string | undefined {
  for (const key of Object.keys(headers)) {
    if (key.toLowerCase() !== name) continue;
    const value = headers[key];
    const text = Array.isArray(value) ? value[0] : value;
    if (typeof text === 'string' && text !== '') return text;
  }
  return undefined;
}

/** Whether the header `name` (lower case) is among headers that ride in an event, whatever its value. */
export function hasHeaderInEvent(headers: JsonObject, name: string): boolean {
  return Object.entries(headers).some(([key, value]) => key.toLowerCase() === name && value !== null);
}

/** The model that really answers, when the event says so. The `model` of the response object does not count. */
export function serverModelInEvent(event: JsonObject): string | undefined {
  const response = event['response'];
  const inner = isJsonObject(response) ? objectAt(response, 'headers') : undefined;
  return modelIn(inner) ?? modelIn(objectAt(event, 'headers'));
}

function modelIn(headers: JsonObject | undefined): string | undefined {
  if (headers === undefined) return undefined;
  return headerInEvent(headers, 'openai-model') ?? headerInEvent(headers, 'x-openai-model');
}
