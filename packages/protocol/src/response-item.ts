/**
 * Response items: the elements of the model-visible history, in the shape of the Responses API.
 * Field names are the wire's. Source: shapes of the public Responses API and observed traffic.
 */
import { isJsonObject, type JsonObject, type JsonValue, stringAt } from './json.ts';

export interface InputTextContent {
  readonly type: 'input_text';
  readonly text: string;
}

export interface OutputTextContent {
  readonly type: 'output_text';
  readonly text: string;
}

export interface InputImageContent {
  readonly type: 'input_image';
  /** An http(s) or data URL. */
  readonly image_url: string;
  readonly detail?: string;
}

/** A content part of a kind not known here; `raw` is what arrived and what goes back. */
export interface UnknownContent {
  readonly type: 'unknown';
  readonly raw: JsonObject;
}

export type ContentPart = InputTextContent | OutputTextContent | InputImageContent | UnknownContent;

export type MessageRole = 'user' | 'assistant' | 'developer' | 'system';

export interface MessageItem {
  readonly type: 'message';
  readonly id?: string;
  readonly role: MessageRole;
  readonly content: readonly ContentPart[];
  /** `commentary` or `final_answer`; absent means unknown. Sent back as received. */
  readonly phase?: string;
}

export interface ReasoningItem {
  readonly type: 'reasoning';
  readonly id?: string;
  readonly summary: readonly { readonly type: 'summary_text'; readonly text: string }[];
  readonly content?: readonly { readonly type: 'reasoning_text' | 'text'; readonly text: string }[] | null;
  readonly encrypted_content?: string | null;
}

export interface FunctionCallItem {
  readonly type: 'function_call';
  readonly id?: string;
  readonly call_id: string;
  readonly name: string;
  readonly namespace?: string;
  /** JSON text, exactly as the model wrote it. */
  readonly arguments: string;
}

export interface CustomToolCallItem {
  readonly type: 'custom_tool_call';
  readonly id?: string;
  readonly status?: string;
  readonly call_id: string;
  readonly name: string;
  /** Free text. */
  readonly input: string;
}

export interface LocalShellCallItem {
  readonly type: 'local_shell_call';
  readonly id?: string;
  readonly call_id?: string;
  readonly status: string;
  readonly action: JsonObject;
}

export type ToolOutputPart = InputTextContent | InputImageContent | UnknownContent;
/** What a tool gave back: plain text, or parts when there are images. */
export type ToolOutputBody = string | readonly ToolOutputPart[];

export interface FunctionCallOutputItem {
  readonly type: 'function_call_output';
  readonly id?: string;
  readonly call_id: string;
  readonly output: ToolOutputBody;
}

export interface CustomToolCallOutputItem {
  readonly type: 'custom_tool_call_output';
  readonly id?: string;
  readonly call_id: string;
  readonly name?: string;
  readonly output: ToolOutputBody;
}

export interface WebSearchCallItem {
  readonly type: 'web_search_call';
  readonly id?: string;
  readonly status?: string;
  /** `search`, `open_page`, `find_in_page` or a kind not known here; kept as it came. */
  readonly action?: JsonObject;
}

/** The model searches among tools that were not offered at once. Calls with `execution: 'client'` want an output. */
export interface ToolSearchCallItem {
  readonly type: 'tool_search_call';
  readonly id?: string;
  readonly call_id?: string;
  readonly status?: string;
  /** `client` or `server`. */
  readonly execution: string;
  readonly arguments: JsonValue;
}

export interface ToolSearchOutputItem {
  readonly type: 'tool_search_output';
  readonly id?: string;
  readonly call_id?: string;
  readonly execution: string;
  readonly status: string;
  readonly tools: readonly JsonValue[];
}

/** What the provider made of an earlier part of the conversation; only it can read it. */
export interface CompactionItem {
  readonly type: 'compaction' | 'compaction_summary' | 'context_compaction';
  readonly id?: string;
  readonly encrypted_content?: string | null;
}

/** Asks for a compaction; the last item of a request, never stored. */
export interface CompactionTriggerItem {
  readonly type: 'compaction_trigger';
}

/** Where the work tree stood at the start of a turn. Local: stored, never sent. Source: files of the peer, spring 2026. */
export interface GhostSnapshotItem {
  readonly type: 'ghost_snapshot';
  readonly ghost_commit: JsonObject;
}

/** An item of a kind not known here; `raw` is what arrived and what goes back. */
export interface UnknownItem {
  readonly type: 'unknown';
  readonly raw: JsonObject;
}

export type ToolCallItem = FunctionCallItem | CustomToolCallItem | LocalShellCallItem;
export type ToolOutputItem = FunctionCallOutputItem | CustomToolCallOutputItem;

export type ResponseItem =
  | MessageItem
  | ReasoningItem
  | ToolCallItem
  | ToolOutputItem
  | WebSearchCallItem
  | ToolSearchCallItem
  | ToolSearchOutputItem
  | CompactionItem
  | CompactionTriggerItem
  | GhostSnapshotItem
  | UnknownItem;

const ROLES: ReadonlySet<string> = new Set(['user', 'assistant', 'developer', 'system']);

function parseContentPart(raw: unknown): ContentPart | undefined {
  if (!isJsonObject(raw)) return undefined;
  const type = raw['type'];
  if (type === 'input_text' || type === 'output_text') {
    const text = stringAt(raw, 'text');
    // Annotations and log probabilities ride beside the text and are not sent back.
    return text === undefined ? { type: 'unknown', raw } : { type, text };
  }
  if (type === 'input_image') {
    const url = stringAt(raw, 'image_url');
    if (url === undefined) return { type: 'unknown', raw };
    const detail = stringAt(raw, 'detail');
    return detail === undefined
      ? { type: 'input_image', image_url: url }
      : { type: 'input_image', image_url: url, detail };
  }
  return { type: 'unknown', raw };
}

function parseParts(raw: unknown): ContentPart[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const parts: ContentPart[] = [];
  for (const entry of raw) {
    const part = parseContentPart(entry);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}

function parseToolOutput(raw: unknown): ToolOutputBody | undefined {
  if (typeof raw === 'string') return raw;
  const parts = parseParts(raw);
  if (parts === undefined) return undefined;
  return parts.map((part) => (part.type === 'output_text' ? { type: 'input_text' as const, text: part.text } : part));
}

function optional<Key extends string>(raw: JsonObject, key: Key): { readonly [K in Key]?: string } {
  const value = stringAt(raw, key);
  return value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: string });
}

/**
 * Decodes one item from the wire or from a rollout line.
 *
 * An object of an unknown type, or of a known type whose required fields are not as expected, comes
 * back as `UnknownItem` and keeps every byte of meaning. `undefined` only when `raw` is not an object
 * with a string `type`.
 */
export function parseResponseItem(raw: unknown): ResponseItem | undefined {
  if (!isJsonObject(raw)) return undefined;
  const type = stringAt(raw, 'type');
  if (type === undefined) return undefined;
  return parseKnownItem(raw, type) ?? { type: 'unknown', raw };
}

function parseKnownItem(raw: JsonObject, type: string): ResponseItem | undefined {
  switch (type) {
    case 'message': {
      const role = stringAt(raw, 'role');
      const content = parseParts(raw['content']);
      if (role === undefined || !ROLES.has(role) || content === undefined) return undefined;
      return { type, ...optional(raw, 'id'), role: role as MessageRole, content, ...optional(raw, 'phase') };
    }
    case 'reasoning':
      return parseReasoning(raw);
    case 'function_call': {
      const name = stringAt(raw, 'name');
      const callId = stringAt(raw, 'call_id');
      const args = stringAt(raw, 'arguments');
      if (name === undefined || callId === undefined || args === undefined) return undefined;
      return { type, ...optional(raw, 'id'), call_id: callId, name, ...optional(raw, 'namespace'), arguments: args };
    }
    case 'custom_tool_call': {
      const name = stringAt(raw, 'name');
      const callId = stringAt(raw, 'call_id');
      const input = stringAt(raw, 'input');
      if (name === undefined || callId === undefined || input === undefined) return undefined;
      return { type, ...optional(raw, 'id'), ...optional(raw, 'status'), call_id: callId, name, input };
    }
    case 'local_shell_call': {
      const action = raw['action'];
      if (!isJsonObject(action)) return undefined;
      const status = stringAt(raw, 'status') ?? 'completed';
      return { type, ...optional(raw, 'id'), ...optional(raw, 'call_id'), status, action };
    }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const callId = stringAt(raw, 'call_id');
      const output = parseToolOutput(raw['output']);
      if (callId === undefined || output === undefined) return undefined;
      if (type === 'function_call_output') return { type, ...optional(raw, 'id'), call_id: callId, output };
      return { type, ...optional(raw, 'id'), call_id: callId, ...optional(raw, 'name'), output };
    }
    case 'web_search_call': {
      const action = raw['action'];
      if (action !== undefined && !isJsonObject(action)) return undefined;
      return {
        type,
        ...optional(raw, 'id'),
        ...optional(raw, 'status'),
        ...(action === undefined ? {} : { action }),
      };
    }
    case 'tool_search_call': {
      const args = raw['arguments'];
      const execution = stringAt(raw, 'execution');
      if (args === undefined || execution === undefined) return undefined;
      return {
        type,
        ...optional(raw, 'id'),
        ...optional(raw, 'call_id'),
        ...optional(raw, 'status'),
        execution,
        arguments: args,
      };
    }
    case 'tool_search_output': {
      const execution = stringAt(raw, 'execution');
      const status = stringAt(raw, 'status');
      const tools = raw['tools'];
      if (execution === undefined || status === undefined || !Array.isArray(tools)) return undefined;
      return { type, ...optional(raw, 'id'), ...optional(raw, 'call_id'), execution, status, tools };
    }
    case 'compaction':
    case 'compaction_summary':
    case 'context_compaction': {
      const encrypted = raw['encrypted_content'];
      const content = typeof encrypted === 'string' || encrypted === null ? { encrypted_content: encrypted } : {};
      return { type, ...optional(raw, 'id'), ...content };
    }
    case 'compaction_trigger':
      return { type };
    case 'ghost_snapshot': {
      const commit = raw['ghost_commit'];
      return isJsonObject(commit) ? { type, ghost_commit: commit } : undefined;
    }
    default:
      return undefined;
  }
}

function parseReasoning(raw: JsonObject): ReasoningItem | undefined {
  const summary = raw['summary'];
  if (!Array.isArray(summary)) return undefined;
  const parts: { type: 'summary_text'; text: string }[] = [];
  for (const entry of summary) {
    const text = isJsonObject(entry) && entry['type'] === 'summary_text' ? stringAt(entry, 'text') : undefined;
    if (text === undefined) return undefined;
    parts.push({ type: 'summary_text', text });
  }
  const content = parseReasoningContent(raw['content']);
  if (content === undefined && raw['content'] !== undefined) return undefined;
  const encrypted = raw['encrypted_content'];
  return {
    type: 'reasoning',
    ...optional(raw, 'id'),
    summary: parts,
    ...(content === undefined ? {} : { content }),
    ...(typeof encrypted === 'string' || encrypted === null ? { encrypted_content: encrypted } : {}),
  };
}

function parseReasoningContent(raw: unknown): ReasoningItem['content'] {
  if (raw === null) return null;
  if (!Array.isArray(raw)) return undefined;
  const parts: { type: 'reasoning_text' | 'text'; text: string }[] = [];
  for (const entry of raw) {
    if (!isJsonObject(entry)) return undefined;
    const text = stringAt(entry, 'text');
    const type = entry['type'];
    if (text === undefined || (type !== 'reasoning_text' && type !== 'text')) return undefined;
    parts.push({ type, text });
  }
  return parts;
}

/** The wire form: unknown items and parts become again what they were; everything else is itself. */
export function responseItemToJson(item: ResponseItem): JsonObject {
  switch (item.type) {
    case 'unknown':
      return item.raw;
    case 'message':
      if (!item.content.some(isUnknownPart)) return item as unknown as JsonObject;
      return { ...item, content: item.content.map(partToJson) } as unknown as JsonObject;
    case 'function_call_output':
    case 'custom_tool_call_output':
      if (typeof item.output === 'string' || !item.output.some(isUnknownPart)) return item as unknown as JsonObject;
      return { ...item, output: item.output.map(partToJson) } as unknown as JsonObject;
    default:
      // Every other variant is built of plain JSON fields only, under the wire's names.
      return item as unknown as JsonObject;
  }
}

function isUnknownPart(part: ContentPart): boolean {
  return part.type === 'unknown';
}

function partToJson(part: ContentPart): JsonObject {
  return part.type === 'unknown' ? part.raw : (part as unknown as JsonObject);
}
