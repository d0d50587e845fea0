import type { ContentPart, InputTextContent, ResponseItem } from '@quire/protocol';
import { isToolOutput } from './call-pairs.ts';

/** Also an image in a form that is not known here, such as one kept by the provider. */
function isImage(part: ContentPart): boolean {
  return part.type === 'input_image' || (part.type === 'unknown' && part.raw['type'] === 'input_image');
}

/** Whether a message or a tool output shows an image. */
export function holdsImage(item: ResponseItem): boolean {
  if (item.type === 'message') return item.content.some(isImage);
  return isToolOutput(item) && typeof item.output !== 'string' && item.output.some(isImage);
}

/** The item with `text` in the place of each image; the item itself when there is none. */
export function replaceImages(item: ResponseItem, text: string): ResponseItem {
  if (!holdsImage(item)) return item;
  const placeholder: InputTextContent = { type: 'input_text', text };
  if (item.type === 'message') {
    return { ...item, content: item.content.map((part) => (isImage(part) ? placeholder : part)) };
  }
  if (!isToolOutput(item) || typeof item.output === 'string') return item;
  return { ...item, output: item.output.map((part) => (isImage(part) ? placeholder : part)) };
}
