import { isJsonObject, type JsonObject, type JsonValue } from '@quire/protocol';

/** Texts of the user's role that are wrapped in a tag and yet no context: a person's deed, or a picture. */
const NO_CONTEXT: ReadonlySet<string> = new Set(['user_action', 'image']);
const USER_TAG = /^\s*(<([a-z][\w-]*)>)/i;
const DEVELOPER_TAG = /^\s*(<[a-z][\w-]*(?: [^<>\n]*)?>)/i;
const PROJECT_INSTRUCTIONS = /^\s*(# AGENTS\.md instructions)/i;

/**
 * The opening tag when `text` is a contextual fragment: what the harness wrote, not a person. Read from the text
 * itself: one of the developer's role starts with a tag, one of the user's is wrapped in it.
 * Source: core sheet section 5.8.
 */
export function fragmentTag(text: string, role: string): string | undefined {
  if (role === 'developer') return DEVELOPER_TAG.exec(text)?.[1];
  if (role !== 'user') return undefined;
  const heading = PROJECT_INSTRUCTIONS.exec(text)?.[1];
  if (heading !== undefined) return endsWith(text, '</INSTRUCTIONS>') ? heading : undefined;
  const [, tag, name = ''] = USER_TAG.exec(text) ?? [];
  return tag !== undefined && !NO_CONTEXT.has(name) && endsWith(text, `</${name}>`) ? tag : undefined;
}

/** True for the user's message of an update: project instructions, environment, or both. */
export function isContextUpdate(text: string): boolean {
  const tag = fragmentTag(text, 'user');
  return tag !== undefined && (!tag.startsWith('<') || /^<(environment_context|user_instructions)>$/i.test(tag));
}

/** The last words of a long text, without a copy of all of it. */
function endsWith(text: string, ending: string): boolean {
  return text
    .slice(-(ending.length + 64))
    .trimEnd()
    .toLowerCase()
    .endsWith(ending.toLowerCase());
}

/** The parts of a message or of a tool's output; text alone has none. */
export function partsOf(item: JsonObject): readonly JsonValue[] {
  const parts = item[partsField(item)];
  return Array.isArray(parts) ? parts : [];
}

/** Where an item has its parts. */
export function partsField(item: JsonObject): 'content' | 'output' {
  return item['content'] === undefined ? 'output' : 'content';
}

export function isImage(part: JsonValue | undefined): boolean {
  return isJsonObject(part) && part['type'] === 'input_image';
}
