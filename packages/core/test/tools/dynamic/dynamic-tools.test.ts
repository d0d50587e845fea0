import type { ApprovalDecision, ApprovalRequest } from '@quire/core';
import type { FunctionCallItem, ThreadEvent, TurnId } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { ApprovalDesk } from '../../../src/approval/approval-desk.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { createDynamicTools } from '../../../src/tools/dynamic/create-dynamic-tools.ts';
import type { DynamicToolDefinition } from '../../../src/tools/dynamic/dynamic-tool-definition.ts';
import type { ToolResult } from '../../../src/tools/tool.ts';
import { type CallContext, ToolRouter } from '../../../src/tools/tool-router.ts';
import { settings } from '../../thread/harness.ts';

/** Time moves only when the test says so. */
class HandClock implements Clock {
  nowMs = 1_000;
  readonly #sleeping = new Set<{ readonly untilMs: number; readonly wake: () => void }>();

  now(): number {
    return this.nowMs;
  }

  get sleepers(): number {
    return this.#sleeping.size;
  }

  sleep(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = { untilMs: this.nowMs + ms, wake: resolve };
      this.#sleeping.add(entry);
      signal.addEventListener(
        'abort',
        () => {
          this.#sleeping.delete(entry);
          reject(signal.reason as Error);
        },
        { once: true },
      );
    });
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const { untilMs, wake } of this.#sleeping) if (untilMs <= this.nowMs) wake();
  }
}

const PNG =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

function define(parts: Partial<DynamicToolDefinition> = {}): DynamicToolDefinition {
  return {
    name: 'weather',
    description: 'Tells the weather.',
    inputSchema: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
    run: async ({ city }) => `Rain in ${String(city)}.`,
    ...parts,
  };
}

function call(args: string): FunctionCallItem {
  return { type: 'function_call', name: 'weather', call_id: 'c1', arguments: args };
}

interface Given {
  readonly clock?: HandClock;
  readonly signal?: AbortSignal;
  readonly decision?: ApprovalDecision;
}

class Bench {
  readonly events: ThreadEvent[] = [];
  readonly requests: ApprovalRequest[] = [];
  interrupted = 0;
  readonly clock: HandClock;
  readonly #router: ToolRouter;
  readonly #context: CallContext;

  constructor(definition: DynamicToolDefinition, given: Given = {}) {
    const { decision } = given;
    this.clock = given.clock ?? new HandClock();
    this.#router = new ToolRouter(createDynamicTools([definition], this.clock).tools, { clock: this.clock });
    const ask = async (request: ApprovalRequest): Promise<ApprovalDecision> => {
      this.requests.push(request);
      return decision ?? { kind: 'denied' };
    };
    this.#context = {
      turnId: 'turn' as TurnId,
      settings: settings(),
      signal: given.signal ?? new AbortController().signal,
      emit: (event) => this.events.push(event),
      approvals: new ApprovalDesk(decision === undefined ? {} : { approvals: { ask } }),
      interrupt: () => {
        this.interrupted += 1;
      },
    };
  }

  run(args = '{"city":"Oslo"}'): Promise<ToolResult> {
    return this.#router.dispatch(call(args), this.#context);
  }
}

const ITEM = { kind: 'dynamic-tool-call', id: 'c1', tool: 'weather', arguments: { city: 'Oslo' } } as const;

test('a function is offered with its schema, and its text is what the model gets [DYN-01] [DYN-06]', async () => {
  const inputSchema = { type: 'object', properties: {} };
  const [tool] = createDynamicTools([define({ inputSchema })], new HandClock()).tools;
  Object.assign(inputSchema.properties, { later: 'changed' });
  expect(tool?.spec).toEqual({
    type: 'function',
    name: 'weather',
    description: 'Tells the weather.',
    strict: false,
    parameters: { type: 'object', properties: {} },
  });
  expect([tool?.kind, tool?.parallelSafe]).toEqual(['dynamic', false]);

  let seen: unknown;
  const clock = new HandClock();
  const bench = new Bench(
    define({
      run: async (input, { callId, signal }) => {
        seen = { input, callId, aborted: signal.aborted };
        clock.advance(/* ms */ 250);
        return 'Rain.';
      },
    }),
    { clock },
  );
  const result = await bench.run();
  expect(seen).toEqual({ input: { city: 'Oslo' }, callId: 'c1', aborted: false });
  expect(result).toEqual({
    output: 'Rain.',
    endItem: { ...ITEM, status: 'completed', output: 'Rain.', durationMs: 250 },
  });
  const item = { ...ITEM, status: 'in-progress', output: undefined, durationMs: undefined };
  expect(bench.events).toEqual([{ kind: 'item-start', turnId: 'turn', item }]);
  expect(clock.sleepers).toBe(0);
});

test('the tools of a source stay the very same list [DYN-01]', () => {
  const source = createDynamicTools([define(), define({ name: 'Other-1', parallelSafe: true })], new HandClock());
  expect(source.tools).toBe(source.tools);
  expect(source.tools.map((tool) => [tool.name, tool.parallelSafe])).toEqual([
    ['weather', false],
    ['Other-1', true],
  ]);
});

describe('arguments that do not fit never reach the function [DYN-07]', () => {
  test.each([
    [
      '{"city":7,"more":1}',
      'arguments of weather do not fit its schema: `city` must be string, found integer; `more` is not known here; known are city',
    ],
    ['{}', 'arguments of weather do not fit its schema: `city` is missing'],
    ['[]', 'failed to parse function arguments: expected a JSON object'],
  ])('%s', async (args, message) => {
    const bench = new Bench(define({ run: () => Promise.reject(new Error('it ran')) }));
    expect(await bench.run(args)).toEqual({
      output: message,
      endItem: { kind: 'tool-error', id: 'c1', tool: 'weather', message },
      failed: true,
    });
    expect(bench.events).toEqual([]);
  });
});

describe('what a function gives back [DYN-08]', () => {
  test('may be text and pictures', async () => {
    const bench = new Bench(
      define({
        run: async () => [
          { type: 'text', text: 'a\uD800b' },
          { type: 'image', url: PNG },
          { type: 'image', url: 'https://example.org/a.png' },
        ],
      }),
    );
    const { output, endItem } = await bench.run();
    expect(output).toEqual([
      { type: 'input_text', text: 'a\uFFFDb' },
      { type: 'input_image', image_url: PNG },
      { type: 'input_image', image_url: 'https://example.org/a.png' },
    ]);
    expect(endItem).toMatchObject({ status: 'completed', output: 'a\uFFFDb\n[picture]\n[picture]' });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty text', ''],
    ['an empty list', []],
  ])('%s is told as no output', async (_title, value) => {
    const bench = new Bench(define({ run: async () => value as string }));
    expect((await bench.run()).output).toBe('(no output)');
  });

  test.each<[string, unknown, string]>([
    ['a number', 7, 'it gave back something that is neither text nor a list of parts'],
    ['null', null, 'it gave back something that is neither text nor a list of parts'],
    [
      'a part of another kind',
      [null],
      'it gave back a part that is neither { type: "text", text } nor { type: "image", url }',
    ],
    [
      'a text part without text',
      [{ type: 'text' }],
      'it gave back a part that is neither { type: "text", text } nor { type: "image", url }',
    ],
    [
      'a broken picture',
      [{ type: 'image', url: 'data:image/png;base64,AAAA' }],
      'it gave back a picture that is no PNG, JPEG, WebP or GIF file',
    ],
    [
      'a file as a picture',
      [{ type: 'image', url: 'file:///etc/passwd' }],
      'it gave back a picture that is no PNG, JPEG, WebP or GIF file',
    ],
  ])('%s is a failure that says so [DYN-09]', async (_title, value, reason) => {
    const bench = new Bench(define({ run: async () => value as string }));
    expect(await bench.run()).toEqual({
      output: `weather failed: ${reason}`,
      endItem: { ...ITEM, status: 'failed', output: `weather failed: ${reason}`, durationMs: 0 },
      failed: true,
    });
  });
});

test.each<[string, DynamicToolDefinition['run'], string]>([
  ['rejects', () => Promise.reject(new TypeError('no such city')), 'weather failed: no such city'],
  [
    'throws at once',
    () => {
      throw new Error('not ready');
    },
    'weather failed: not ready',
  ],
  ['rejects with no error', () => Promise.reject('plain'), 'weather failed: plain'],
])('a function that %s is told by its message alone [DYN-10]', async (_title, run, output) => {
  const result = await new Bench(define({ run })).run();
  expect(result).toEqual({ output, endItem: { ...ITEM, status: 'failed', output, durationMs: 0 }, failed: true });
});

test('a function that never answers ends with its time, and is told so [DYN-11]', async () => {
  const clock = new HandClock();
  let given: AbortSignal | undefined;
  const bench = new Bench(
    define({
      timeoutMs: 1_500,
      run: (_input, { signal }) => {
        given = signal;
        queueMicrotask(() => clock.advance(/* ms */ 1_500));
        return new Promise(() => undefined);
      },
    }),
    { clock },
  );
  const output = 'weather failed: no answer within its time of 1.5 seconds';
  expect(await bench.run()).toEqual({
    output,
    endItem: { ...ITEM, status: 'failed', output, durationMs: 1_500 },
    failed: true,
  });
  expect(given?.aborted).toBe(true);
});

test('an interrupted turn lets go of the function at once [DYN-12]', async () => {
  const abort = new AbortController();
  const clock = new HandClock();
  const bench = new Bench(
    define({
      run: () => {
        queueMicrotask(() => abort.abort(new Error('stop')));
        return new Promise(() => undefined);
      },
    }),
    { signal: abort.signal, clock },
  );
  const output = 'aborted by user after 0.1s';
  expect(await bench.run()).toEqual({
    output,
    endItem: { ...ITEM, status: 'failed', output, durationMs: 0 },
    failed: true,
  });
  expect(clock.sleepers).toBe(0);
});

describe('a tool that needs an approval', () => {
  test('shows exactly what would run, and runs once it is allowed [DYN-13]', async () => {
    const bench = new Bench(define({ needsApproval: true }), { decision: { kind: 'approved' } });
    expect((await bench.run()).output).toBe('Rain in Oslo.');
    expect(bench.requests).toEqual([
      { kind: 'tool', turnId: 'turn', callId: 'c1', reason: undefined, tool: 'weather', input: { city: 'Oslo' } },
    ]);
    await bench.run();
    expect(bench.requests).toHaveLength(2);
  });

  test('is not asked about again when it was allowed for the session [DYN-13]', async () => {
    const bench = new Bench(define({ needsApproval: true }), { decision: { kind: 'approved-for-session' } });
    await bench.run();
    await bench.run();
    expect(bench.requests).toHaveLength(1);
  });

  test.each<[string, ApprovalDecision | undefined, string, number]>([
    ['denied', { kind: 'denied' }, 'tool call rejected by user', 0],
    ['aborted', { kind: 'aborted' }, 'tool call rejected by user', 1],
    ['nobody there', undefined, 'tool call refused: it needs an approval, and nobody is there', 0],
  ])('%s: it does not run [DYN-14]', async (_title, decision, output, interrupted) => {
    const run = () => Promise.reject(new Error('it ran'));
    const bench = new Bench(define({ needsApproval: true, run }), decision === undefined ? {} : { decision });
    expect(await bench.run()).toEqual({
      output,
      endItem: { ...ITEM, status: 'failed', output, durationMs: undefined },
      failed: true,
    });
    expect(bench.interrupted).toBe(interrupted);
  });
});

describe('a definition that can not work is refused when it is given [DYN-15]', () => {
  test.each<[string, readonly Partial<DynamicToolDefinition>[], string]>([
    ['an empty name', [{ name: '' }], 'dynamic tool "": a name has 1 to 64 letters, digits, underscores and hyphens'],
    ['a blank', [{ name: 'a b' }], 'dynamic tool "a b": a name has 1 to 64 letters, digits, underscores and hyphens'],
    [
      'a long name',
      [{ name: 'n'.repeat(65) }],
      `dynamic tool "${'n'.repeat(65)}": a name has 1 to 64 letters, digits, underscores and hyphens`,
    ],
    [
      'a built-in name',
      [{ name: 'shell' }],
      'dynamic tool "shell": the name belongs to a built-in tool or to a server; choose another',
    ],
    [
      "a server's name",
      [{ name: 'mcp__a__b' }],
      'dynamic tool "mcp__a__b": the name belongs to a built-in tool or to a server; choose another',
    ],
    ['a name twice', [{}, {}], 'dynamic tool "weather": two tools have this name'],
    ['no function', [{ run: 'x' as never }], 'dynamic tool "weather": run must be a function'],
    ['no description', [{ description: undefined as never }], 'dynamic tool "weather": description must be a string'],
    ['no time', [{ timeoutMs: 0 }], 'dynamic tool "weather": timeoutMs must be more than 0 and at most 2147483647'],
    [
      'time that is no number',
      [{ timeoutMs: Number.NaN }],
      'dynamic tool "weather": timeoutMs must be more than 0 and at most 2147483647',
    ],
    [
      'a schema of something else',
      [{ inputSchema: { type: 'string' } }],
      'dynamic tool "weather": inputSchema: # must have type "object"',
    ],
    [
      'no schema',
      [{ inputSchema: undefined as never }],
      'dynamic tool "weather": inputSchema: # must have type "object"',
    ],
    [
      'a broken schema',
      [{ inputSchema: { type: 'object', properties: { a: 1 } } }],
      'dynamic tool "weather": inputSchema: #/properties/a is no schema: it must be an object or a boolean',
    ],
  ])('%s', (_title, parts, message) => {
    expect(() => createDynamicTools(parts.map(define), new HandClock())).toThrow(message);
  });
});
