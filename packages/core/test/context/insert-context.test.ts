import type { ResponseItem } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { workLedgerMessage } from '../../src/context/fragments.ts';
import { insertContext } from '../../src/context/insert-context.ts';
import { userText } from './context-settings.ts';

const CONTEXT = [userText('<environment_context></environment_context>')];
const SUMMARY = userText('Summary: all of it');
const LEDGER = workLedgerMessage('Goal');
const COMPACTION: ResponseItem = { type: 'compaction', encrypted_content: 'x' };
const REPLY: ResponseItem = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'ok' }] };
const [first, last] = [userText('first'), userText('last')];

describe('the context goes into a compacted history [CORE-160]', () => {
  test.each<{ readonly where: string; readonly items: readonly ResponseItem[]; readonly index: number }>([
    { where: 'before the last message of a person', items: [first, last, LEDGER, SUMMARY], index: 1 },
    {
      where: 'before the only message of a person, behind what was before',
      items: [REPLY, first, COMPACTION],
      index: 1,
    },
    { where: 'before the summary, without a message of a person', items: [REPLY, SUMMARY], index: 1 },
    { where: 'before the ledger that belongs to the summary', items: [REPLY, LEDGER, SUMMARY], index: 1 },
    {
      where: 'before the last compaction item, without any user message',
      items: [COMPACTION, REPLY, COMPACTION],
      index: 2,
    },
    { where: 'before the ledger that belongs to a compaction item', items: [LEDGER, COMPACTION], index: 0 },
    { where: 'at the end of anything else', items: [REPLY], index: 1 },
    { where: 'into an empty history', items: [], index: 0 },
  ])('$where', ({ items, index }) => {
    const expected = [...items.slice(0, index), ...CONTEXT, ...items.slice(index)];
    expect(insertContext(items, CONTEXT, (item) => item === SUMMARY)).toEqual(expected);
  });
});
