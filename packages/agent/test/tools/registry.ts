import {
  DEFAULT_MODEL,
  findModel,
  loadSubAgentTools,
  type ShellToolForm,
  type SubAgents,
  Thread,
  type ThreadPorts,
  type ThreadSettings,
} from '@quire/core';
import {
  createCommandRunner,
  createFileDigests,
  createPatchFiles,
  createSandbox,
  systemClock,
  systemEntropy,
} from '@quire/host';
import type { ThreadEvent, ThreadId } from '@quire/protocol';
import { type RecordedRequest, rehearse, respond, Simulator, text } from '@quire/simulator';
import { TurnDiff } from '../../../core/src/thread/turn-diff.ts';
// What a turn registers is seen here as it is, with what is served without being offered.
import { createToolSet, type ToolSet } from '../../../core/src/tools/tool-set.ts';
import { McpServersOfProgram } from '../../src/mcp-servers-of-program.ts';
import { ModelLines } from '../../src/model-line.ts';
import { NoticeBoard } from '../../src/notice-board.ts';
import { readPlace } from '../../src/place.ts';
import { KnownSecrets } from '../../src/secrets.ts';
import { readSite } from '../../src/site.ts';
import { equipThread } from '../../src/thread-equipment.ts';
import { resolveThreadSettings } from '../../src/thread-settings.ts';
import { createWorkspace } from '../workspace.ts';
import { DYNAMIC, MCP_SERVER, type Round } from './tool-scene.ts';

export const FORMS: readonly ShellToolForm[] = ['shell', 'local-shell', 'shell-command', 'unified-exec', 'none'];
const FILE_TOOLS = ['grep_files', 'read_file', 'list_dir'];

/** A thread of the core over the ports of the product: the settings can be what no configuration says. */
export interface Registry extends AsyncDisposable {
  readonly repository: string;
  readonly settings: ThreadSettings;
  /** Everything that a turn registers. */
  toolSet(form: ShellToolForm): ToolSet;
  /** Runs one turn with all that there is, and gives back its events and the requests. */
  play(
    rounds: readonly Round[],
    options?: { readonly form?: ShellToolForm; readonly signal?: AbortSignal },
  ): Promise<{ readonly events: readonly ThreadEvent[]; readonly requests: readonly RecordedRequest[] }>;
  readonly hooked: string[];
  readonly behaviour: { before: (callId: string) => Promise<'go-on' | 'deny'> };
}

const NO_MODEL: ThreadPorts['model'] = {
  beginTurn: () => {
    throw new Error('no model here');
  },
  close: () => undefined,
};
const NO_AGENTS = new Proxy({}, { get: () => () => Promise.reject(new Error('no agents here')) }) as SubAgents;

export async function openRegistry(): Promise<Registry> {
  const workspace = await createWorkspace();
  const { home, repository } = workspace;
  let rounds: readonly Round[] = [];
  const rules = rehearse((request) => {
    const [round, ...rest] = rounds;
    rounds = rest;
    return round === undefined ? respond(text('Done.')) : respond(...round(request));
  });
  const simulator = await Simulator.start({ rules });
  const environment = { PATH: process.env['PATH'], HOME: home };
  const configOverrides = [
    `model_providers.test={name="Test",base_url="${simulator.url}"}`,
    'model_provider=test',
    'model=gpt-5.2-codex',
    'features.js_repl=true',
    'web_search="live"',
    `mcp_servers.fix={command=${JSON.stringify(process.execPath)},args=${JSON.stringify([MCP_SERVER])},required=true}`,
  ];
  const hooked: string[] = [];
  const behaviour: Registry['behaviour'] = { before: () => Promise.resolve('go-on') };
  const options = {
    sandboxMode: 'danger-full-access',
    person: { answer: () => undefined },
    tools: [{ ...DYNAMIC, run: () => Promise.resolve('found') }],
    hooks: {
      before: async ({ callId, tool }: { readonly callId: string; readonly tool: string }) => {
        hooked.push(`before ${tool}`);
        return (await behaviour.before(callId)) === 'deny'
          ? { kind: 'deny' as const, reason: 'no' }
          : { kind: 'go-on' as const };
      },
      after: ({ tool }: { readonly tool: string }) => {
        hooked.push(`after ${tool}`);
        return Promise.resolve({ feedback: undefined });
      },
    },
  } as const;
  const site = await readSite({ home, configOverrides }, { workingDirectory: repository }, environment);
  const { config } = site;
  const place = await readPlace({
    ...site,
    shellName: 'bash',
    otherRoots: [],
    processEnvironment: environment,
    nowMs: 0,
  });
  const settings = resolveThreadSettings(config, options, {
    place,
    models: { choose: (name) => name ?? DEFAULT_MODEL, describe: findModel },
    processEnvironment: environment,
    storedInstructions: undefined,
    storedContext: undefined,
  });
  const threadId = systemEntropy.uuid() as ThreadId;
  const lines = new ModelLines(environment, { secrets: new KnownSecrets(environment), onLogin: () => undefined });
  const { signal } = new AbortController();
  const credentials = await lines.credentials({ config, home, cwd: repository, environment, signal });
  const sandbox = createSandbox({ environment });
  const equipment = await equipThread({
    threadId,
    config,
    home,
    options,
    settings,
    currentSettings: () => settings,
    environment,
    commandEnvironment: environment,
    sandbox,
    servers: new McpServersOfProgram({ environment, clientName: 'test', onTokens: () => undefined }),
    notices: new NoticeBoard(),
    rolloutPath: undefined,
    clock: systemClock,
    firstRequest: Promise.resolve(),
  });
  await equipment.ready(signal);
  const runner = createCommandRunner({ threadId, environment, sandbox });
  const ports: Omit<ThreadPorts, 'model'> = {
    ...equipment.ports,
    runner,
    rollout: { append: () => undefined, close: () => undefined },
    files: createPatchFiles(),
    digests: createFileDigests(),
    clock: systemClock,
    entropy: systemEntropy,
    agentTools: (await loadSubAgentTools())(NO_AGENTS),
  };
  const settingsFor = (shell: ShellToolForm): ThreadSettings => ({
    ...settings,
    tools: { ...settings.tools, shell, enabled: new Set([...settings.tools.enabled, ...FILE_TOOLS]) },
  });
  // What a thread offers stays the same, so there is one for each form.
  const threads = new Map<ShellToolForm, { readonly thread: Thread; readonly model: ThreadPorts['model'] }>();
  const threadFor = (form: ShellToolForm): Thread => {
    const known = threads.get(form);
    if (known !== undefined) return known.thread;
    const id = systemEntropy.uuid() as ThreadId;
    const model = lines.open({ config, credentials, threadId: id, webSocket: 'off', subagent: undefined });
    const thread = new Thread({ id, settings: settingsFor(form), ports: { ...ports, model }, seed: undefined });
    threads.set(form, { thread, model });
    return thread;
  };
  return {
    repository,
    settings,
    hooked,
    behaviour,
    toolSet: (form) =>
      createToolSet(
        settingsFor(form),
        { ...ports, model: NO_MODEL },
        { diff: new TurnDiff(), onPlan: () => undefined },
      ),
    play: async (script, { form = 'shell', signal = new AbortController().signal } = {}) => {
      rounds = script;
      const events: ThreadEvent[] = [];
      const before = simulator.requests.length;
      await threadFor(form).runTurn({
        input: [{ kind: 'text', text: 'go' }],
        outputSchema: undefined,
        signal,
        onEvent: (event) => events.push(event),
      });
      return { events, requests: simulator.requests.slice(before) };
    },
    [Symbol.asyncDispose]: async () => {
      for (const { model } of threads.values()) model.close();
      await Promise.all([runner.close(), equipment.close()]);
      await simulator.close();
      await workspace[Symbol.asyncDispose]();
    },
  };
}
