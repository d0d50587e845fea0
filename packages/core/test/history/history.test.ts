import type { ResponseItem } from '@quire/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUserTurnBoundary } from '../../src/context/fragments.ts';
import { History, withoutLastUserTurns, withoutOldest } from '../../src/history/history.ts';
import { anyItem, assistant, call, developer, output, user } from './arbitrary-items.ts';

const environment = user('<environment_context>x</environment_context>');
const permissions = developer('<permissions instructions>x');
const mixed = developer('<permissions instructions>x', 'be kind');
const plain = developer('be kind');

describe('dropping the last user turns', () => {
  const one = [user('one'), assistant('1')];
  const two = [user('two'), call('a'), output('a'), assistant('2')];

  test.each<[string, ResponseItem[], number, ReturnType<typeof withoutLastUserTurns>]>([
    ['no turn asked for', [...one], 0, { items: one, changed: false, clearsBaseline: false }],
    [
      'no turn there',
      [permissions, environment, assistant('1')],
      1,
      { items: [permissions, environment, assistant('1')], changed: false, clearsBaseline: false },
    ],
    [
      'the last turn',
      [environment, ...one, ...two],
      1,
      { items: [environment, ...one], changed: true, clearsBaseline: false },
    ],
    [
      'the context told before it',
      [environment, ...one, permissions, environment, ...two],
      1,
      { items: [environment, ...one], changed: true, clearsBaseline: false },
    ],
    [
      'a context with text of no tag',
      [...one, mixed, environment, ...two],
      1,
      { items: one, changed: true, clearsBaseline: true },
    ],
    [
      'instructions without any tag stay',
      [...one, plain, environment, ...two],
      1,
      { items: [...one, plain], changed: true, clearsBaseline: false },
    ],
    [
      'all turns',
      [mixed, environment, ...one, ...two],
      2,
      { items: [mixed, environment], changed: true, clearsBaseline: false },
    ],
    ['more than there are', [mixed, ...one, ...two], 9, { items: [mixed], changed: true, clearsBaseline: false }],
  ])('cuts exactly what belongs to them: %s [CORE-116]', (_, items, count, expected) => {
    expect(withoutLastUserTurns(items, count)).toEqual(expected);
  });

  const anything = fc.oneof(
    anyItem,
    fc.constantFrom<ResponseItem>(environment, permissions, mixed, plain, user('a'), user('b')),
  );

  test('keeps a beginning of the history with as many turns less, whatever it holds [CORE-117]', () => {
    fc.assert(
      fc.property(fc.array(anything), fc.integer({ min: -1, max: 6 }), (items, count) => {
        const turns = items.filter(isUserTurnBoundary).length;
        const cut = withoutLastUserTurns(items, count);
        expect(cut.items).toEqual(items.slice(0, cut.items.length));
        expect(cut.changed).toBe(count >= 1 && turns > 0);
        expect(cut.items.filter(isUserTurnBoundary).length).toBe(Math.max(0, turns - Math.max(0, count)));
        const first = items.findIndex(isUserTurnBoundary);
        expect(cut.items.length).toBeGreaterThanOrEqual(first === -1 ? items.length : first);
      }),
    );
  });

  test('by one and then by the rest cuts the same as all at once [CORE-117]', () => {
    fc.assert(
      fc.property(fc.array(anything), fc.integer({ min: 1, max: 4 }), (items, count) => {
        const stepwise = withoutLastUserTurns(withoutLastUserTurns(items, /* count */ 1).items, count);
        const turns = items.filter(isUserTurnBoundary).length;
        if (turns > count) expect(stepwise.items).toEqual(withoutLastUserTurns(items, count + 1).items);
      }),
    );
  });
});

describe('removing the oldest item', () => {
  test('takes its partner along, wherever it stands [CORE-118]', () => {
    const items = [call('a'), call('b'), output('b'), output('a'), user('hi')];
    expect(withoutOldest(items)).toEqual([call('b'), output('b'), user('hi')]);
    expect(withoutOldest([user('hi'), ...items])).toEqual(items);
    expect(withoutOldest([call('a')])).toEqual([]);
    expect(withoutOldest([])).toEqual([]);
  });
});

describe('history', () => {
  test('has a version that grows with each rewrite and not with what is added [CORE-119]', () => {
    const history = new History([user('one'), assistant('1')]);
    history.append(user('two'));
    expect(history.version).toBe(0);
    history.rewrite(/* index */ 1, assistant('one'));
    history.rewrite(/* index */ 0, /* replacement */ undefined);
    expect([history.version, history.items]).toEqual([2, [assistant('one'), user('two')]]);
    const { items: same, ...none } = withoutLastUserTurns(history.items, /* count */ 0);
    expect([none, same]).toEqual([{ changed: false, clearsBaseline: false }, history.items]);
    expect(history.version).toBe(2);
    const { items: before, ...cut } = withoutLastUserTurns(history.items, /* count */ 1);
    expect(cut).toEqual({ changed: true, clearsBaseline: false });
    history.replace(before);
    history.replace([user('new')]);
    expect([history.version, history.items]).toEqual([4, [user('new')]]);
    expect(() => history.rewrite(/* index */ 7, /* replacement */ undefined)).toThrow(RangeError);
  });

  test('gives what it held to those who asked before a rewrite [CORE-119]', () => {
    const history = new History([user('one')]);
    const before = history.items;
    history.replace([]);
    expect(before).toEqual([user('one')]);
    history.replace(before);
    expect(history.items).toEqual([user('one')]);
  });

  test('finds the item that a place of a request stands for, also behind a repair [CORE-104]', () => {
    const image = { type: 'input_image', image_url: 'data:image/png;base64,AAAA' } as const;
    const history = new History([
      { type: 'ghost_snapshot', ghost_commit: {} },
      { type: 'message', role: 'user', content: [image] },
      call('a'),
    ]);
    const input = history.forPrompt({ acceptsImages: false });
    expect(input.map((item) => history.indexOf(item))).toEqual([1, 2, 2]);
    expect(history.indexOf(user('elsewhere'))).toBeUndefined();
  });
});
