/** What a request says, without the words in which each program says it. */

/**
 * @typedef {import('@quire/simulator').RecordedRequest} RecordedRequest
 * @typedef {RecordedRequest['input'][number]} Item
 */

/** What the provider says as a summary, and what it hands out as one that only it can read. */
export const SUMMARY = 'SUMMARY of the work so far.';
export const SEALED_SUMMARY = 'sealed summary';

/** Context that a program writes for the model: no part of what was said. */
const CONTEXT = /^\s*(<(?!image\b|user_action\b)[a-z_ ]+>|# AGENTS\.md instructions)/;
const IMAGE_FRAME = /^<image\b.*>$|^<\/image>$/;
/** What a tool printed; the rest of an output is the program's own wording. */
const OUTPUT_WORDS = /aborted|marker-[a-z]+/;

/**
 * The conversation in order, one line for each item that is no context.
 * @param {RecordedRequest} request
 * @returns {string[]}
 */
export function conversationOf(request) {
  return request.input.flatMap((item) => {
    const line = lineOf(item);
    return line === undefined ? [] : [line];
  });
}

/** Text of the base instructions, as a field or as the first message. @param {RecordedRequest} request */
export function baseInstructionsOf(request) {
  const { instructions } = request.body;
  if (typeof instructions === 'string') return instructions;
  const [first] = request.input;
  return first?.['role'] === 'developer' ? partsOf(first).map(textOf).join('') : undefined;
}

/** How often the model is told where it is. @param {RecordedRequest} request */
export function environmentsIn(request) {
  return request.input.filter((item) => partsOf(item).some((part) => textOf(part).startsWith('<environment_context>')))
    .length;
}

/** @param {Item} item @returns {string | undefined} */
function lineOf(item) {
  const { type, call_id: callId } = item;
  switch (type) {
    case 'message':
      return messageLine(item);
    case 'function_call':
    case 'custom_tool_call':
      return `call ${callId}`;
    case 'function_call_output':
    case 'custom_tool_call_output':
      return `output ${callId}: ${OUTPUT_WORDS.exec(JSON.stringify(item['output']))?.[0]}`;
    case 'compaction':
      return 'sealed summary';
    default:
      return String(type);
  }
}

/** @param {Item} item */
function messageLine(item) {
  const { role } = item;
  const parts = partsOf(item);
  const texts = parts.map(textOf);
  if (texts.some((text) => text.startsWith('<turn_aborted>'))) return 'interrupted';
  if (texts.some((text) => text.includes(SUMMARY))) return role === 'user' ? 'summary' : `summary of the ${role}`;
  if (role === 'developer' || texts.every((text) => CONTEXT.test(text))) return undefined;
  // Programs differ in whether an image stands before or behind the text.
  const images = parts.filter((part) => part['type'] === 'input_image').map(() => '[image]');
  return `${role}: ${[...images, ...texts.filter((text) => text !== '' && !IMAGE_FRAME.test(text))].join(' ')}`;
}

/** @param {Item} item @returns {readonly Record<string, unknown>[]} */
function partsOf(item) {
  return Array.isArray(item['content']) ? item['content'].map(Object) : [];
}

/** @param {Record<string, unknown>} part */
function textOf(part) {
  return String(part['text'] ?? '');
}
