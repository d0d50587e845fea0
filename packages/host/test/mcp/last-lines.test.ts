import { expect, test } from 'vitest';
import { LastLines } from '../../src/mcp/last-lines.ts';

test('the last words of a server are told without the values that it was given, cut or not [SECRET-07]', () => {
  const secret = 'a-secret-of-the-server';
  const lines = new LastLines([secret, 'short']);
  lines.append(Buffer.from(`token ${secret}${'x'.repeat(395)}\nshort ${secret}\n`));
  expect(lines.text.endsWith(' | short [hidden]')).toBe(true);
  expect(lines.text).not.toContain('server');
});
