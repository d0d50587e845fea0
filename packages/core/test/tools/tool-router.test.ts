import type { Tool, ToolContext, ToolHooks, ToolKind, ToolResult } from '@quire/core';
import type { FunctionCallItem, JsonObject, ThreadEvent, TurnId } from '@quire/protocol';
import { expect, test } from 'vitest';
import { ApprovalDesk } from '../../src/approval/approval-desk.ts';
import type { HookedCall } from '../../src/ports/index.ts';
import { type CallContext, ToolRouter } from '../../src/tools/tool-router.ts';
import { FakeClock, settings } from '../thread/harness.ts';

const clock = new FakeClock();

function tool(name: string, run: Tool['run'], parts: { readonly kind?: ToolKind; readonly safe?: boolean } = {}): Tool {
  const { kind = 'file', safe = false } = parts;
  return { name, kind, parallelSafe: safe, spec: undefined, run };
}

function answer(output: string): Promise<ToolResult> {
  return Promise.resolve({ output, endItem: undefined });
}

function call(name: string, args: JsonObject = {}): FunctionCallItem {
  return { type: 'function_call', name, call_id: `call-${name}`, arguments: JSON.stringify(args) };
}

function turnContext(events: ThreadEvent[] = [], signal = new AbortController().signal): CallContext {
  return {
    turnId: 'turn' as TurnId,
    settings: settings(),
    signal,
    emit: (event) => events.push(event),
    approvals: new ApprovalDesk({}),
    interrupt: () => undefined,
  };
}

class RecordingHooks implements ToolHooks {
  readonly seen: (readonly ['before' | 'after', HookedCall & { output?: string; succeeded?: boolean }])[] = [];
  readonly #denied: string | undefined;
  readonly #feedback: string | undefined;

  constructor(parts: { readonly denied?: string; readonly feedback?: string } = {}) {
    this.#denied = parts.denied;
    this.#feedback = parts.feedback;
  }

  before: ToolHooks['before'] = (hooked) => {
    this.seen.push(['before', hooked]);
    return Promise.resolve(this.#denied === undefined ? { kind: 'go-on' } : { kind: 'deny', reason: this.#denied });
  };

  after: ToolHooks['after'] = (hooked) => {
    this.seen.push(['after', hooked]);
    return Promise.resolve({ feedback: this.#feedback });
  };
}

test('hooks see every call before it runs and what came of it [CORE-280]', async () => {
  const hooks = new RecordingHooks({ feedback: 'mind the gap' });
  const router = new ToolRouter([tool('read', () => answer('text'), { kind: 'file' })], { clock, hooks });
  const result = await router.dispatch(call('read', { path: 'a' }), turnContext());
  const hooked = {
    turnId: 'turn',
    callId: 'call-read',
    tool: 'read',
    kind: 'file',
    input: { path: 'a' },
    cwd: settings().cwd,
  };
  expect(hooks.seen).toEqual([
    ['before', hooked],
    ['after', { ...hooked, output: 'text', succeeded: true }],
  ]);
  expect(result.output).toBe('text\n\nmind the gap');
});

test('a tool that a hook denies does not run, and the model reads the reason [CORE-281]', async () => {
  let runs = 0;
  const hooks = new RecordingHooks({ denied: 'not on a Friday' });
  const count = tool('deploy', () => {
    runs += 1;
    return answer('done');
  });
  const result = await new ToolRouter([count], { clock, hooks }).dispatch(call('deploy'), turnContext());
  expect({ runs, output: result.output, failed: result.failed }).toEqual({
    runs: 0,
    output: 'deploy was denied by a hook: not on a Friday',
    failed: true,
  });
  expect(hooks.seen.map(([moment]) => moment)).toEqual(['before']);
});

test('a tool calls another one inside of its own turn at the lock, through the same hooks [CORE-282]', async () => {
  const events: ThreadEvent[] = [];
  const hooks = new RecordingHooks();
  const inner = tool('inner', () =>
    Promise.resolve({ output: 'inner text', endItem: { kind: 'image-view', id: 'i', path: '/p.png' } }),
  );
  const outer = tool('outer', async (_call, context: ToolContext) => {
    const results = await Promise.all([context.dispatch(call('inner')), context.dispatch(call('unheard-of'))]);
    return answer(results.map(({ output }) => output).join(' | '));
  });
  const result = await new ToolRouter([outer, inner], { clock, hooks }).dispatch(call('outer'), turnContext(events));
  expect(result.output).toBe('inner text | unsupported call: unheard-of');
  expect(hooks.seen.map(([moment, { tool: name }]) => `${moment} ${name}`)).toEqual([
    'before outer',
    'before inner',
    'after inner',
    'after outer',
  ]);
  expect(events).toContainEqual({
    kind: 'item-end',
    turnId: 'turn',
    item: { kind: 'image-view', id: 'i', path: '/p.png' },
  });
});

test('of two tools with one name the first is called [CORE-283]', async () => {
  const router = new ToolRouter([tool('same', () => answer('built in')), tool('same', () => answer('other'))], {
    clock,
  });
  expect((await router.dispatch(call('same'), turnContext())).output).toBe('built in');
});

test('a call is served by the tools of the moment it arrives [CORE-284]', async () => {
  const router = new ToolRouter([], { clock });
  expect((await router.dispatch(call('late'), turnContext())).output).toBe('unsupported call: late');
  router.useTools([tool('late', () => answer('here'))]);
  expect((await router.dispatch(call('late'), turnContext())).output).toBe('here');
});

test('with tools for code only, others are called from within, and not by the model [CORE-285]', async () => {
  const inner = tool('inner', () => answer('inner text'));
  const outer = tool('js_repl', async (_call, context) =>
    answer(String((await context.dispatch(call('inner'))).output)),
  );
  const router = new ToolRouter([outer, inner], { clock }, new Set(['js_repl']));
  expect((await router.dispatch(call('js_repl'), turnContext())).output).toBe('inner text');
  expect((await router.dispatch(call('inner'), turnContext())).output).toBe(
    'inner can only be called from within js_repl: `codex.tool("inner", …)`',
  );
});

test('hooks are told of a command that is a patch [CORE-286]', async () => {
  const patch = '*** Begin Patch\n*** Delete File: a\n*** End Patch';
  const hooks = new RecordingHooks();
  const router = new ToolRouter([tool('shell', () => answer(''), { kind: 'command' })], { clock, hooks });
  await router.dispatch(call('shell', { command: ['apply_patch', patch] }), turnContext());
  await router.dispatch(call('shell', { cmd: `apply_patch <<'EOF'\n${patch}\nEOF` }), turnContext());
  await router.dispatch(call('shell', { command: 'ls' }), turnContext());
  const before = hooks.seen.filter(([moment]) => moment === 'before').map(([, hooked]) => hooked.carriesPatch === true);
  expect(before).toEqual([true, true, false]);
});
