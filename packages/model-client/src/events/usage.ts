import { isJsonObject, type JsonObject, type JsonValue, numberAt, objectAt, type TokenUsage } from '@quire/protocol';

/** The `usage` of a completed response; counts that are missing are 0, no object means not known. */
export function parseUsage(raw: JsonValue | undefined): TokenUsage | undefined {
  if (!isJsonObject(raw)) return undefined;
  const inputTokens = numberAt(raw, 'input_tokens') ?? 0;
  const outputTokens = numberAt(raw, 'output_tokens') ?? 0;
  return {
    inputTokens,
    cachedInputTokens: detail(raw, 'input_tokens_details', 'cached_tokens'),
    ...cacheWrites(raw),
    outputTokens,
    reasoningOutputTokens: detail(raw, 'output_tokens_details', 'reasoning_tokens'),
    totalTokens: numberAt(raw, 'total_tokens') ?? inputTokens + outputTokens,
  };
}

/** Only some servers tell. Source: peer 0.169, which reads it under this name and prints it. */
function cacheWrites(usage: JsonObject): Pick<TokenUsage, 'cacheWriteInputTokens'> {
  const details = objectAt(usage, 'input_tokens_details');
  const count = details === undefined ? undefined : numberAt(details, 'cache_write_tokens');
  return count === undefined ? {} : { cacheWriteInputTokens: count };
}

function detail(usage: JsonObject, group: string, name: string): number {
  const details = objectAt(usage, group);
  return (details === undefined ? undefined : numberAt(details, name)) ?? 0;
}
