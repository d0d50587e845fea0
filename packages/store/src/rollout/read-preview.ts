import fs from 'node:fs';
import { isUserTurnBoundary } from '@quire/core';
import type { ContentPart, RolloutLine, SessionMeta } from '@quire/protocol';
import { JsonLinesDecoder } from '@quire/streams';
import { decodeLine, FOREIGN_LINE, LINE_START_BYTES, readLineStart } from './decode-line.ts';

const CHUNK_BYTES = 64 * 1024;
/** What a person says first stands near the beginning. A thread that got to say more than this was worked in. */
const MAX_SCANNED_BYTES = 8 * 1024 * 1024;
/** Unit: UTF-16 code units. */
const MAX_PREVIEW_LENGTH = 200;

/**
 * The beginning of the first thing that a person said, in one line; `undefined` when nobody said anything. A fork by
 * reference has the words of its parent, which are not looked for: its own first ones count, or none.
 */
export function readPreview(fd: number, meta: SessionMeta): string | undefined {
  const decoder = new JsonLinesDecoder();
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let preview: string | undefined;
  const look = (text: string): void => {
    preview ??= previewOf(text);
  };
  for (let position = 0; preview === undefined && position < MAX_SCANNED_BYTES; ) {
    const count = fs.readSync(fd, chunk, 0, CHUNK_BYTES, position);
    if (count === 0) return meta.history_base === undefined ? undefined : '';
    decoder.push(chunk.subarray(0, count), look);
    position += count;
  }
  return preview ?? '';
}

function previewOf(text: string): string | undefined {
  const start = readLineStart(text.slice(0, LINE_START_BYTES));
  if (start !== undefined && !MAY_HOLD_WORDS.has(start.payloadType ?? '')) return undefined;
  const line = decodeLine(text);
  const words = line === undefined || line === FOREIGN_LINE ? undefined : wordsOf(line);
  return words === undefined ? undefined : words.replace(/\s+/g, ' ').trim().slice(0, MAX_PREVIEW_LENGTH);
}

const MAY_HOLD_WORDS: ReadonlySet<string> = new Set(['user_message', 'message']);

function wordsOf(line: RolloutLine): string | undefined {
  if (line.type === 'event_msg' && line.payload.type === 'user_message') {
    const message = line.payload['message'];
    return typeof message === 'string' ? message : '';
  }
  if (line.type !== 'response_item' || line.payload.type !== 'message' || !isUserTurnBoundary(line.payload)) {
    return undefined;
  }
  const words = line.payload.content.map(wordsOfPart).join(' ');
  // A record of what was done, in a message of the user's role.
  return words.startsWith('<user_action>') ? undefined : words;
}

/** An image is told as one, without the tag around it and the path in that. */
function wordsOfPart(part: ContentPart, index: number, parts: readonly ContentPart[]): string {
  if (part.type === 'input_image') return '[image]';
  if (part.type !== 'input_text') return '';
  const isTag =
    (/^<image\b[^\n]*>$/.test(part.text) && parts[index + 1]?.type === 'input_image') ||
    (part.text === '</image>' && parts[index - 1]?.type === 'input_image');
  return isTag ? '' : part.text;
}
