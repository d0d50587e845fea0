import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject, JsonValue } from '@quire/protocol';
import { customToolCall, functionCall, type Output, type RecordedRequest, rawItem } from '@quire/simulator';
import { PNG, type Round, seen } from './tool-scene.ts';

/** Where a call is made, and what tells it from all others. */
export interface Place {
  readonly repository: string;
  /** Unique on the machine: fit for `sleep` and for names. */
  readonly mark: string;
}

type Arguments = (place: Place, request: RecordedRequest) => JsonObject | string;

/** When a call that is to be cancelled is under way. */
export type Moment = 'process' | 'item' | 'approval' | 'question' | 'look' | 'hook';

export interface ToolRow {
  readonly tool: string;
  /** What tells rows of one tool apart. */
  readonly title: string;
  readonly kind: string;
  readonly form: 'function' | 'custom' | 'local-shell';
  /** Calls that have to be made first. */
  readonly before?: (place: Place) => readonly Round[];
  readonly args: Arguments;
  /** The whole of what the model is told. */
  readonly output: (place: Place) => RegExp;
  /** Arguments of the wrong type, and what is told of them. Absent: any object is taken. */
  readonly wrong?: { readonly args: JsonObject | string; readonly output: RegExp };
  /** Absent: nobody is ever asked. */
  readonly approval?: {
    /** A call that prints what it was started as, where there is a process. */
    readonly args: Arguments;
    readonly request: (place: Place) => JsonObject;
    readonly output: (place: Place) => RegExp;
    readonly denied: RegExp;
  };
  readonly cancel: {
    readonly moment: Moment;
    readonly tool?: string;
    readonly before?: (place: Place) => readonly Round[];
    readonly args?: Arguments;
    readonly output: RegExp;
    /** Processes with the mark that go on: a session is ended by the thread, not by a look at it. */
    readonly survivors?: number;
  };
}

const WRONG = /^failed to parse function arguments: /;
const ABORTED_COMMAND = /^Wall time: \d+\.\d seconds\naborted by user$/;
const ABORTED = /^aborted by user after \d+\.\ds$/;
const BY_HOOK = { moment: 'hook', output: ABORTED } as const;

export function callOf(row: Pick<ToolRow, 'tool' | 'form'>, callId: string, args: JsonObject | string): Output {
  switch (row.form) {
    case 'function':
      return functionCall(callId, row.tool, args);
    case 'custom':
      return customToolCall(callId, row.tool, String(args));
    case 'local-shell':
      return rawItem({
        type: 'local_shell_call',
        id: `ls_${callId}`,
        call_id: callId,
        status: 'completed',
        action: args as JsonObject,
      });
  }
}

function whole(text: string): RegExp {
  return new RegExp(`^${text}$`);
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function json(value: JsonValue): string {
  return literal(JSON.stringify(value));
}

/** Where the environment names none. */
const SHELL = '/bin/bash';
const PRINT = 'echo one; pwd';
const REVEAL = `tr '\\0' '|' < /proc/$$/cmdline; pwd`;

function linger({ mark }: Place): string {
  return `setsid sleep ${mark} & (setsid sh -c '(sleep ${mark} &)'); sleep ${mark} | cat`;
}

function programOutput(text: string): RegExp {
  return whole(`\\{"output":${text},"metadata":\\{"exit_code":0,"duration_seconds":\\d+(\\.\\d)?\\}\\}`);
}

function textOutput(text: string): RegExp {
  return whole(`Exit code: 0\nWall time: \\d+(\\.\\d)? seconds\nOutput:\n${text}`);
}

function sessionOutput(text: string): RegExp {
  return whole(
    `Chunk ID: [0-9a-f]{6}\nWall time: \\d+\\.\\d{4} seconds\nProcess exited with code 0\nOriginal token count: \\d+\nOutput:\n${text}`,
  );
}

function patch(name: string): string {
  return `*** Begin Patch\n*** Add File: ${name}\n+one\n*** End Patch`;
}

function patchOutput({ mark }: Place): RegExp {
  return textOutput(`Success\\. Updated the following files:\nA ${mark}\\.txt\n`);
}

const patchApproval = (args: Arguments): NonNullable<ToolRow['approval']> => ({
  args,
  request: ({ repository, mark }) => ({
    kind: 'patch',
    reason: 'the approval policy is untrusted',
    changes: [{ kind: 'add', path: join(repository, `${mark}.txt`) }],
  }),
  output: patchOutput,
  denied: /^patch rejected by user: not today$/,
});

function commandRequest(place: Place, argv: readonly string[], environment: JsonObject = {}): JsonObject {
  return {
    kind: 'command',
    reason: null,
    argv,
    cwd: place.repository,
    environment,
    unconfined: false,
    proposedRule: null,
  };
}

const REJECTED_COMMAND = /^exec command rejected by user: not today$/;

/** An agent that has finished its first task. */
function spawned(message: string): readonly Round[] {
  return [() => [functionCall(`spawn-${message}`, 'spawn_agent', { message })]];
}

function rested(message: string): readonly Round[] {
  return [
    ...spawned(message),
    (request) => [functionCall(`rest-${message}`, 'wait', { ids: [agentId(request, message)] })],
  ];
}

function agentId(request: RecordedRequest, message: string): string {
  return String((JSON.parse(seen(request, `spawn-${message}`)) as JsonObject)['agent_id']);
}

function sessionId(request: RecordedRequest, callId: string): number {
  return Number(/session ID (\d+)/.exec(seen(request, callId))?.[1]);
}

function openTerminal(mark: string, cmd: string): readonly Round[] {
  return [
    () => [
      functionCall(`open-${mark}`, 'exec_command', {
        cmd,
        login: false,
        tty: true,
        yield_time_ms: 250,
        shell: '/bin/sh',
      }),
    ],
  ];
}

const QUESTION = {
  questions: [
    { id: 'q', header: 'Colour', question: 'Which?', options: [{ label: 'Red', description: 'Like blood.' }] },
  ],
};

const COMMAND_ROWS: readonly ToolRow[] = [
  {
    tool: 'shell',
    title: 'shell',
    kind: 'command',
    form: 'function',
    args: () => ({ command: ['/bin/bash', '-c', PRINT] }),
    output: ({ repository }) => programOutput(json(`one\n${repository}\n`)),
    wrong: { args: { command: 'ls' }, output: WRONG },
    approval: {
      args: () => ({ command: ['/bin/bash', '-c', REVEAL] }),
      request: (place) => commandRequest(place, ['/bin/bash', '-c', REVEAL]),
      output: ({ repository }) => programOutput(json(`/bin/bash|-c|${REVEAL}|${repository}\n`)),
      denied: REJECTED_COMMAND,
    },
    cancel: {
      moment: 'process',
      args: (place) => ({ command: ['/bin/bash', '-c', linger(place)], timeout_ms: 60_000 }),
      output: ABORTED_COMMAND,
    },
  },
  {
    tool: 'local_shell',
    title: 'local_shell',
    kind: 'command',
    form: 'local-shell',
    args: () => ({ type: 'exec', command: ['/bin/bash', '-c', PRINT], env: {} }),
    output: ({ repository }) => programOutput(json(`one\n${repository}\n`)),
    wrong: { args: { type: 'exec', command: 'ls' }, output: WRONG },
    approval: {
      args: () => ({ type: 'exec', command: ['/bin/bash', '-c', `${REVEAL}; echo $COLOUR`], env: { COLOUR: 'red' } }),
      request: (place) => commandRequest(place, ['/bin/bash', '-c', `${REVEAL}; echo $COLOUR`], { COLOUR: 'red' }),
      output: ({ repository }) => programOutput(json(`/bin/bash|-c|${REVEAL}; echo $COLOUR|${repository}\nred\n`)),
      denied: REJECTED_COMMAND,
    },
    cancel: {
      moment: 'process',
      args: (place) => ({ type: 'exec', command: ['/bin/bash', '-c', linger(place)], timeout_ms: 60_000 }),
      output: ABORTED_COMMAND,
    },
  },
  {
    tool: 'shell_command',
    title: 'shell_command',
    kind: 'command',
    form: 'function',
    args: () => ({ command: PRINT, login: false }),
    output: ({ repository }) => textOutput(literal(`one\n${repository}\n`)),
    wrong: { args: { command: ['ls'] }, output: WRONG },
    approval: {
      args: () => ({ command: REVEAL, login: false }),
      request: (place) => commandRequest(place, [SHELL, '-c', REVEAL]),
      output: ({ repository }) => textOutput(literal(`${SHELL}|-c|${REVEAL}|${repository}\n`)),
      denied: REJECTED_COMMAND,
    },
    cancel: {
      moment: 'process',
      args: (place) => ({ command: linger(place), login: false, timeout_ms: 60_000 }),
      output: ABORTED_COMMAND,
    },
  },
  {
    tool: 'exec_command',
    title: 'exec_command',
    kind: 'command',
    form: 'function',
    args: () => ({ cmd: PRINT, login: false }),
    output: ({ repository }) => sessionOutput(literal(`one\n${repository}\n`)),
    wrong: { args: { cmd: 'ls', tty: 'yes' }, output: WRONG },
    approval: {
      args: () => ({ cmd: REVEAL, login: false, shell: '/bin/bash' }),
      request: (place) =>
        commandRequest(place, ['/bin/bash', '-c', REVEAL], {
          CODEX_CI: '1',
          COLORTERM: '',
          GH_PAGER: 'cat',
          GIT_PAGER: 'cat',
          LANG: 'C.UTF-8',
          LC_ALL: 'C.UTF-8',
          LC_CTYPE: 'C.UTF-8',
          NO_COLOR: '1',
          PAGER: 'cat',
          TERM: 'dumb',
        }),
      output: ({ repository }) => sessionOutput(literal(`/bin/bash|-c|${REVEAL}|${repository}\n`)),
      denied: REJECTED_COMMAND,
    },
    cancel: {
      moment: 'process',
      args: (place) => ({ cmd: linger(place), login: false, yield_time_ms: 30_000 }),
      output: ABORTED_COMMAND,
    },
  },
  {
    tool: 'exec_command',
    title: 'exec_command on a terminal',
    kind: 'command',
    form: 'function',
    args: () => ({ cmd: PRINT, login: false, tty: true }),
    output: ({ repository }) => sessionOutput(literal(`one\r\n${repository}\r\n`)),
    cancel: {
      moment: 'process',
      args: (place) => ({ cmd: linger(place), login: false, tty: true, yield_time_ms: 30_000 }),
      output: ABORTED_COMMAND,
    },
  },
  {
    tool: 'write_stdin',
    title: 'write_stdin',
    kind: 'command',
    form: 'function',
    before: ({ mark }) => openTerminal(mark, 'read -r line; echo "got $line"'),
    args: ({ mark }, request) => ({
      session_id: sessionId(request, `open-${mark}`),
      chars: 'ho\n',
      yield_time_ms: 9_000,
    }),
    output: () => sessionOutput('ho\r\ngot ho\r\n'),
    wrong: { args: { session_id: 'one' }, output: WRONG },
    cancel: {
      moment: 'item',
      before: ({ mark }) => openTerminal(mark, `exec sleep ${mark}`),
      args: ({ mark }, request) => ({ session_id: sessionId(request, `open-${mark}`), yield_time_ms: 60_000 }),
      output: ABORTED_COMMAND,
      survivors: 1,
    },
  },
];

const PATCH_ROWS: readonly ToolRow[] = [
  {
    tool: 'apply_patch',
    title: 'apply_patch, freeform',
    kind: 'patch',
    form: 'custom',
    args: ({ mark }) => patch(`${mark}.txt`),
    output: patchOutput,
    wrong: { args: 'no patch', output: /^apply_patch verification failed: invalid patch: / },
    approval: patchApproval(({ mark }) => patch(`${mark}.txt`)),
    cancel: { moment: 'approval', output: ABORTED },
  },
  {
    tool: 'apply_patch',
    title: 'apply_patch, function',
    kind: 'patch',
    form: 'function',
    args: ({ mark }) => ({ input: patch(`${mark}.txt`) }),
    output: patchOutput,
    wrong: { args: { input: 5 }, output: WRONG },
    approval: patchApproval(({ mark }) => ({ input: patch(`${mark}.txt`) })),
    cancel: { moment: 'approval', output: ABORTED },
  },
];

const CELL_THAT_SPAWNS = ({ mark }: Place): string => `const load = (await import('node:module')).createRequire('/');
const { spawn } = load('child_process');
spawn('sleep', ['${mark}']); spawn('setsid', ['sleep', '${mark}']);
for (;;);`;

const scriptApproval = (args: Arguments): NonNullable<ToolRow['approval']> => ({
  args,
  request: () => ({ kind: 'tool', reason: null, tool: 'js_repl', input: 'console.log(6 * 7)' }),
  output: () => whole('42'),
  denied: /^js_repl rejected by user: not today$/,
});

const SCRIPT_ROWS: readonly ToolRow[] = [
  {
    tool: 'js_repl',
    title: 'js_repl, freeform',
    kind: 'javascript',
    form: 'custom',
    args: () => 'console.log(6 * 7)',
    output: () => whole('42'),
    wrong: { args: '{"code":"1"}', output: /^js_repl: the input begins with a brace; / },
    approval: scriptApproval(() => 'console.log(6 * 7)'),
    cancel: { moment: 'process', args: CELL_THAT_SPAWNS, output: ABORTED },
  },
  {
    tool: 'js_repl',
    title: 'js_repl, function',
    kind: 'javascript',
    form: 'function',
    args: () => ({ code: 'console.log(6 * 7)' }),
    output: () => whole('42'),
    wrong: { args: { code: 5 }, output: WRONG },
    approval: scriptApproval(() => ({ code: 'console.log(6 * 7)' })),
    cancel: { moment: 'process', args: (place) => ({ code: CELL_THAT_SPAWNS(place) }), output: ABORTED },
  },
  {
    tool: 'js_repl_reset',
    title: 'js_repl_reset',
    kind: 'javascript',
    form: 'function',
    args: () => ({}),
    output: () => whole('The JavaScript kernel was reset: nothing is declared any more\\.'),
    cancel: BY_HOOK,
  },
];

const TALK_ROWS: readonly ToolRow[] = [
  {
    tool: 'update_plan',
    title: 'update_plan',
    kind: 'plan',
    form: 'function',
    args: () => ({ plan: [{ step: 'one', status: 'in_progress' }] }),
    output: () => whole('Plan updated'),
    wrong: { args: { plan: [{ step: 1 }] }, output: WRONG },
    cancel: BY_HOOK,
  },
  {
    tool: 'request_user_input',
    title: 'request_user_input',
    kind: 'question',
    form: 'function',
    args: () => QUESTION,
    output: () => whole(json({ answers: { q: { answers: ['Red'] } } })),
    wrong: { args: { questions: [] }, output: WRONG },
    cancel: { moment: 'question', output: ABORTED },
  },
];

/** Only for models that are known to use them. */
export const FILE_ROWS: readonly ToolRow[] = [
  {
    tool: 'grep_files',
    title: 'grep_files',
    kind: 'file',
    form: 'function',
    args: () => ({ pattern: 'ne+dle' }),
    output: ({ repository }) => whole(literal(join(repository, 'hay.txt'))),
    wrong: { args: { pattern: 5 }, output: WRONG },
    cancel: BY_HOOK,
  },
  {
    tool: 'read_file',
    title: 'read_file',
    kind: 'file',
    form: 'function',
    args: ({ repository }) => ({ file_path: join(repository, 'hay.txt') }),
    output: () => whole('L1: hay\nL2: needle'),
    wrong: { args: { file_path: ['x'] }, output: WRONG },
    cancel: BY_HOOK,
  },
  {
    tool: 'list_dir',
    title: 'list_dir',
    kind: 'file',
    form: 'function',
    args: ({ repository }) => ({ dir_path: join(repository, 'folder') }),
    output: ({ repository }) => whole(`Absolute path: ${literal(join(repository, 'folder'))}\na\nb/\n  c@`),
    wrong: { args: { dir_path: '/', limit: 'all' }, output: WRONG },
    cancel: BY_HOOK,
  },
];

const IMAGE_ROWS: readonly ToolRow[] = [
  {
    tool: 'view_image',
    title: 'view_image',
    kind: 'image',
    form: 'function',
    args: () => ({ path: 'pixel.png' }),
    output: () => whole(json([{ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }])),
    wrong: { args: { path: 5 }, output: WRONG },
    cancel: BY_HOOK,
  },
];

const MCP_ROWS: readonly ToolRow[] = [
  {
    tool: 'mcp__fix__echo',
    title: 'a tool of an MCP server',
    kind: 'mcp',
    form: 'function',
    args: () => ({ a: 1 }),
    output: () => whole(json([{ type: 'text', text: '{"a":1}' }])),
    approval: {
      args: () => ({ a: 1 }),
      request: () => ({ kind: 'tool', reason: null, tool: 'mcp__fix__echo', input: { a: 1 } }),
      output: () => whole(json([{ type: 'text', text: '{"a":1}' }])),
      denied: /^tool call rejected by user: not today$/,
    },
    cancel: { moment: 'item', tool: 'mcp__fix__hang', args: () => ({}), output: ABORTED_COMMAND },
  },
  {
    tool: 'list_mcp_resources',
    title: 'list_mcp_resources',
    kind: 'mcp',
    form: 'function',
    args: () => ({ server: 'fix' }),
    output: () =>
      whole(json({ server: 'fix', resources: [{ server: 'fix', uri: 'r://1', name: 'one' }], nextCursor: 'two' })),
    wrong: { args: { server: 5 }, output: WRONG },
    cancel: BY_HOOK,
  },
  {
    tool: 'list_mcp_resource_templates',
    title: 'list_mcp_resource_templates',
    kind: 'mcp',
    form: 'function',
    args: () => ({}),
    output: () => whole(json({ resourceTemplates: [] })),
    wrong: { args: { cursor: [] }, output: WRONG },
    cancel: BY_HOOK,
  },
  {
    tool: 'read_mcp_resource',
    title: 'read_mcp_resource',
    kind: 'mcp',
    form: 'function',
    args: () => ({ server: 'fix', uri: 'r://1' }),
    output: () => whole(json({ server: 'fix', uri: 'r://1', contents: [{ uri: 'r://1', text: 'T' }] })),
    wrong: { args: { server: 'fix' }, output: WRONG },
    cancel: BY_HOOK,
  },
];

const DYNAMIC_ROWS: readonly ToolRow[] = [
  {
    tool: 'look_up',
    title: 'a function of the program',
    kind: 'dynamic',
    form: 'function',
    args: () => ({ word: 'quire' }),
    output: () => whole(literal('found {"word":"quire"}')),
    wrong: {
      args: { word: 5 },
      output: /^arguments of look_up do not fit its schema: `word` must be string, found integer$/,
    },
    approval: {
      args: () => ({ word: 'quire' }),
      request: () => ({ kind: 'tool', reason: null, tool: 'look_up', input: { word: 'quire' } }),
      output: () => whole(literal('found {"word":"quire"}')),
      denied: /^tool call rejected by user: not today$/,
    },
    cancel: { moment: 'look', output: ABORTED },
  },
];

const AGENT_ROWS: readonly ToolRow[] = [
  {
    tool: 'spawn_agent',
    title: 'spawn_agent',
    kind: 'sub-agent',
    form: 'function',
    args: () => ({ message: 'work' }),
    output: () => /^\{"agent_id":"[0-9a-f-]{36}","nickname":"[^"]+"\}$/,
    wrong: { args: { message: 5 }, output: WRONG },
    cancel: BY_HOOK,
  },
  {
    tool: 'send_input',
    title: 'send_input',
    kind: 'sub-agent',
    form: 'function',
    before: ({ mark }) => rested(mark),
    args: ({ mark }, request) => ({ id: agentId(request, mark), message: 'more' }),
    output: () => /^\{"submission_id":"[^"]+"\}$/,
    wrong: { args: { id: 5, message: 'x' }, output: WRONG },
    cancel: BY_HOOK,
  },
  {
    tool: 'wait',
    title: 'wait',
    kind: 'sub-agent',
    form: 'function',
    before: ({ mark }) => spawned(mark),
    args: ({ mark }, request) => ({ ids: [agentId(request, mark)] }),
    output: () => /^\{"status":\{"[0-9a-f-]{36}":\{"completed":"The agent is done\."\}\},"timed_out":false\}$/,
    wrong: { args: { ids: 'all' }, output: WRONG },
    cancel: {
      moment: 'item',
      before: ({ mark }) => spawned(`hold ${mark}`),
      args: ({ mark }, request) => ({ ids: [agentId(request, `hold ${mark}`)], timeout_ms: 60_000 }),
      output: ABORTED,
    },
  },
  {
    tool: 'close_agent',
    title: 'close_agent',
    kind: 'sub-agent',
    form: 'function',
    before: ({ mark }) => rested(mark),
    args: ({ mark }, request) => ({ id: agentId(request, mark) }),
    output: () => /^\{"status":\{"completed":"The agent is done\."\}\}$/,
    wrong: { args: {}, output: WRONG },
    cancel: BY_HOOK,
  },
  {
    tool: 'resume_agent',
    title: 'resume_agent',
    kind: 'sub-agent',
    form: 'function',
    before: ({ mark }) => [
      ...rested(mark),
      (request) => [functionCall(`close-${mark}`, 'close_agent', { id: agentId(request, mark) })],
    ],
    args: ({ mark }, request) => ({ id: agentId(request, mark) }),
    output: () => /^\{"status":.+\}$/,
    wrong: { args: { id: [] }, output: WRONG },
    cancel: BY_HOOK,
  },
];

/** One row for every way to call a tool. Those of servers and programs stand for all of their kind. */
export const ROWS: readonly ToolRow[] = [
  ...COMMAND_ROWS,
  ...SCRIPT_ROWS,
  ...TALK_ROWS,
  ...PATCH_ROWS,
  ...IMAGE_ROWS,
  ...MCP_ROWS,
  ...DYNAMIC_ROWS,
  ...AGENT_ROWS,
];

/** The files that the rows speak of. */
export async function furnish(repository: string): Promise<void> {
  await writeFile(join(repository, 'pixel.png'), Buffer.from(PNG, 'base64'));
  await writeFile(join(repository, 'hay.txt'), 'hay\nneedle\n');
  await mkdir(join(repository, 'folder', 'b'), { recursive: true });
  await writeFile(join(repository, 'folder', 'a'), '');
  await symlink('nowhere', join(repository, 'folder', 'b', 'c'));
}
