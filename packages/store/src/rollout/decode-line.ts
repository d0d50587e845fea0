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
  parseJsonObject,
  parseResponseItem,
  type RolloutEvent,
  type RolloutLine,
  type SessionMeta,
  stringAt,
  type TurnContextLine,
} from '@quire/protocol';

/** A whole line of a kind that is not known here: `world_state`, `token_usage_record` and what is to come. */
export const FOREIGN_LINE = 'foreign';

/** `undefined` for a line that is not JSON or without what its type needs. */
export function decodeLine(text: string): RolloutLine | typeof FOREIGN_LINE | undefined {
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
      return typeof line['type'] === 'string' ? FOREIGN_LINE : undefined;
  }
}

function decodeSessionMeta(raw: JsonObject, lineTimestamp: string | undefined): SessionMeta | undefined {
  const id = stringAt(raw, 'id');
  if (id === undefined) return undefined;
  const baseInstructions = objectAt(raw, 'base_instructions');
  const text = baseInstructions === undefined ? undefined : stringAt(baseInstructions, 'text');
  const git = objectAt(raw, 'git');
  const tools = raw['dynamic_tools'];
  const base = objectAt(raw, 'history_base');
  return {
    id,
    ...strings(raw, [
      'forked_from_id',
      'thread_source',
      'model_provider',
      'agent_nickname',
      'agent_role',
      'history_mode',
    ]),
    timestamp: stringAt(raw, 'timestamp') ?? lineTimestamp ?? '',
    cwd: stringAt(raw, 'cwd') ?? '',
    originator: stringAt(raw, 'originator') ?? '',
    cli_version: stringAt(raw, 'cli_version') ?? '',
    source: raw['source'] ?? 'unknown',
    ...(text === undefined ? {} : { base_instructions: { text } }),
    ...(Array.isArray(tools) && tools.length > 0 ? { dynamic_tools: tools } : {}),
    ...(base === undefined ? {} : { history_base: base }),
    ...(git === undefined ? {} : { git: strings(git, ['commit_hash', 'branch', 'repository_url']) satisfies GitInfo }),
  };
}

const TURN_CONTEXT_TEXTS = [
  'turn_id',
  'current_date',
  'timezone',
  'personality',
  'effort',
  'user_instructions',
  'developer_instructions',
] as const;

function decodeTurnContext(raw: JsonObject): TurnContextLine {
  const approval = raw['approval_policy'];
  const truncation = objectAt(raw, 'truncation_policy');
  const schema = raw['final_output_json_schema'];
  return {
    ...strings(raw, TURN_CONTEXT_TEXTS),
    cwd: stringAt(raw, 'cwd') ?? '',
    approval_policy: isJsonObject(approval) || typeof approval === 'string' ? approval : '',
    sandbox_policy: objectAt(raw, 'sandbox_policy') ?? {},
    model: stringAt(raw, 'model') ?? '',
    summary: stringAt(raw, 'summary') ?? '',
    ...(schema === undefined || schema === null ? {} : { final_output_json_schema: schema }),
    ...decodeTruncation(truncation),
    ...decodeCollaborationMode(objectAt(raw, 'collaboration_mode')),
  };
}

function decodeCollaborationMode(raw: JsonObject | undefined): Pick<TurnContextLine, 'collaboration_mode'> {
  const mode = raw === undefined ? undefined : stringAt(raw, 'mode');
  if (raw === undefined || mode === undefined) return {};
  const settings = objectAt(raw, 'settings') ?? {};
  return {
    collaboration_mode: {
      mode,
      settings: {
        ...strings(settings, ['model', 'reasoning_effort', 'developer_instructions']),
        ...(settings['reasoning_effort'] === null ? { reasoning_effort: null } : {}),
        ...(settings['developer_instructions'] === null ? { developer_instructions: null } : {}),
      },
    },
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
  const ledger = objectAt(raw, 'ledger');
  const items = Array.isArray(history)
    ? history.map(parseResponseItem).filter((item) => item !== undefined)
    : undefined;
  return {
    type: 'compacted',
    payload: {
      message,
      ...(items === undefined ? {} : { replacement_history: items }),
      ...(ledger === undefined ? {} : { ledger }),
    },
  };
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

const STANDARD_START =
  /^\{"timestamp":"([^"]{0,40})",(?:"ordinal":(\d{1,15}),)?"type":"([a-z_]+)","payload":\{(?:"type":"([a-z_]+)")?/;

/** The start of a line that has everything before its payload in the order in which all writers put it. */
export interface LineStart {
  readonly timestamp: string | undefined;
  readonly type: string;
  readonly ordinal: number | undefined;
  /** The `type` of the payload, when it comes first in it. */
  readonly payloadType: string | undefined;
}

/** Long enough for every standard start. Unit: bytes. */
export const LINE_START_BYTES = 192;

/** What a line is, from its first bytes and without decoding it; `undefined` when only decoding can tell. */
export function readLineStart(start: string): LineStart | undefined {
  const [, timestamp, ordinal, type, payloadType] = STANDARD_START.exec(start) ?? [];
  if (type === undefined) return undefined;
  return { timestamp, type, payloadType, ordinal: ordinal === undefined ? undefined : Number(ordinal) };
}
