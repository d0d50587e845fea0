import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';
import { fragmentTag, partsOf } from '../context-tags.ts';
import type { Redaction } from './redact.ts';

/** How the pieces of an item are told. */
export interface Telling {
  /** `undefined`: everything is told as it came. */
  readonly redaction: Redaction | undefined;
  /** True: contextual fragments are told by their text, not by their tag. */
  readonly tellsFragments: boolean;
}

/** One item as lines: what it is, and below it, indented, what does not fit beside it. */
export function renderItem(item: JsonObject, telling: Telling): readonly string[] {
  const type = stringAt(item, 'type') ?? 'item without type';
  const id = telling.redaction === undefined ? stringAt(item, 'id') : undefined;
  return lay([type, ...describe(item, telling), ...(id === undefined ? [] : [`id ${id}`])], piecesOf(item, telling));
}

/** Words behind the kind. */
function describe(item: JsonObject, telling: Telling): readonly string[] {
  const { redaction } = telling;
  const callId = stringAt(item, 'call_id');
  const call = callId === undefined ? [] : [redaction === undefined ? callId : redaction.call(callId)];
  const words = (...names: readonly string[]): readonly string[] => names.flatMap((name) => stringAt(item, name) ?? []);
  switch (item['type']) {
    case 'message':
      return words('role', 'phase');
    case 'tool_search_call':
    case 'tool_search_output':
      return [...words('execution'), ...call];
    default:
      return [...words('namespace', 'name'), ...call];
  }
}

const ENCRYPTED = '(encrypted)';

/** The contents, each a text. */
function piecesOf(item: JsonObject, telling: Telling): readonly string[] {
  const shown = (text: string): string => telling.redaction?.text(text) ?? text;
  const role = stringAt(item, 'role') ?? '';
  switch (item['type']) {
    case 'message':
      return partsOf(item).map((part) => renderPart(part, role, telling));
    case 'function_call':
      return [shown(stringAt(item, 'arguments') ?? '')];
    case 'custom_tool_call':
      return [shown(stringAt(item, 'input') ?? '')];
    case 'function_call_output':
    case 'custom_tool_call_output': {
      const { output } = item;
      return typeof output === 'string'
        ? [shown(output)]
        : partsOf(item).map((part) => renderPart(part, role, telling));
    }
    case 'reasoning':
      return [...textsAt(item, 'summary'), ...textsAt(item, 'content')].map(shown).concat(encrypted(item, telling));
    case 'compaction':
    case 'compaction_summary':
    case 'context_compaction':
      return encrypted(item, telling);
    case 'compaction_trigger':
      return [];
    default: {
      const { type: _type, id: _id, call_id: _callId, name: _name, execution: _execution, ...rest } = item;
      return [shown(JSON.stringify(rest))];
    }
  }
}

function renderPart(part: JsonValue, role: string, telling: Telling): string {
  const { redaction, tellsFragments } = telling;
  const text = isJsonObject(part) ? stringAt(part, 'text') : undefined;
  if (isJsonObject(part) && part['type'] === 'input_image') {
    const { type: _type, image_url: url, ...rest } = part;
    const details = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
    return `image ${redaction?.text(String(url)) ?? String(url)}${details}`;
  }
  if (text === undefined) {
    const json = JSON.stringify(part);
    return redaction?.text(json) ?? json;
  }
  const tag = tellsFragments ? undefined : fragmentTag(text, role);
  return tag ?? redaction?.text(text) ?? text;
}

function encrypted(item: JsonObject, telling: Telling): readonly string[] {
  const content = stringAt(item, 'encrypted_content');
  if (content === undefined) return [];
  return [telling.redaction === undefined ? `${ENCRYPTED} ${content}` : ENCRYPTED];
}

function textsAt(item: JsonObject, name: string): readonly string[] {
  const parts = item[name];
  return Array.isArray(parts)
    ? parts.flatMap((part) => (isJsonObject(part) ? (stringAt(part, 'text') ?? []) : []))
    : [];
}

const LINE_LENGTH = 100;

/** Beside the head when all of it fits on the line, else below it, each piece with a mark. */
function lay(head: readonly string[], pieces: readonly string[]): readonly string[] {
  const words = head.join(' ');
  const line = pieces.length === 0 ? words : `${words}: ${pieces.join(' ')}`;
  if (line.length <= LINE_LENGTH && !line.includes('\n') && pieces.filter((piece) => !isTag(piece)).length <= 1) {
    return [line];
  }
  return [
    `${words}:`,
    ...pieces.flatMap((piece) =>
      piece.split(/\r\n|\n|\r/).map((row, index) => (index === 0 ? `  - ${row}` : `    ${row}`)),
    ),
  ];
}

function isTag(piece: string): boolean {
  return piece.startsWith('<') || piece.startsWith('# AGENTS.md');
}
