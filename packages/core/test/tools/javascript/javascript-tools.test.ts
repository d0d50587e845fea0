import type {
  ApprovalDecision,
  ApprovalRequest,
  CellOutcome,
  JavaScriptKernel,
  ThreadSettings,
  ToolContext,
  ToolResult,
} from '@quire/core';
import type { JsonValue, ThreadEvent, ToolCallItem, TurnId } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { ApprovalDesk } from '../../../src/approval/approval-desk.ts';
import { createJavaScriptTools } from '../../../src/tools/javascript/javascript-tools.ts';
import { javaScriptGuidance } from '../../../src/tools/javascript/tool-specs.ts';
import { FakeClock, settings } from '../../thread/harness.ts';

type RunOptions = Parameters<JavaScriptKernel['run']>[1];

class ScriptedKernel implements JavaScriptKernel {
  readonly cells: { readonly code: string; readonly options: RunOptions }[] = [];
  resets = 0;
  readonly #answer: (options: RunOptions) => Promise<CellOutcome>;

  constructor(answer: (options: RunOptions) => Promise<CellOutcome> = async () => done('printed')) {
    this.#answer = answer;
  }

  run(code: string, options: RunOptions): Promise<CellOutcome> {
    this.cells.push({ code, options });
    return this.#answer(options);
  }

  async reset(): Promise<void> {
    this.resets += 1;
  }

  async close(): Promise<void> {
    await this.reset();
  }
}

function done(output: string): CellOutcome {
  return { kind: 'done', output, images: [] };
}

interface Run {
  readonly result: ToolResult;
  readonly events: readonly ThreadEvent[];
  readonly dispatched: readonly ToolCallItem[];
  readonly asked: readonly ApprovalRequest[];
  readonly interrupted: boolean;
}

async function run(
  kernel: ScriptedKernel,
  call: ToolCallItem,
  parts: {
    readonly settings?: ThreadSettings;
    readonly signal?: AbortSignal;
    readonly decision?: ApprovalDecision;
    readonly nested?: ToolResult;
  } = {},
): Promise<Run> {
  const events: ThreadEvent[] = [];
  const dispatched: ToolCallItem[] = [];
  const asked: ApprovalRequest[] = [];
  let interrupted = false;
  const { decision, nested = { output: 'nested output', endItem: undefined } } = parts;
  const ask = async (request: ApprovalRequest): Promise<ApprovalDecision> => {
    asked.push(request);
    return decision ?? { kind: 'denied' };
  };
  const context: ToolContext = {
    turnId: 'turn-1' as TurnId,
    settings: parts.settings ?? settings(),
    signal: parts.signal ?? new AbortController().signal,
    emit: (event) => events.push(event),
    approvals: new ApprovalDesk(decision === undefined ? {} : { approvals: { ask } }),
    interrupt: () => {
      interrupted = true;
    },
    dispatch: async (item) => {
      dispatched.push(item);
      return nested;
    },
  };
  const name = call.type === 'local_shell_call' ? '' : call.name;
  const tool = createJavaScriptTools(kernel, new FakeClock()).find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  return { result: await tool.run(call, context), events, dispatched, asked, interrupted };
}

function cell(input: string): ToolCallItem {
  return { type: 'custom_tool_call', name: 'js_repl', call_id: 'call-1', input };
}

function functionCall(args: JsonValue, name = 'js_repl'): ToolCallItem {
  return { type: 'function_call', name, call_id: 'call-1', arguments: JSON.stringify(args) };
}

const ITEM = { kind: 'javascript', id: 'call-1', code: '1 + 1' } as const;

describe('what is run', () => {
  test('a cell runs in the directory and under the sandbox of the turn, and is shown from start to end [JS-60]', async () => {
    const kernel = new ScriptedKernel();
    const base = settings();
    const confined = { ...base, sandbox: { ...base.sandbox, mode: 'read-only' } } as const;
    const { result, events } = await run(kernel, cell('1 + 1'), { settings: confined });
    expect(kernel.cells).toEqual([
      {
        code: '1 + 1',
        options: {
          callTool: expect.any(Function) as unknown,
          cwd: base.cwd,
          confinement: { kind: 'sandbox', writableRoots: [], network: 'off' },
          timeoutMs: 30_000,
          signal: expect.any(AbortSignal) as unknown,
        },
      },
    ]);
    const item = { ...ITEM, status: 'in-progress', output: undefined, durationMs: undefined } as const;
    expect(events).toEqual([{ kind: 'item-start', turnId: 'turn-1', item }]);
    expect(result).toEqual({
      output: 'printed',
      endItem: { ...ITEM, status: 'completed', output: 'printed', durationMs: expect.any(Number) as unknown },
    });
  });

  test.each<[string, ToolCallItem, { code: string; timeoutMs: number }]>([
    ['free text', cell('x'), { code: 'x', timeoutMs: 30_000 }],
    [
      'a pragma, which stays so that lines keep their numbers',
      cell('// codex-js-repl: timeout_ms=15000\nx'),
      { code: '// codex-js-repl: timeout_ms=15000\nx', timeoutMs: 15_000 },
    ],
    ['an empty pragma', cell('// codex-js-repl:\r\nx'), { code: '// codex-js-repl:\r\nx', timeoutMs: 30_000 }],
    ['the function form', functionCall({ code: 'x' }), { code: 'x', timeoutMs: 30_000 }],
    ['the function form with a limit', functionCall({ code: 'x', timeout_ms: 99.5 }), { code: 'x', timeoutMs: 100 }],
    ['a null for what is absent', functionCall({ code: 'x', timeout_ms: null }), { code: 'x', timeoutMs: 30_000 }],
    ['a limit beyond a day', functionCall({ code: 'x', timeout_ms: 1e12 }), { code: 'x', timeoutMs: 86_400_000 }],
    ['a template string', cell('`a`'), { code: '`a`', timeoutMs: 30_000 }],
  ])('%s is understood [JS-61]', async (_, call, expected) => {
    const kernel = new ScriptedKernel();
    await run(kernel, call);
    expect(kernel.cells.map(({ code, options: { timeoutMs } }) => ({ code, timeoutMs }))).toEqual([expected]);
  });

  test.each<[string, ToolCallItem, RegExp]>([
    ['nothing', cell(' \n'), /^js_repl: there is no code/],
    ['nothing behind the pragma', cell('// codex-js-repl: timeout_ms=5\n '), /^js_repl: there is no code/],
    ['a JSON object', cell('{"code": "x"}'), /^js_repl: the input begins with a brace/],
    [
      'a JSON object behind the pragma',
      cell('// codex-js-repl:\n{"code": 1}'),
      /^js_repl: the input begins with a brace/,
    ],
    ['a JSON string', cell('  "x"'), /^js_repl: the input begins with a quotation mark/],
    ['a code fence', cell('\n```js\nx\n```'), /^js_repl: the input begins with a code fence/],
    ['an unknown setting', cell('// codex-js-repl: memory=5\nx'), /^js_repl: the first line can only set a time limit/],
    ['a limit of zero', cell('// codex-js-repl: timeout_ms=0\nx'), /^js_repl: the first line can only set/],
    ['no code', functionCall({}), /^failed to parse function arguments: missing field `code`/],
    [
      'a limit that is no number',
      functionCall({ code: 'x', timeout_ms: 'y' }),
      /^failed to parse function arguments: `timeout_ms` must be/,
    ],
    ['no object', functionCall([]), /^failed to parse function arguments: expected a JSON object/],
  ])('%s is refused with what to do, and nothing runs [JS-62]', async (_, call, message) => {
    const kernel = new ScriptedKernel();
    const { result } = await run(kernel, call);
    expect([kernel.cells, result.failed]).toEqual([[], true]);
    expect(result.output).toMatch(message);
  });

  test('the grammar takes what is understood and nothing that is refused [JS-62]', () => {
    const [tool] = createJavaScriptTools(new ScriptedKernel(), new FakeClock());
    const spec = tool?.spec;
    const grammar = spec?.type === 'custom' && spec.format.type === 'grammar' ? spec.format.definition : '';
    const pattern = (name: string): RegExp =>
      new RegExp(`^(?:${new RegExp(`^${name}: /(.*)/$`, 'm').exec(grammar)?.[1]})$`);
    const cells = ['x', '\n  x\ny', '`a`', '``', '`` x', '// note\nx'];
    const refused = ['', ' ', '{}', ' {', '"x"', '```js\nx', '\n```'];
    expect(cells.filter((text) => !pattern('CELL').test(text))).toEqual(['``']);
    expect(refused.filter((text) => pattern('CELL').test(text))).toEqual([]);
    expect(pattern('PRAGMA').test('// codex-js-repl: timeout_ms=15000')).toBe(true);
  });
});

describe('what the model is told', () => {
  const image = { url: 'data:image/png;base64,AA', detail: undefined };

  test('a failure is what was printed and then the error [JS-63]', async () => {
    const kernel = new ScriptedKernel(async () => ({
      kind: 'failed',
      output: 'before',
      images: [],
      error: 'Error: no',
    }));
    const { result } = await run(kernel, cell('1 + 1'));
    expect(result).toEqual({
      output: 'before\nError: no',
      endItem: { ...ITEM, status: 'failed', output: 'before\nError: no', durationMs: expect.any(Number) as unknown },
      failed: true,
    });
  });

  test('images follow the text, if there is any [JS-64]', async () => {
    const withText = new ScriptedKernel(async () => ({
      kind: 'done',
      output: 'two',
      images: [image, { ...image, detail: 'low' }],
    }));
    expect((await run(withText, cell('1 + 1'))).result.output).toEqual([
      { type: 'input_text', text: 'two' },
      { type: 'input_image', image_url: image.url },
      { type: 'input_image', image_url: image.url, detail: 'low' },
    ]);
    const alone = new ScriptedKernel(async () => ({ kind: 'done', output: '', images: [image] }));
    expect((await run(alone, cell('1 + 1'))).result.output).toEqual([{ type: 'input_image', image_url: image.url }]);
  });

  test.each([true, false])('original detail is kept where it is served: %s [JS-64]', async (originalImages) => {
    const kernel = new ScriptedKernel(async () => ({
      kind: 'done',
      output: '',
      images: [{ ...image, detail: 'original' }],
    }));
    const base = settings();
    const parts = { settings: { ...base, tools: { ...base.tools, originalImages } } };
    expect((await run(kernel, cell('1 + 1'), parts)).result.output).toEqual([
      { type: 'input_image', image_url: image.url, ...(originalImages ? { detail: 'original' } : {}) },
    ]);
  });

  test('long output is cut as the output of other tools is [JS-65]', async () => {
    const kernel = new ScriptedKernel(async () => done(`a${'x'.repeat(1000)}z`));
    const { result } = await run(kernel, cell('1 + 1'), { settings: settings({ toolOutputTokenLimit: 25 }) });
    expect(result.output).toMatch(/^ax+…\d+ (tokens|chars) truncated…x+z$/);
  });

  test('an abort is answered, and the item ends [JS-66]', async () => {
    const controller = new AbortController();
    const kernel = new ScriptedKernel(async (options) => {
      controller.abort(new Error('stopped'));
      throw options.signal.reason;
    });
    const { result } = await run(kernel, cell('1 + 1'), { signal: controller.signal });
    const output = expect.stringMatching(/^aborted by user after \d+\.\ds$/) as unknown;
    expect(result).toEqual({
      output,
      endItem: { ...ITEM, status: 'failed', output, durationMs: expect.any(Number) as unknown },
      failed: true,
    });
  });
});

describe('calls from within', () => {
  async function nestedCall(
    name: string,
    input: JsonValue,
    nested?: ToolResult,
  ): Promise<[JsonValue, readonly ToolCallItem[]]> {
    let answer: JsonValue = null;
    const kernel = new ScriptedKernel(async ({ callTool }) => {
      answer = await callTool(name, input);
      return done('');
    });
    const { dispatched } = await run(kernel, cell('1 + 1'), nested === undefined ? {} : { nested });
    return [answer, dispatched];
  }

  test('an object goes to a function as JSON text [JS-67]', async () => {
    expect(await nestedCall('read_file', { path: 'a' })).toEqual([
      { type: 'function_call_output', call_id: 'call-1.1', output: 'nested output' },
      [{ type: 'function_call', name: 'read_file', call_id: 'call-1.1', arguments: '{"path":"a"}' }],
    ]);
  });

  test('text goes to a free form tool as it is, and to a function when it is the JSON of an object [JS-67]', async () => {
    expect(await nestedCall('apply_patch', '*** Begin Patch')).toEqual([
      { type: 'custom_tool_call_output', call_id: 'call-1.1', output: 'nested output' },
      [{ type: 'custom_tool_call', name: 'apply_patch', call_id: 'call-1.1', input: '*** Begin Patch' }],
    ]);
    expect((await nestedCall('read_file', '{"path":"a"}'))[1]).toEqual([
      { type: 'function_call', name: 'read_file', call_id: 'call-1.1', arguments: '{"path":"a"}' },
    ]);
  });

  test('a tool that fails is an output like any other [JS-67]', async () => {
    const nested = { output: 'it failed', endItem: undefined, failed: true } as const;
    expect((await nestedCall('read_file', {}, nested))[0]).toEqual({
      type: 'function_call_output',
      call_id: 'call-1.1',
      output: 'it failed',
    });
  });

  test.each(['js_repl', 'js_repl_reset'])('%s is refused [JS-68]', async (name) => {
    expect(await nestedCall(name, {})).toEqual([
      { type: 'function_call_output', call_id: 'call-1.1', output: `${name} can not be called from within js_repl` },
      [],
    ]);
  });
});

describe('approval', () => {
  const untrusted = settings({ approvalPolicy: 'untrusted' });

  test('only the policy untrusted asks, with the code as it runs [JS-69]', async () => {
    const kernel = new ScriptedKernel();
    const { asked } = await run(kernel, cell('1 + 1'), { settings: untrusted, decision: { kind: 'approved' } });
    expect(asked).toEqual([
      { kind: 'tool', tool: 'js_repl', input: '1 + 1', turnId: 'turn-1', callId: 'call-1', reason: undefined },
    ]);
    expect(kernel.cells).toHaveLength(1);
    for (const approvalPolicy of ['never', 'on-request', 'on-failure'] as const) {
      const other = await run(new ScriptedKernel(), cell('1 + 1'), { settings: settings({ approvalPolicy }) });
      expect([other.asked, other.result.failed]).toEqual([[], undefined]);
    }
  });

  test.each([
    ['denied', { kind: 'denied' }, 'js_repl rejected by user', false],
    ['denied with words', { kind: 'denied', reason: 'not today' }, 'js_repl rejected by user: not today', false],
    ['nobody to ask', undefined, 'js_repl refused: it needs an approval, and nobody is there', false],
    ['aborted', { kind: 'aborted' }, 'js_repl rejected by user', true],
  ] as const)('without an approval nothing runs: %s [JS-69]', async (_, decision, output, interrupts) => {
    const kernel = new ScriptedKernel();
    const parts = decision === undefined ? {} : { decision };
    const { result, interrupted } = await run(kernel, cell('1 + 1'), { settings: untrusted, ...parts });
    expect(result).toEqual({
      output,
      endItem: { ...ITEM, status: 'failed', output, durationMs: undefined },
      failed: true,
    });
    expect([kernel.cells, interrupted]).toEqual([[], interrupts]);
  });
});

test('js_repl_reset ends the kernel and confirms it [JS-70]', async () => {
  const kernel = new ScriptedKernel();
  const { result } = await run(kernel, functionCall({}, 'js_repl_reset'));
  expect([kernel.resets, result]).toEqual([
    1,
    { output: 'The JavaScript kernel was reset: nothing is declared any more.', endItem: undefined },
  ]);
});

test('neither tool may overlap with another, and both are offered [JS-71]', () => {
  const tools = createJavaScriptTools(new ScriptedKernel(), new FakeClock());
  expect(tools.map(({ name, kind, parallelSafe, spec }) => [name, kind, parallelSafe, spec?.type])).toEqual([
    ['js_repl', 'javascript', false, 'custom'],
    ['js_repl_reset', 'javascript', false, 'function'],
  ]);
});

test('the guidance advises on large pictures only where they are served [JS-72]', () => {
  expect(javaScriptGuidance({ originalImages: true })).toContain('JPEG at quality 85');
  expect(javaScriptGuidance({ originalImages: false })).not.toContain('JPEG');
});
