import { isJsonObject, type JsonObject, type JsonValue, stringAt, type UserInput } from '@quire/protocol';
import { type ArgumentReading, invalid } from '../call-arguments.ts';

/** Milliseconds. Source: sub-agent facts. */
const WAIT = { default: 30_000, min: 10_000, max: 3_600_000 } as const;

const IMAGE_URL = /^(?:https?:\/\/|data:image\/)/i;

/** How `message` and `items` are offered. */
export const INPUT_PARAMETERS = {
  message: { type: 'string', description: 'What to tell the agent, as plain text. Give this or `items`, not both.' },
  items: {
    type: 'array',
    description: 'What to tell the agent, in parts. Give this or `message`, not both.',
    items: {
      type: 'object',
      properties: {
        type: { type: 'string', enum: ['text', 'image'] },
        text: { type: 'string', description: 'For `text`.' },
        image_url: { type: 'string', description: 'For `image`: an http(s) or data URL.' },
      },
      required: ['type'],
      additionalProperties: false,
    },
  },
} as const;

export const WAIT_PARAMETERS = {
  ids: { type: 'array', items: { type: 'string' }, description: 'Agents to wait for. The first one ends the wait.' },
  timeout_ms: {
    type: 'number',
    description: `Longest wait in milliseconds: ${WAIT.min} to ${WAIT.max}, else ${WAIT.default}.`,
  },
} as const;

/** Exactly one of `message` and `items`. */
export function readInput(args: JsonObject): ArgumentReading<readonly UserInput[]> {
  const { message, items } = args as { readonly message?: JsonValue; readonly items?: JsonValue };
  const hasMessage = message !== undefined && message !== null;
  const hasItems = items !== undefined && items !== null;
  if (hasMessage === hasItems) return invalid('give exactly one of `message` and `items`');
  if (hasMessage) {
    if (typeof message !== 'string' || message.trim() === '') return invalid('`message` must be a text with content');
    return { kind: 'ok', value: [{ kind: 'text', text: message }] };
  }
  if (!Array.isArray(items) || items.length === 0) return invalid('`items` must be a list with content');
  const input: UserInput[] = [];
  for (const item of items as readonly JsonValue[]) {
    const part = readItem(item);
    if (part === undefined) {
      return invalid(
        'each of `items` is {"type":"text","text":…} or {"type":"image","image_url":"http(s) or data URL"}',
      );
    }
    input.push(part);
  }
  return { kind: 'ok', value: input };
}

function readItem(item: JsonValue): UserInput | undefined {
  if (!isJsonObject(item)) return undefined;
  const text = stringAt(item, 'text');
  if (item['type'] === 'text') return text === undefined || text.trim() === '' ? undefined : { kind: 'text', text };
  const url = stringAt(item, 'image_url');
  return item['type'] === 'image' && url !== undefined && IMAGE_URL.test(url) ? { kind: 'image', url } : undefined;
}

/** `id`, or `target` as newer models spell it. */
export function readId(args: JsonObject): ArgumentReading<string> {
  const id = (stringAt(args, 'id') ?? stringAt(args, 'target'))?.trim();
  return id === undefined || id === '' ? invalid('missing field `id`: the id of an agent') : { kind: 'ok', value: id };
}

export interface WaitArguments {
  readonly ids: readonly string[];
  readonly timeoutMs: number;
}

/** `ids`, or `targets` as newer models spell it; each once. The time is brought within its bounds. */
export function readWait(args: JsonObject): ArgumentReading<WaitArguments> {
  const ids = args['ids'] ?? args['targets'];
  if (!Array.isArray(ids) || ids.length === 0 || !ids.every((id) => typeof id === 'string')) {
    return invalid('missing field `ids`: a list of ids of agents, at least one');
  }
  const timeout = args['timeout_ms'] ?? WAIT.default;
  if (typeof timeout !== 'number' || timeout <= 0) return invalid('`timeout_ms` must be a number above 0');
  const timeoutMs = Math.min(Math.max(timeout, WAIT.min), WAIT.max);
  return { kind: 'ok', value: { ids: [...new Set(ids as readonly string[])], timeoutMs } };
}

/** `undefined` when absent. Anything that is no text with content, or too long for a label, is invalid. */
export function readLabel(args: JsonObject, name: string): ArgumentReading<string | undefined> {
  const value = args[name];
  if (value === undefined || value === null) return { kind: 'ok', value: undefined };
  if (typeof value !== 'string' || value.trim() === '' || value.length > 100) {
    return invalid(`\`${name}\` must be a short text`);
  }
  return { kind: 'ok', value: value.trim() };
}

/** `false` when absent. */
export function readFlag(args: JsonObject, name: string): ArgumentReading<boolean> {
  const value = args[name] ?? false;
  return typeof value === 'boolean' ? { kind: 'ok', value } : invalid(`\`${name}\` must be true or false`);
}

export function inputSummary(input: readonly UserInput[]): string {
  return input.map((part) => (part.kind === 'text' ? part.text : '[image]')).join('\n');
}
