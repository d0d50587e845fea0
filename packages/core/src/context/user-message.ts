import type { ContentPart, MessageItem, UserInput } from '@quire/protocol';

/** The history item for what a person said. Images are numbered over the whole input and wrapped in a tag. */
export function userMessage(input: readonly UserInput[]): MessageItem {
  const content: ContentPart[] = [];
  let imageNumber = 0;
  for (const part of input) {
    if (part.kind === 'text') {
      content.push({ type: 'input_text', text: part.text });
      continue;
    }
    imageNumber += 1;
    const path = part.path === undefined ? '' : ` path="${part.path.replaceAll('"', '&quot;')}"`;
    content.push(
      { type: 'input_text', text: `<image name=[Image #${imageNumber}]${path}>` },
      { type: 'input_image', image_url: part.url },
      { type: 'input_text', text: '</image>' },
    );
  }
  return { type: 'message', role: 'user', content };
}

/** The words of the input, as shown to people and kept as the turn's proof in the rollout. */
export function inputText(input: readonly UserInput[]): string {
  return input
    .filter((part) => part.kind === 'text')
    .map((part) => part.text)
    .join('\n');
}
