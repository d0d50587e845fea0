import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  AgentThread,
  ApprovalDecision,
  ApprovalRequest,
  DynamicToolDefinition,
  Question,
  QuestionAnswers,
  ThreadOptions,
  ToolHooks,
  TurnOverrides,
} from '@quire/agent';
import type { JsonObject, SandboxMode, ThreadEvent } from '@quire/protocol';
import { type Output, type RecordedRequest, rehearse, respond, Simulator, type Step, text } from '@quire/simulator';
import { createWorkspace } from '../workspace.ts';

/** The fixture of the host's own tests: one server that misbehaves on demand. */
export const MCP_SERVER = join(import.meta.dirname, '../../../host/test/mcp/support/stdio-server.mjs');

/** One pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

type HookedCall = Parameters<ToolHooks['before']>[0];
type FinishedCall = Parameters<ToolHooks['after']>[0];
type Verdict = Awaited<ReturnType<ToolHooks['before']>>;

/** What the model answers to one request of the thread; the request holds the outputs so far. */
export type Round = (request: RecordedRequest) => readonly Output[];

/** What one turn led to. */
export interface Played {
  readonly events: readonly ThreadEvent[];
  /** Requests of the thread itself, without those of its agents. */
  readonly requests: readonly RecordedRequest[];
  /** As it stands in the record: text, or parts as JSON. */
  outputOf(callId: string): string | undefined;
}

export interface SceneOptions {
  /** Text of `config.toml` in the home. */
  readonly toml?: string;
  readonly config?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly sandboxMode?: SandboxMode;
  readonly approvalPolicy?: string;
  readonly thread?: ThreadOptions;
  /** Agents of the thread answer this; absent: at once. */
  readonly child?: (request: RecordedRequest) => Step | Promise<Step>;
  /** The tools change in the course of a thread, which the provider takes note of. */
  readonly mayChangeTools?: boolean;
}

export interface Asked {
  readonly approvals: ApprovalRequest[];
  readonly questions: (readonly Question[])[];
}

/** A thread with everything switched on that can be switched on, and whoever is asked, hooked and called by it. */
export interface ToolScene extends AsyncDisposable {
  readonly home: string;
  readonly repository: string;
  readonly simulator: Simulator;
  readonly thread: AgentThread;
  readonly asked: Asked;
  readonly hooked: { readonly before: HookedCall[]; readonly after: FinishedCall[] };
  /** May be replaced at any time. */
  readonly behaviour: {
    approve: (request: ApprovalRequest) => ApprovalDecision | Promise<ApprovalDecision>;
    answer: (questions: readonly Question[]) => QuestionAnswers | Promise<QuestionAnswers>;
    before: (call: HookedCall) => Verdict | Promise<Verdict>;
    look: (input: JsonObject, signal: AbortSignal) => Promise<string>;
  };
  /** What the configured hooks were told, in the order of their calls. */
  hookPayloads(): readonly JsonObject[];
  play(
    rounds: readonly Round[],
    options?: {
      readonly signal?: AbortSignal;
      readonly onEvent?: (event: ThreadEvent) => void;
      readonly overrides?: TurnOverrides;
    },
  ): Promise<Played>;
}

export const DYNAMIC: Pick<DynamicToolDefinition, 'name' | 'description' | 'inputSchema' | 'needsApproval'> = {
  name: 'look_up',
  description: 'Looks a word up.',
  inputSchema: {
    type: 'object',
    properties: { word: { type: 'string' } },
    required: ['word'],
    additionalProperties: false,
  },
  needsApproval: true,
};

function isChild(request: RecordedRequest): boolean {
  return request.headers['x-openai-subagent'] === 'collab_spawn';
}

/** The hooks of a configuration that write down what they are told. */
function hooksToml(file: string): string {
  const line = `cat >> ${file}`;
  const entry = (event: string): string => `[[hooks.${event}]]\n[[hooks.${event}.hooks]]\ncommand = '${line}'\n`;
  return entry('PreToolUse') + entry('PostToolUse');
}

function mcpToml(name: string, options: { readonly fault?: string; readonly more?: string } = {}): string {
  const { fault = 'none', more = '' } = options;
  const args = JSON.stringify([MCP_SERVER, fault]);
  return `[mcp_servers.${name}]\ncommand = ${JSON.stringify(process.execPath)}\nargs = ${args}\n${more}\n`;
}

export async function openToolScene(options: SceneOptions = {}): Promise<ToolScene> {
  const workspace = await createWorkspace();
  const { home, repository } = workspace;
  const { child = () => respond(text('The agent is done.')), approvalPolicy = 'never' } = options;
  let rounds: readonly Round[] = [];
  const rules = rehearse((request) => {
    if (isChild(request)) return child(request);
    const [round, ...rest] = rounds;
    rounds = rest;
    return round === undefined ? respond(text('Done.')) : respond(...round(request));
  });
  const { mayChangeTools = false } = options;
  const simulator = await Simulator.start({ rules, lenient: mayChangeTools });
  const hookFile = join(home, 'hooked.jsonl');
  await mkdir(home, { recursive: true });
  await writeFile(
    join(home, 'config.toml'),
    options.toml ??
      `${mcpToml('fix', { more: 'required = true\ntools.hang.approval_mode = "approve"' })}${hooksToml(hookFile)}`,
  );
  const asked: Asked = { approvals: [], questions: [] };
  const hooked: { before: HookedCall[]; after: FinishedCall[] } = { before: [], after: [] };
  const behaviour: ToolScene['behaviour'] = {
    approve: () => ({ kind: 'approved' }),
    answer: (questions) => Object.fromEntries(questions.map(({ id, options: [first] }) => [id, [first?.label ?? '']])),
    before: () => ({ kind: 'go-on' }),
    look: (input) => Promise.resolve(`found ${JSON.stringify(input)}`),
  };
  const quire = workspace.quire(simulator, {
    environment: { PATH: process.env['PATH'], HOME: home, ...options.environment },
    configOverrides: [
      `model_providers.test={name="Test",base_url="${simulator.url}"}`,
      'model_provider=test',
      'model=gpt-5.2-codex',
      `approval_policy=${approvalPolicy.startsWith('{') ? approvalPolicy : JSON.stringify(approvalPolicy)}`,
      'features.js_repl=true',
      'features.multi_agent=true',
      'features.default_mode_request_user_input=true',
      ...(options.config ?? []),
    ],
  });
  const thread = await quire.startThread({
    workingDirectory: repository,
    sandboxMode: options.sandboxMode ?? 'danger-full-access',
    tools: [{ ...DYNAMIC, run: (input, { signal }) => behaviour.look(input, signal) }],
    person: {
      approve: (request) => {
        asked.approvals.push(request);
        return behaviour.approve(request);
      },
      answer: (questions) => {
        asked.questions.push(questions);
        return behaviour.answer(questions);
      },
      fillIn: () => ({ kind: 'accepted', content: { name: 'me' } }),
    },
    hooks: {
      before: async (call) => {
        hooked.before.push(call);
        return behaviour.before(call);
      },
      after: (call) => {
        hooked.after.push(call);
        return Promise.resolve({ feedback: undefined });
      },
    },
    ...options.thread,
  });
  let turn = 0;
  return {
    home,
    repository,
    simulator,
    thread,
    asked,
    hooked,
    behaviour,
    hookPayloads: () => jsonLines(hookFile),
    play: async (script, { signal, onEvent = () => undefined, overrides } = {}) => {
      rounds = script;
      turn += 1;
      const events: ThreadEvent[] = [];
      const before = simulator.requests.length;
      await thread.runPushed(`turn ${turn}`, {
        onEvent: (event) => {
          events.push(event);
          onEvent(event);
        },
        ...(signal === undefined ? {} : { signal }),
        ...(overrides === undefined ? {} : { overrides }),
      });
      const lines = await recordOf(thread);
      return {
        events,
        requests: simulator.requests.slice(before).filter((request) => !isChild(request)),
        outputOf: (callId) => outputIn(lines, callId),
      };
    },
    [Symbol.asyncDispose]: async () => {
      try {
        await thread.close();
        if (!mayChangeTools) await simulator.close();
        else {
          await simulator.stop();
          const others = simulator.violations.filter((violation) => !/: tools\[\d+\]/.test(violation));
          if (others.length > 0) throw new Error(others.join('\n'));
        }
      } finally {
        await workspace[Symbol.asyncDispose]();
      }
    },
  };
}

async function recordOf(thread: AgentThread): Promise<readonly JsonObject[]> {
  const whole = await readFile(thread.facts.rolloutPath ?? '', 'utf8');
  return whole
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonObject);
}

function outputIn(lines: readonly JsonObject[], callId: string): string | undefined {
  for (const { type, payload } of lines) {
    const item = payload as JsonObject;
    if (type !== 'response_item' || item['call_id'] !== callId || !String(item['type']).endsWith('_output')) continue;
    return typeof item['output'] === 'string' ? item['output'] : JSON.stringify(item['output']);
  }
  return undefined;
}

function jsonLines(file: string): readonly JsonObject[] {
  try {
    const whole = readFileSync(file, 'utf8').trimEnd();
    return whole === '' ? [] : whole.split('\n').map((line) => JSON.parse(line) as JsonObject);
  } catch {
    return []; // no hook ran yet
  }
}

/** The output of an earlier call of the turn, as the model sees it. */
export function seen(request: RecordedRequest, callId: string): string {
  const found = request.toolOutputs.find((output) => output.callId === callId);
  if (found === undefined) throw new Error(`the request has no output of ${callId}`);
  return String(found.output);
}

export function outcomeOf(events: readonly ThreadEvent[]): unknown {
  const end = events.at(-1);
  return end?.kind === 'turn-end' ? end.outcome : undefined;
}

export function toolsOf(request: RecordedRequest | undefined): readonly JsonObject[] {
  return (request?.body['tools'] ?? []) as readonly JsonObject[];
}

export function nameOf(spec: JsonObject): string {
  return String(spec['name'] ?? spec['type']);
}
