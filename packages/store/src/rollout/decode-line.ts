/**
 * Rollout lines from their text. Tolerant: what 0.80 to 0.169 of the peer write is read, unknown fields are
 * dropped, missing ones get a neutral value where the type wants one.
 * Source: files written by the peer.
 */
import {
  type GitInfo,
  isJsonObject,
  type JsonObject,
  numberAt,
  objectAt,
  parseResponseItem,
  type ResponseItem,
  type RolloutEvent,
  type RolloutLine,
  type SessionMeta,
  stringAt,
  type TurnContextLine,
} from '@quire/protocol';

/** `undefined` for a line that is not JSON, of an unknown type, or without what its type needs. */
export function decodeLine(text: string): RolloutLine | undefined {
  const line = parseJsonObject(text);
  if (line === undefined) return undefined;
  const payload = line['payload'];
  if (!isJsonObject(payload)) return undefined;
  switch (line['type']) {
    case 'response_item': {
      const item = parseResponseItem(payload);
      return item === undefined ? undefined : { type: 'response_item', payload: item };
    }
    case 'event_msg':
      // An object with a string `type` is all that a RolloutEvent promises.
      return typeof payload['type'] === 'string' ? { type: 'event_msg', payload: payload as RolloutEvent } : undefined;
    case 'turn_context':
      return { type: 'turn_context', payload: decodeTurnContext(payload) };
    case 'compacted':
      return decodeCompacted(payload);
    case 'session_meta': {
      const meta = decodeSessionMeta(payload, stringAt(line, 'timestamp'));
      return meta === undefined ? undefined : { type: 'session_meta', payload: meta };
    }
    default:
      return undefined;
  }
}

export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function decodeSessionMeta(raw: JsonObject, lineTimestamp: string | undefined): SessionMeta | undefined {
  const id = stringAt(raw, 'id');
  if (id === undefined) return undefined;
  const baseInstructions = objectAt(raw, 'base_instructions');
  const text = baseInstructions === undefined ? undefined : stringAt(baseInstructions, 'text');
  const git = objectAt(raw, 'git');
  return {
    id,
    ...strings(raw, ['forked_from_id', 'thread_source', 'model_provider']),
    timestamp: stringAt(raw, 'timestamp') ?? lineTimestamp ?? '',
    cwd: stringAt(raw, 'cwd') ?? '',
    originator: stringAt(raw, 'originator') ?? '',
    cli_version: stringAt(raw, 'cli_version') ?? '',
    source: raw['source'] ?? 'unknown',
    ...(text === undefined ? {} : { base_instructions: { text } }),
    ...(git === undefined ? {} : { git: strings(git, ['commit_hash', 'branch', 'repository_url']) satisfies GitInfo }),
  };
}

function decodeTurnContext(raw: JsonObject): TurnContextLine {
  const approval = raw['approval_policy'];
  const truncation = objectAt(raw, 'truncation_policy');
  const schema = raw['final_output_json_schema'];
  return {
    ...strings(raw, ['turn_id', 'current_date', 'timezone', 'effort', 'user_instructions', 'developer_instructions']),
    cwd: stringAt(raw, 'cwd') ?? '',
    // The table form names its only key: `granular`, or `reject` in older files.
    approval_policy: isJsonObject(approval)
      ? (Object.keys(approval)[0] ?? '')
      : typeof approval === 'string'
        ? approval
        : '',
    sandbox_policy: objectAt(raw, 'sandbox_policy') ?? {},
    model: stringAt(raw, 'model') ?? '',
    summary: stringAt(raw, 'summary') ?? '',
    ...(schema === undefined || schema === null ? {} : { final_output_json_schema: schema }),
    ...decodeTruncation(truncation),
  };
}

function decodeTruncation(raw: JsonObject | undefined): Pick<TurnContextLine, 'truncation_policy'> {
  const mode = raw?.['mode'];
  const limit = raw === undefined ? undefined : numberAt(raw, 'limit');
  if (limit === undefined || (mode !== 'bytes' && mode !== 'tokens')) return {};
  return { truncation_policy: { mode, limit } };
}

function decodeCompacted(raw: JsonObject): RolloutLine {
  const message = stringAt(raw, 'message') ?? '';
  const history = raw['replacement_history'];
  if (!Array.isArray(history)) return { type: 'compacted', payload: { message } };
  const items = history.map(parseResponseItem).filter((item): item is ResponseItem => item !== undefined);
  return { type: 'compacted', payload: { message, replacement_history: items } };
}

/** The keys that hold strings; the others are left out. */
function strings<const Key extends string>(raw: JsonObject, keys: readonly Key[]): { readonly [K in Key]?: string } {
  const found: { [K in Key]?: string } = {};
  for (const key of keys) {
    const value = stringAt(raw, key);
    if (value !== undefined) found[key] = value;
  }
  return found;
}
