import type { MessageItem } from '@quire/protocol';

export function userText(text: string): MessageItem {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
}

/** Text parts of a message, one below the other. */
export function plainText(item: MessageItem): string {
  const texts: string[] = [];
  for (const part of item.content) if (part.type === 'input_text' || part.type === 'output_text') texts.push(part.text);
  return texts.join('\n');
}
