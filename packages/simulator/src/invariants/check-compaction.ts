import { isJsonObject, type JsonObject } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';
import { checkTools } from './check-body.ts';
import { checkAuthorization } from './check-headers.ts';
import { checkHistory } from './check-history.ts';
import { checkInput } from './check-input.ts';
import { isTextOnlyModel } from './check-request.ts';

/** What a compaction request must say. Source: transport sheet section 21.1. */
export function checkCompaction(
  request: RecordedRequest,
  options: {
    readonly expectAuthorization: string | undefined;
    readonly body: JsonObject | undefined;
    readonly acceptsAnyClient: boolean;
    readonly textOnlyModels: ReadonlySet<string>;
  },
): readonly string[] {
  const { body } = options;
  const problems = [...checkAuthorization(request.headers, options)];
  if (body === undefined) return [...problems, 'the body is not a JSON object'];
  if (typeof body['model'] !== 'string' || body['model'] === '') problems.push('the body lacks model');
  if (!Array.isArray(body['input']) || !body['input'].every(isJsonObject)) {
    problems.push("the body's input must be an array of objects");
  } else if (body['input'].length === 0) problems.push('an empty history is compacted without a request');
  if (!options.acceptsAnyClient && typeof body['instructions'] !== 'string') {
    problems.push("the body's instructions must be a string");
  }
  problems.push(...checkTools(body), ...checkInput(request.input));
  if (options.acceptsAnyClient) return problems;
  const isTextOnly = isTextOnlyModel(body, options);
  return [...problems, ...checkHistory(request.input, { isTextOnly, hasInstructions: true, allowsTrigger: false })];
}
