import { expect, test } from 'vitest';
import { inputText, userMessage } from '../../src/context/user-message.ts';

test('images are numbered over the whole input, each between its tags [CORE-165]', () => {
  const message = userMessage([
    { kind: 'image', url: 'data:image/png;base64,AA==', path: '/repo/a "b".png' },
    { kind: 'text', text: 'compare with' },
    { kind: 'image', url: 'https://example.com/c.png' },
  ]);
  expect(message).toEqual({
    type: 'message',
    role: 'user',
    content: [
      { type: 'input_text', text: '<image name=[Image #1] path="/repo/a &quot;b&quot;.png">' },
      { type: 'input_image', image_url: 'data:image/png;base64,AA==' },
      { type: 'input_text', text: '</image>' },
      { type: 'input_text', text: 'compare with' },
      { type: 'input_text', text: '<image name=[Image #2]>' },
      { type: 'input_image', image_url: 'https://example.com/c.png' },
      { type: 'input_text', text: '</image>' },
    ],
  });
});

test('the words of an input are its texts, a line each [CORE-165]', () => {
  const image = { kind: 'image', url: 'https://example.com/c.png' } as const;
  expect(inputText([{ kind: 'text', text: 'a' }, image, { kind: 'text', text: 'b' }])).toBe('a\nb');
});
