import { expect, test } from 'vitest';
import { childContext, formatTraceparent, parseTraceContext } from '../../src/trace/trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test.each([
  [`00-${TRACE}-${SPAN}-01`, true],
  [` 00-${TRACE}-${SPAN}-00 `, false],
  [`00-${TRACE}-${SPAN}-03`, true],
  [`cc-${TRACE}-${SPAN}-01-what-a-later-version-adds`, true],
])('%j is a trace context [TEL-60]', (text, isSampled) => {
  expect(parseTraceContext(text, /* tracestate */ undefined)).toEqual({
    traceId: TRACE,
    spanId: SPAN,
    isSampled,
    state: undefined,
  });
});

test.each([
  undefined,
  '',
  'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}`,
])('%j is none [TEL-60]', (text) => {
  expect(parseTraceContext(text, 'a=b')).toBe(undefined);
});

test('a state is passed on unless no header can carry it [TEL-60]', () => {
  const stateOf = (state: string): string | undefined => parseTraceContext(`00-${TRACE}-${SPAN}-01`, state)?.state;
  expect([stateOf('a=b,c=d'), stateOf(' '), stateOf('a=\u00e9'), stateOf('a=\nb'), stateOf('a'.repeat(513))]).toEqual([
    'a=b,c=d',
    ...Array(4).fill(undefined),
  ]);
});

test('a child keeps trace, sampling and state, and has an id of its own [TEL-60]', () => {
  const parent = { traceId: TRACE, spanId: SPAN, isSampled: false, state: 'a=b' };
  const child = childContext(parent);
  expect(child).toEqual({ ...parent, spanId: expect.stringMatching(/^[0-9a-f]{16}$/) });
  expect(child.spanId).not.toBe(SPAN);
  expect(formatTraceparent(childContext(/* parent */ undefined))).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});
