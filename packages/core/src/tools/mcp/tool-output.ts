import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type ModelInfo,
  stringAt,
  type ToolOutputBody,
  type ToolOutputPart,
} from '@quire/protocol';
import { acceptsImages } from '../../model/turn/images.ts';
import type { McpToolOutcome } from '../../ports/mcp-servers.ts';

type Answered = Extract<McpToolOutcome, { kind: 'answered' }>;

/**
 * What the model gets of a result: structured content as JSON; or else parts when there are images; or else the JSON
 * of the content. Source: facts, MCP tools.
 */
export function toolOutputOf(answer: Answered, model: Pick<ModelInfo, 'inputModalities'>): ToolOutputBody {
  const { structuredContent, content } = answer;
  if (structuredContent !== undefined && structuredContent !== null) return JSON.stringify(structuredContent);
  if (!content.some(isImage)) return JSON.stringify(content);
  return acceptsImages(model) ? content.map(partOf) : JSON.stringify(content.map(withoutImage));
}

/** The result as clients are shown it. */
export function resultJson({ content, structuredContent }: Answered): JsonObject {
  return { content, structured_content: structuredContent ?? null };
}

/** The text blocks of a result: what a failed tool says of itself. */
export function textOf(content: readonly JsonValue[]): string {
  return content
    .flatMap((block) => (isJsonObject(block) && block['type'] === 'text' ? [stringAt(block, 'text') ?? ''] : []))
    .join('\n');
}

function partOf(block: JsonObject): ToolOutputPart {
  const url = imageUrl(block);
  if (url !== undefined) return { type: 'input_image', image_url: url };
  if (isImage(block)) return { type: 'input_text', text: '<an image that can not be read was left out>' };
  const text = block['type'] === 'text' ? stringAt(block, 'text') : undefined;
  return { type: 'input_text', text: text ?? JSON.stringify(block) };
}

function isImage(block: JsonObject): boolean {
  return block['type'] === 'image';
}

function imageUrl(block: JsonObject): string | undefined {
  const [data, type] = [stringAt(block, 'data'), stringAt(block, 'mimeType')];
  if (!isImage(block) || data === undefined || type === undefined) return undefined;
  return IMAGE_TYPES.has(type) && BASE64.test(data) ? `data:${type};base64,${data}` : undefined;
}

/** What models take. Anything else as an image would make every later request fail. */
const IMAGE_TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif']);
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function withoutImage(block: JsonObject): JsonObject {
  if (!isImage(block)) return block;
  return { type: 'text', text: '<an image was left out: this model takes no images>' };
}
