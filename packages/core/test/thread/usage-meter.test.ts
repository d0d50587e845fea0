import { type ResponseItem, type TokenUsage, ZERO_USAGE } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { estimateTokens } from '../../src/history/estimate-tokens.ts';
import { UsageMeter } from '../../src/thread/usage-meter.ts';
import { assistant, call, output, user } from '../history/arbitrary-items.ts';

const INSTRUCTIONS = 'x'.repeat(40);
const WINDOW = 258_400;
const used = ({ input, output: written = 0 }: { readonly input: number; readonly output?: number }): TokenUsage => ({
  ...ZERO_USAGE,
  inputTokens: input,
  outputTokens: written,
  totalTokens: input + written,
});
const reasoning: ResponseItem = { type: 'reasoning', summary: [], encrypted_content: 'x'.repeat(8_000) };
const REASONING_TOKENS = Math.ceil((6_000 - 650) / 4);

function meterAfter(usage: TokenUsage): UsageMeter {
  const meter = new UsageMeter(/* seed */ undefined, WINDOW);
  meter.add(usage);
  return meter;
}

describe('the active context', () => {
  test('is what the server counted and what it has not seen [CORE-83]', () => {
    const unseen = [output('a', 'x'.repeat(400)), user('more')];
    const active = meterAfter(used({ input: 1_000 })).activeTokens([user('go'), call('a'), ...unseen], INSTRUCTIONS);
    expect(active).toBe(1_000 + estimateTokens(unseen));
  });

  test('adds earlier encrypted reasoning unless the server counts it [CORE-84]', () => {
    const items = [user('one'), reasoning, assistant('1'), user('two'), reasoning, assistant('2')];
    const meter = meterAfter(used({ input: 100 }));
    expect(meter.activeTokens(items, INSTRUCTIONS)).toBe(100 + REASONING_TOKENS);
    meter.noteReasoningIncluded();
    expect(meter.activeTokens(items, INSTRUCTIONS)).toBe(100);
  });

  test('is an estimate of everything as long as the server counted none of it [CORE-120]', () => {
    const items = [user('one'), reasoning, assistant('1'), user('two')];
    const estimate = 10 + estimateTokens(items);
    const meter = new UsageMeter(/* seed */ undefined, WINDOW);
    expect(meter.activeTokens(items, INSTRUCTIONS)).toBe(estimate);
    meter.addOnly(used({ input: 5_000 }));
    expect(meter.activeTokens(items, INSTRUCTIONS)).toBe(estimate);
    expect(meterAfter(used({ input: 5_000 })).activeTokens([user('two')], INSTRUCTIONS)).toBe(
      10 + estimateTokens([user('two')]),
    );
  });

  test('is estimated anew after a rewrite until the server has counted again [CORE-121]', () => {
    const compacted = [user('one'), user('summary')];
    const meter = meterAfter(used({ input: 90_000, output: 1_000 }));
    expect(meter.estimateInstead(compacted, INSTRUCTIONS)).toBe(10 + estimateTokens(compacted));
    expect(meter.current).toEqual({
      total: used({ input: 90_000, output: 1_000 }),
      last: { ...ZERO_USAGE, totalTokens: 10 + estimateTokens(compacted) },
      contextWindow: WINDOW,
    });
    const later = [...compacted, user('two'), assistant('2')];
    expect(meter.activeTokens(later, INSTRUCTIONS)).toBe(10 + estimateTokens(later));
    const resumed = new UsageMeter(meter.current, WINDOW);
    expect(resumed.activeTokens(later, INSTRUCTIONS)).toBe(10 + estimateTokens(later));
    meter.add(used({ input: 300 }));
    expect(meter.activeTokens(later, INSTRUCTIONS)).toBe(300);
  });

  test('is the whole window once the server refused, also after a resume [CORE-122]', () => {
    const meter = meterAfter(used({ input: 1_000 }));
    expect(meter.fill()).toBe(true);
    expect(meter.activeTokens([user('go')], INSTRUCTIONS)).toBe(WINDOW);
    expect(meter.percentLeft()).toBe(0);
    expect(new UsageMeter(meter.current).activeTokens([user('go')], INSTRUCTIONS)).toBe(WINDOW);
    expect(new UsageMeter(/* seed */ undefined).fill()).toBe(false);
  });

  test('of five thousand items is told in a moment [CORE-108]', () => {
    const items = Array.from({ length: 1_250 }, (_, index) => [
      user('go'),
      { ...reasoning },
      call(`c${index}`),
      output(`c${index}`),
    ]).flat();
    const meter = meterAfter(used({ input: 1_000 }));
    meter.activeTokens(items, INSTRUCTIONS);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 20; round += 1) {
      const start = performance.now();
      meter.activeTokens(items, INSTRUCTIONS);
      best = Math.min(best, performance.now() - start);
    }
    expect(best).toBeLessThan(5);
  });
});

describe('the usage of a thread', () => {
  test('sums what every request used; those beside the conversation do not measure it [CORE-123]', () => {
    const meter = meterAfter(used({ input: 100, output: 10 }));
    meter.addOnly(used({ input: 1_000, output: 50 }));
    expect(meter.current).toEqual({
      total: used({ input: 1_100, output: 60 }),
      last: used({ input: 100, output: 10 }),
      contextWindow: WINDOW,
    });
    meter.setContextWindow(/* contextWindow */ 20_000);
    expect(meter.add(used({ input: 200, output: 20 }))).toEqual({
      total: used({ input: 1_300, output: 80 }),
      last: used({ input: 200, output: 20 }),
      contextWindow: 20_000,
    });
  });

  test('tells the percentage left without what every request takes, between 0 and 100 [CORE-85]', () => {
    const percent = ([window, total]: readonly [number | undefined, number]) => {
      const meter = new UsageMeter(/* seed */ undefined, window);
      meter.add(used({ input: total }));
      return meter.percentLeft();
    };
    expect([
      percent([12_000, 0]),
      percent([WINDOW, 0]),
      percent([WINDOW, 12_000]),
      percent([WINDOW, 135_200]),
      percent([WINDOW, 999_999]),
      percent([undefined, 1]),
      new UsageMeter(/* seed */ undefined, WINDOW).percentLeft(),
    ]).toEqual([0, 100, 100, 50, 0, undefined, 100]);
  });
});
