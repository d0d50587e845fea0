import {
  type ApprovalDecision,
  type ApprovalRequest,
  type Approvals,
  loadMcpTools,
  type McpServers,
  type McpTool,
  type McpToolOutcome,
  type ThreadSettings,
  type ToolResult,
} from '@quire/core';
import type { FunctionCallItem, JsonObject, ThreadEvent, TurnId } from '@quire/protocol';
import { describe, expect, test } from 'vitest';
import { ApprovalDesk } from '../../../src/approval/approval-desk.ts';
import { ToolRouter } from '../../../src/tools/tool-router.ts';
import { FakeClock, settings } from '../../thread/harness.ts';

const PNG = 'iVBORw0KGgo=';
const FULL: ThreadSettings['sandbox'] = { ...settings().sandbox, mode: 'danger-full-access' };
const CONFINED: ThreadSettings['sandbox'] = { ...settings().sandbox, mode: 'workspace-write' };

function mcpTool(parts: Partial<McpTool> = {}): McpTool {
  return {
    callName: 'mcp__web__find',
    server: 'web',
    name: 'find',
    description: 'Finds.',
    inputSchema: { type: 'object', properties: { q: { type: 'string' } } },
    hints: { readOnly: true },
    approvalMode: 'auto',
    parallelSafe: true,
    ...parts,
  };
}

function servers(parts: Partial<McpServers> = {}): McpServers {
  return {
    serverNames: ['web'],
    tools: [mcpTool()],
    callTool: () => Promise.resolve(answered([{ type: 'text', text: 'found' }])),
    listResources: () => Promise.resolve({ kind: 'failed', reason: 'no' }),
    readResource: () => Promise.resolve({ kind: 'failed', reason: 'no' }),
    ...parts,
  };
}

function answered(content: readonly JsonObject[], parts: Partial<Extract<McpToolOutcome, { kind: 'answered' }>> = {}) {
  return { kind: 'answered', content, structuredContent: undefined, isError: false, ...parts } as const;
}

function call(name: string, args: JsonObject | string = {}): FunctionCallItem {
  const text = typeof args === 'string' ? args : JSON.stringify(args);
  return { type: 'function_call', name, call_id: 'call-1', arguments: text };
}

/** Dispatches calls as a turn does. */
async function session(
  mcp: McpServers,
  parts: {
    readonly settings?: Partial<ThreadSettings>;
    readonly approvals?: Approvals;
    readonly signal?: AbortSignal;
  } = {},
) {
  const clock = new FakeClock();
  const { approvals, signal = new AbortController().signal } = parts;
  const person = approvals === undefined ? {} : { approvals };
  const set = (await loadMcpTools())({ servers: mcp, clock, ...person });
  const router = new ToolRouter([...set.resourceTools, ...set.tools.tools], { clock });
  const events: ThreadEvent[] = [];
  let interrupts = 0;
  const context = {
    turnId: 'turn' as TurnId,
    settings: settings({ approvalPolicy: 'on-request', sandbox: CONFINED, ...parts.settings }),
    signal,
    emit: (event: ThreadEvent) => events.push(event),
    approvals: new ApprovalDesk(person),
    interrupt: () => {
      interrupts += 1;
    },
  };
  return {
    set,
    events,
    interrupts: () => interrupts,
    run: (...[name, args]: Parameters<typeof call>): Promise<ToolResult> => router.dispatch(call(name, args), context),
  };
}

function person(...decisions: readonly ApprovalDecision[]): Approvals & { readonly asked: ApprovalRequest[] } {
  const asked: ApprovalRequest[] = [];
  return {
    asked,
    ask: (request) => {
      asked.push(request);
      return Promise.resolve(decisions[asked.length - 1] ?? { kind: 'denied' });
    },
  };
}

const item = (parts: object) => ({
  kind: 'mcp-tool-call',
  id: 'call-1',
  server: 'web',
  tool: 'find',
  arguments: { q: 'x' },
  status: 'in-progress',
  result: undefined,
  error: undefined,
  durationMs: undefined,
  ...parts,
});

test('each tool of a server is offered as a function of its own; the list changes only when the servers change [MCP-50]', async () => {
  let tools: readonly McpTool[] = [mcpTool({ inputSchema: {} })];
  const changing = {
    ...servers(),
    get tools() {
      return tools;
    },
  };
  const { set } = await session(changing);
  const [offered] = set.tools.tools;
  expect({ ...offered, spec: offered?.spec }).toMatchObject({
    name: 'mcp__web__find',
    kind: 'mcp',
    parallelSafe: true,
    spec: {
      type: 'function',
      name: 'mcp__web__find',
      description: 'Finds.',
      strict: false,
      parameters: { type: 'object', properties: {} },
    },
  });
  expect(set.tools.tools).toBe(set.tools.tools);
  const before = set.tools.tools;
  tools = [];
  expect(set.tools.tools).toEqual([]);
  expect(set.tools.tools).not.toBe(before);
});

test('a call is announced, made with the name of the server, and shown with its result [MCP-51]', async () => {
  const calls: unknown[] = [];
  const t = await session(
    servers({
      callTool: (request) => {
        calls.push(request);
        return Promise.resolve(answered([{ type: 'text', text: 'found' }]));
      },
    }),
  );
  expect(await t.run('mcp__web__find', { q: 'x' })).toEqual({
    output: '[{"type":"text","text":"found"}]',
    endItem: item({
      status: 'completed',
      durationMs: 0,
      result: { content: [{ type: 'text', text: 'found' }], structured_content: null },
    }),
  });
  expect(t.events).toEqual([{ kind: 'item-start', turnId: 'turn', item: item({}) }]);
  expect(calls).toEqual([{ server: 'web', tool: 'find', arguments: { q: 'x' } }]);
});

describe('what the model gets of a result [MCP-52]', () => {
  const image = { type: 'image', data: PNG, mimeType: 'image/png' };
  const text = { type: 'text', text: 't' };
  const link = { type: 'resource_link', uri: 'r://1', name: 'n' };
  const cases: readonly [string, McpToolOutcome, ToolResult['output'], boolean][] = [
    ['structured content goes first', answered([text], { structuredContent: { a: 1 } }), '{"a":1}', true],
    ['null as structured content is none', answered([text], { structuredContent: null }), JSON.stringify([text]), true],
    ['blocks of any kind are JSON', answered([text, link]), JSON.stringify([text, link]), true],
    ['nothing is an empty list', answered([]), '[]', true],
    [
      'images are shown',
      answered([text, image, link]),
      [
        { type: 'input_text', text: 't' },
        { type: 'input_image', image_url: `data:image/png;base64,${PNG}` },
        { type: 'input_text', text: JSON.stringify(link) },
      ],
      true,
    ],
    [
      'images that would break later requests are not',
      answered([
        { ...image, data: '<svg>' },
        { ...image, mimeType: 'image/svg+xml' },
      ]),
      [
        { type: 'input_text', text: '<an image that can not be read was left out>' },
        { type: 'input_text', text: '<an image that can not be read was left out>' },
      ],
      true,
    ],
    [
      'a model without eyes gets a word instead',
      answered([text, image]),
      JSON.stringify([text, { type: 'text', text: '<an image was left out: this model takes no images>' }]),
      false,
    ],
  ];
  test.each(cases)('%s', async (_, outcome, output, takesImages) => {
    const model = { ...settings().model, inputModalities: takesImages ? ['text', 'image'] : ['text'] };
    const t = await session(servers({ callTool: () => Promise.resolve(outcome) }), { settings: { model } });
    expect((await t.run('mcp__web__find')).output).toEqual(output);
  });
});

test('a tool that reports an error, and a server that can not be asked, are outputs [MCP-53]', async () => {
  const content = [{ type: 'text', text: 'no such page' }];
  const failing = await session(servers({ callTool: () => Promise.resolve(answered(content, { isError: true })) }));
  expect(await failing.run('mcp__web__find', { q: 'x' })).toEqual({
    output: JSON.stringify(content),
    endItem: item({
      status: 'failed',
      durationMs: 0,
      error: 'no such page',
      result: { content, structured_content: null },
    }),
    failed: true,
  });
  const gone = await session(servers({ callTool: () => Promise.resolve({ kind: 'failed', reason: 'it ended' }) }));
  expect(await gone.run('mcp__web__find', { q: 'x' })).toEqual({
    output: 'tool call failed: it ended',
    endItem: item({ status: 'failed', durationMs: 0, error: 'it ended' }),
    failed: true,
  });
  expect(await gone.run('mcp__web__find', '{"q":')).toMatchObject({
    output: expect.stringMatching(/^failed to parse function arguments: /),
    failed: true,
  });
});

test('an aborted call says so at once [MCP-54]', async () => {
  const abort = new AbortController();
  const t = await session(
    servers({
      callTool: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    }),
    { signal: abort.signal },
  );
  const running = t.run('mcp__web__find', { q: 'x' });
  await Promise.resolve();
  setImmediate(() => abort.abort(new Error('stop')));
  expect(await running).toEqual({
    output: 'Wall time: 0.1 seconds\naborted by user',
    endItem: item({ status: 'failed', durationMs: 0, error: 'aborted by user' }),
    failed: true,
  });
});

describe('who is asked before a tool runs [MCP-55]', () => {
  const never = { approvalPolicy: 'never' } as const;
  const granular = (mcpElicitations: boolean) =>
    ({
      approvalPolicy: {
        kind: 'granular',
        sandboxApproval: true,
        rules: true,
        mcpElicitations,
        requestPermissions: true,
        skillApproval: true,
      },
    }) as const;
  const cases: readonly [string, Partial<McpTool>, Partial<ThreadSettings>, 'runs' | 'asks' | 'refuses'][] = [
    ['a tool that only reads', { hints: { readOnly: true } }, {}, 'runs'],
    ['a tool that says nothing', { hints: {} }, {}, 'asks'],
    ['a tool that destroys', { hints: { readOnly: true, destructive: true } }, {}, 'asks'],
    ['a tool that adds to its own world', { hints: { destructive: false, openWorld: false } }, {}, 'runs'],
    ['a tool that adds to the open world', { hints: { destructive: false } }, {}, 'asks'],
    ['a reading tool that is always asked about', { approvalMode: 'prompt' }, {}, 'asks'],
    ['a destroying tool that never is', { approvalMode: 'approve', hints: { destructive: true } }, {}, 'runs'],
    [
      'a harmless tool that writes',
      { approvalMode: 'writes', hints: { destructive: false, openWorld: false } },
      {},
      'asks',
    ],
    ['a reading tool, asked about when it writes', { approvalMode: 'writes' }, {}, 'runs'],
    ['a tool that says nothing, policy never', { hints: {} }, never, 'refuses'],
    ['a reading tool, policy never', {}, never, 'runs'],
    ['anything, policy never and full access', { approvalMode: 'prompt' }, { ...never, sandbox: FULL }, 'runs'],
    ['a tool that says nothing, full access', { hints: {} }, { sandbox: FULL }, 'asks'],
    [
      'a tool that says nothing, questions of servers off',
      { hints: {} },
      granular(/* mcpElicitations */ false),
      'refuses',
    ],
    ['a tool that says nothing, questions of servers on', { hints: {} }, granular(/* mcpElicitations */ true), 'asks'],
  ];
  test.each(cases)('%s', async (_, parts, overrides, expected) => {
    const approvals = person({ kind: 'approved' });
    const t = await session(servers({ tools: [mcpTool(parts)] }), { settings: overrides, approvals });
    const { failed = false } = await t.run('mcp__web__find');
    expect([approvals.asked.length, failed]).toEqual(
      { runs: [0, false], asks: [1, false], refuses: [0, true] }[expected],
    );
  });
});

test('what is asked is what runs; an answer for the session holds for that tool of that server only [MCP-56]', async () => {
  const tools = [mcpTool({ hints: {} }), mcpTool({ callName: 'mcp__web__drop', name: 'drop', hints: {} })];
  const approvals = person({ kind: 'approved-for-session' }, { kind: 'denied' });
  const t = await session(servers({ tools }), { approvals });
  const request = {
    kind: 'tool',
    turnId: 'turn',
    callId: 'call-1',
    reason: undefined,
    tool: 'mcp__web__find',
    input: { q: 'x' },
  };
  for (let round = 0; round < 2; round += 1) expect((await t.run('mcp__web__find', { q: 'x' })).failed).toBe(undefined);
  expect(approvals.asked).toEqual([request]);
  const refused = await t.run('mcp__web__drop', { q: 'x' });
  expect(refused).toEqual({
    output: 'tool call rejected by user',
    endItem: item({ tool: 'drop', status: 'declined', error: 'tool call rejected by user' }),
    failed: true,
  });
  expect(approvals.asked).toEqual([request, { ...request, tool: 'mcp__web__drop' }]);
});

test('an abort as the answer ends the turn; where nobody is, the refusal names the setting [MCP-57]', async () => {
  const ending = await session(servers({ tools: [mcpTool({ hints: {} })] }), {
    approvals: person({ kind: 'aborted' }),
  });
  expect(await ending.run('mcp__web__find')).toMatchObject({ output: 'tool call rejected by user', failed: true });
  expect(ending.interrupts()).toBe(1);
  const alone = await session(servers({ tools: [mcpTool({ hints: {} })] }));
  expect((await alone.run('mcp__web__find')).output).toBe(
    'tool call refused: it needs an approval, and nobody can be asked; mcp_servers.web.tools.find.approval_mode = "approve" in config.toml allows it',
  );
  const strict = await session(servers({ tools: [mcpTool({ hints: {} })] }), { settings: { approvalPolicy: 'never' } });
  expect((await strict.run('mcp__web__find')).output).toContain(
    'the approval policy never does not let anybody be asked',
  );
});

test('forms of servers go to the person, and nowhere when the policy is never [MCP-58]', async () => {
  const elicitors: boolean[] = [];
  const answers: unknown[] = [];
  const mcp = servers({
    callTool: async (_, { elicit, signal }) => {
      elicitors.push(elicit !== undefined);
      const form = { server: 'web', message: 'Who?', schema: undefined, url: undefined };
      answers.push(await elicit?.(form, { signal }));
      return answered([]);
    },
  });
  const approvals: Approvals = {
    ...person(),
    elicit: ({ message }) => Promise.resolve({ kind: 'accepted', content: { message } }),
  };
  await (await session(mcp, { approvals })).run('mcp__web__find');
  await (await session(mcp, { approvals: person() })).run('mcp__web__find');
  await (await session(mcp, { approvals, settings: { approvalPolicy: 'never' } })).run('mcp__web__find');
  expect(elicitors).toEqual([true, false, false]);
  expect(answers).toEqual([{ kind: 'accepted', content: { message: 'Who?' } }, undefined, undefined]);
});

describe('the resource tools', () => {
  const many = (parts: Partial<McpServers> = {}): McpServers =>
    servers({
      serverNames: ['bad', 'docs', 'web'],
      listResources: ({ kind, server, cursor }) => {
        if (server === 'bad') return Promise.resolve({ kind: 'failed', reason: 'it ended' });
        const more = server === 'docs' && cursor === undefined;
        const entries = [{ uri: `${kind}:${server}:${cursor ?? 1}` }];
        return Promise.resolve({ kind: 'read', value: { entries, nextCursor: more ? '2' : undefined } });
      },
      readResource: ({ uri }) => Promise.resolve({ kind: 'read', value: { contents: [{ uri, text: 'T' }] } }),
      ...parts,
    });

  test('are there when there is a server, in order, and may overlap [MCP-59]', async () => {
    expect((await session(servers({ serverNames: [] }))).set.resourceTools).toEqual([]);
    const { resourceTools } = (await session(many())).set;
    expect(resourceTools.map(({ name, kind, parallelSafe }) => [name, kind, parallelSafe])).toEqual([
      ['list_mcp_resources', 'mcp', true],
      ['list_mcp_resource_templates', 'mcp', true],
      ['read_mcp_resource', 'mcp', true],
    ]);
    for (const { spec } of resourceTools) {
      expect(spec).toMatchObject({ strict: false, parameters: { type: 'object', additionalProperties: false } });
    }
  });

  test('list what all servers have, page by page, with those that could not be asked [MCP-60]', async () => {
    const t = await session(many());
    const listed = await t.run('list_mcp_resources', { server: null });
    const value = {
      resources: [
        { server: 'docs', uri: 'resources:docs:1' },
        { server: 'docs', uri: 'resources:docs:2' },
        { server: 'web', uri: 'resources:web:1' },
      ],
      failures: [{ server: 'bad', error: 'it ended' }],
    };
    expect(listed).toEqual({
      output: JSON.stringify(value),
      endItem: item({
        server: 'quire',
        tool: 'list_mcp_resources',
        arguments: {},
        status: 'completed',
        durationMs: 0,
        result: { content: [{ type: 'text', text: JSON.stringify(value) }], structured_content: null },
      }),
    });
    expect((await t.run('list_mcp_resource_templates', { server: 'docs' })).output).toBe(
      '{"server":"docs","resourceTemplates":[{"server":"docs","uri":"resource-templates:docs:1"}],"nextCursor":"2"}',
    );
  });

  test('read one, and answer what can not be done [MCP-61]', async () => {
    const t = await session(many());
    expect((await t.run('read_mcp_resource', { server: 'docs', uri: 'r://1' })).output).toBe(
      '{"server":"docs","uri":"r://1","contents":[{"uri":"r://1","text":"T"}]}',
    );
    const answers = await Promise.all([
      t.run('read_mcp_resource', { server: 'docs' }),
      t.run('list_mcp_resources', { cursor: '2' }),
      t.run('list_mcp_resources', { server: 'nope' }),
      t.run('list_mcp_resources', { server: 3 }),
      t.run('list_mcp_resources', { server: 'bad' }),
    ]);
    expect(answers.map(({ output, failed }) => [output, failed])).toEqual([
      ['failed to parse function arguments: missing field `uri`', true],
      ['failed to parse function arguments: `cursor` goes with a `server`', true],
      ['failed to parse function arguments: there is no MCP server "nope"; there are bad, docs, web', true],
      ['failed to parse function arguments: `server` must be a string', true],
      ['list_mcp_resources failed: it ended', true],
    ]);
  });

  test('stop at a server whose pages never end [MCP-62]', async () => {
    const t = await session(
      many({
        serverNames: ['web'],
        listResources: () => Promise.resolve({ kind: 'read', value: { entries: [{ uri: 'r' }], nextCursor: 'x' } }),
      }),
    );
    const { output } = await t.run('list_mcp_resources');
    expect(JSON.parse(String(output))).toMatchObject({ resources: { length: 16 }, failures: [{ server: 'web' }] });
  });
});
