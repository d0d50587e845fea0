import type { ResponseItem } from '@quire/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SUMMARY_PREFIX } from '../../src/compaction/history-shape.ts';
import { runCompaction } from '../../src/compaction/run-compaction.ts';
import { workLedgerMessage } from '../../src/context/fragments.ts';
import { isToolCall, isToolOutput } from '../../src/history/normalize-history.ts';
import {
  assistant,
  call,
  compaction,
  compactionInput,
  developer,
  fakeLine,
  never,
  output,
  ran,
  shape,
  user,
} from './fakes.ts';

const CONTEXT = [{ type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'context' }] }] as const;
const LEDGER = { message: workLedgerMessage('ledger'), state: {} };

const part = fc.oneof(
  fc.nat(9).map((number) => [user(`message ${number} ${'m'.repeat(number * 3_000)}`)]),
  fc.constant([user('<environment_context>old</environment_context>')]),
  fc.constant([user(`${SUMMARY_PREFIX}\nolder`)]),
  fc.constant([developer('<permissions instructions>old')]),
  fc.constant([assistant('I did something.')]),
  fc.constant(ran('c', 'make')),
  fc.constant([call('lonely', 'shell_command', {})]),
  fc.constant([output('orphan', 'x')]),
  fc.constant([{ type: 'reasoning', summary: [] } as ResponseItem]),
  fc.constant([{ type: 'ghost_snapshot', ghost_commit: {} } as ResponseItem]),
  fc.constant([compaction('earlier')]),
);

/** What a person said, by its first words. */
function personal(items: readonly ResponseItem[]): readonly string[] {
  return shape(items).flatMap((text) => /^message \d/.exec(text)?.[0] ?? []);
}

function isSubsequence(some: readonly string[], all: readonly string[]): boolean {
  let from = 0;
  return some.every((text) => {
    from = all.indexOf(text, from) + 1;
    return from > 0;
  });
}

test('any result has no call left open, the last words of a person, and all in order [CORE-202]', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 25 }),
      fc.constantFrom('endpoint', 'trigger', 'local', 'trim'),
      fc.boolean(),
      fc.constantFrom(6_000, 30_000, 200_000, undefined),
      fc.nat(5),
      async (parts, strategy, isMidTurn, targetWindow, lost) => {
        // Enough to make any compaction worth it.
        const history = [...parts.flat(), assistant('w'.repeat(400_000))];
        const before = structuredClone(history);
        const remembered = history.filter((item) => !isToolCall(item) && item.type !== 'compaction').slice(lost);
        const line = fakeLine({
          stream: [[assistant('In short.'), compaction('new')]],
          endpoint: [[...remembered.slice(0, -1), compaction('new')]],
        });
        const result = await runCompaction(
          compactionInput(history, {
            strategies: strategy === 'trim' ? ['trim'] : [strategy, 'trim'],
            form: isMidTurn ? 'mid-turn' : 'standalone',
            context: isMidTurn ? CONTEXT : [],
            ledger: LEDGER,
            targetWindow,
          }),
          line.ports,
          line.listener,
          { signal: never() },
        );

        expect(history).toEqual(before);
        if (result.kind === 'failed') throw new Error(result.failures.map(({ error }) => error.message).join('; '));
        const items = result.history;
        expect(items.filter((item) => isToolCall(item) || isToolOutput(item) || item.type === 'reasoning')).toEqual([]);
        expect(personal(items).at(-1)).toBe(personal(history).at(-1));
        expect(isSubsequence(personal(items), personal(history))).toBe(true);
        expect(items.filter((item) => item === LEDGER.message)).toHaveLength(1);
        expect(items.filter((item) => item === CONTEXT[0])).toHaveLength(isMidTurn ? 1 : 0);
        expect(shape(items).filter((text) => /^<(?:environment|permissions)/.test(text))).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});
