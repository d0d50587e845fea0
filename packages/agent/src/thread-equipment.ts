import {
  type Clock,
  loadDynamicTools,
  loadJavaScriptTools,
  type ThreadPorts,
  type ThreadSettings,
  type ToolHooks,
  type ToolSource,
} from '@quire/core';
import {
  combineHooks,
  createImageReader,
  createJavaScriptKernel,
  createToolHooks,
  createWorkspaceFiles,
  guardHooks,
  type Sandbox,
} from '@quire/host';
import type { ThreadId } from '@quire/protocol';
import { type Config, createCommandRules } from '@quire/store';
import { AgentError } from './agent-error.ts';
import type { ThreadOptions } from './api.ts';
import type { Environment } from './environment.ts';
import type { McpServersOfProgram } from './mcp-servers-of-program.ts';
import type { NoticeBoard } from './notice-board.ts';
import { approvalsOf } from './person.ts';

/** What a thread works with beside its line, its files and its shell. */
export interface ThreadEquipment {
  readonly ports: Pick<
    ThreadPorts,
    | 'approvals'
    | 'rules'
    | 'hooks'
    | 'toolSources'
    | 'mcpResourceTools'
    | 'javaScriptTools'
    | 'workspaceFiles'
    | 'images'
  >;
  /** Something has to be there before a turn begins; see `ready`. */
  readonly isAwaited: boolean;
  /** Rejects when something is missing that a turn does not begin without. */
  ready(signal: AbortSignal): Promise<void>;
  /** Ends servers, kernels and hooks that nobody else uses. Never rejects. */
  close(): Promise<void>;
}

export interface EquipmentOrder {
  readonly threadId: ThreadId;
  readonly config: Config;
  readonly home: string;
  readonly options: ThreadOptions;
  readonly settings: ThreadSettings;
  /** Of the turn that runs, or of the last one. */
  readonly currentSettings: () => ThreadSettings;
  /** What hooks and the search for files inherit. */
  readonly environment: Environment;
  /** What commands inherit. */
  readonly commandEnvironment: Environment;
  readonly sandbox: Sandbox;
  readonly servers: McpServersOfProgram;
  readonly notices: NoticeBoard;
  readonly rolloutPath: string | undefined;
  readonly clock: Clock;
  /** Settled when the first request is on its way. */
  readonly firstRequest: Promise<void>;
}

/** Nothing is started, and only what is configured is loaded. */
export async function equipThread(order: EquipmentOrder): Promise<ThreadEquipment> {
  const { options, config, home, notices, clock } = order;
  // First, because it may refuse: nothing was begun then.
  const dynamic = await equipDynamicTools(options.tools, clock);
  const approvals = approvalsOf(options.person, clock);
  const hooks = configuredHooks(order);
  const [javaScript, mcp] = await Promise.all([equipJavaScript(order), order.servers.equip(order, approvals)]);
  const sources = [mcp?.tools, dynamic].filter((source) => source !== undefined);
  const ports = {
    workspaceFiles: createWorkspaceFiles({ environment: order.environment }),
    images: createImageReader(),
    rules: createCommandRules({
      home,
      projectFolders: config.projectFolders,
      managed: config.requirements?.rules ?? [],
      onWarning: notices.post,
    }),
    ...(approvals === undefined ? {} : { approvals }),
    ...(hooks.port === undefined ? {} : { hooks: hooks.port }),
    ...(javaScript === undefined ? {} : { javaScriptTools: javaScript.tools }),
    ...(mcp === undefined ? {} : { mcpResourceTools: mcp.resourceTools }),
    ...(sources.length === 0 ? {} : { toolSources: sources }),
  };
  return {
    ports,
    isAwaited: mcp?.isRequired === true,
    ready: (signal) => mcp?.ready(signal) ?? Promise.resolve(),
    close: async () => {
      await Promise.allSettled([javaScript?.close(), mcp?.release(), hooks.close()]);
    },
  };
}

function configuredHooks(order: EquipmentOrder): {
  readonly port: ToolHooks | undefined;
  readonly close: () => Promise<void>;
} {
  const { config, options, environment, notices, currentSettings, threadId, rolloutPath } = order;
  const configured = createToolHooks({
    hooks: config.hooks,
    threadId,
    environment,
    onNotice: notices.post,
    session: () => {
      const { model, collaborationMode } = currentSettings();
      return {
        model: model.slug,
        transcriptPath: rolloutPath,
        permissionMode: collaborationMode?.mode === 'plan' ? 'plan' : 'default',
      };
    },
  });
  const own = options.hooks === undefined ? undefined : guardHooks(options.hooks);
  const sets = [configured, own].filter((set) => set !== undefined);
  return {
    port: sets.length === 0 ? undefined : combineHooks(sets),
    close: () => configured?.close() ?? Promise.resolve(),
  };
}

/** @throws AgentError 'invalid-argument' that names the tool and says what is wrong with it */
async function equipDynamicTools(tools: ThreadOptions['tools'], clock: Clock): Promise<ToolSource | undefined> {
  if (tools === undefined || tools.length === 0) return undefined;
  const createTools = await loadDynamicTools();
  try {
    return createTools(tools, clock);
  } catch (cause) {
    throw new AgentError('invalid-argument', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

async function equipJavaScript(order: EquipmentOrder) {
  const { config, settings, threadId, environment, commandEnvironment, sandbox, clock } = order;
  if (!settings.tools.enabled.has('js_repl')) return undefined;
  const createTools = await loadJavaScriptTools();
  const kernel = createJavaScriptKernel({
    threadId,
    environment: commandEnvironment,
    // A project may not choose the program that is started, not by a variable either.
    searchEnvironment: environment,
    sandbox,
    moduleDirectories: config.jsReplNodeModuleDirs,
    ...(config.jsReplNodePath === undefined ? {} : { nodePath: config.jsReplNodePath }),
  });
  return { tools: createTools(kernel, clock), close: () => kernel.close() };
}
