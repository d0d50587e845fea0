import { describe, expect, test } from 'vitest';
import { renderHistoryChange } from '../../src/index.ts';
import { userMessage } from '../support/client.ts';
import { call, IMAGE, message, output, PERMISSIONS } from '../support/items.ts';

const before = [message('developer', PERMISSIONS), userMessage('a'), call('x'), output('x'), userMessage('b')];

describe('the change of a history', () => {
  test('by a compaction tells what was kept, dropped and added, in order [SIM-175]', () => {
    const after = [userMessage('a'), userMessage('b'), { type: 'compaction', encrypted_content: 'x' }];

    expect(renderHistoryChange(before, after)).toBe(
      `kept 2, dropped 3, added 1
- message developer: <permissions instructions>
  message user: a
- function_call look call 1: {"path":"a.png"}
- function_call_output call 1: done
  message user: b
+ compaction: (encrypted)`,
    );
  });

  test('by a quarantine shows both forms of the item [SIM-175]', () => {
    const item = (part: typeof IMAGE) => output('x', [{ type: 'input_text', text: 'see' }, part]);

    expect(renderHistoryChange([item(IMAGE)], [item({ type: 'input_text', text: 'no image' })])).toBe(
      `kept 0, dropped 1, added 1
- function_call_output call 1:
-   - see
-   - image <image/png, 8 bytes>
+ function_call_output call 1:
+   - see
+   - no image`,
    );
  });

  test('by nothing, and to nothing [SIM-175]', () => {
    expect(renderHistoryChange([userMessage('a')], [userMessage('a')])).toBe(
      'kept 1, dropped 0, added 0\n  message user: a',
    );
    expect(renderHistoryChange([userMessage('a')], [])).toBe('kept 0, dropped 1, added 0\n- message user: a');
    expect(renderHistoryChange([], [])).toBe('kept 0, dropped 0, added 0');
  });
});
