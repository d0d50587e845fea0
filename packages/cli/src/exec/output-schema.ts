import { readFileSync } from 'node:fs';
import { isJsonObject, type JsonObject } from '@quire/protocol';
import { SetupError, systemReason } from './setup-error.ts';

/** The JSON Schema in a file. Throws `SetupError` 'output-schema'. */
export function readOutputSchema(path: string): JsonObject {
  const text = readText(path);
  let schema: unknown;
  try {
    schema = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch (error) {
    throw new SetupError('output-schema', `the output schema ${path} is not valid JSON`, { cause: error });
  }
  if (!isJsonObject(schema)) {
    throw new SetupError('output-schema', `the output schema ${path} must be a JSON object that holds a JSON Schema`);
  }
  return schema;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SetupError('output-schema', `the output schema ${path} can not be read: ${systemReason(error)}`, {
      cause: error,
    });
  }
}
