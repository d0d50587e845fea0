import {
  type Clock,
  loadDynamicTools,
  loadJavaScriptTools,
  type ThreadPorts,
  type ThreadSettings,
  type ToolHooks,
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
  /** What commands inherit. */
  readonly environment: Environment;
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
  const approvals = approvalsOf(options.person, clock);
  const hooks = configuredHooks(order);
  const [javaScript, mcp, dynamic] = await Promise.all([
    equipJavaScript(order),
    order.servers.equip(order, approvals),
    options.tools === undefined || options.tools.length === 0 ? undefined : loadDynamicTools(),
  ]);
  const sources = [
    ...(mcp === undefined ? [] : [mcp.tools]),
    ...(dynamic === undefined ? [] : [dynamic(options.tools ?? [], clock)]),
  ];
  const ports = {
    workspaceFiles: createWorkspaceFiles({ environment: order.environment }),
    images: createImageReader(),
    rules: createCommandRules({ home, projectFolders: config.projectFolders, onWarning: notices.post }),
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

function configuredHooks({ config, options, environment, notices, settings, threadId, rolloutPath }: EquipmentOrder): {
  readonly port: ToolHooks | undefined;
  readonly close: () => Promise<void>;
} {
  const configured = createToolHooks({
    hooks: config.hooks,
    threadId,
    environment,
    onNotice: notices.post,
    session: () => ({
      model: settings.model.slug,
      transcriptPath: rolloutPath,
      permissionMode: settings.collaborationMode?.mode === 'plan' ? 'plan' : 'default',
    }),
  });
  const own = options.hooks === undefined ? undefined : guardHooks(options.hooks);
  const sets = [configured, own].filter((set) => set !== undefined);
  return {
    port: sets.length === 0 ? undefined : combineHooks(sets),
    close: () => configured?.close() ?? Promise.resolve(),
  };
}

async function equipJavaScript({ config, settings, threadId, environment, sandbox, clock }: EquipmentOrder) {
  if (!settings.tools.enabled.has('js_repl')) return undefined;
  const createTools = await loadJavaScriptTools();
  const kernel = createJavaScriptKernel({
    threadId,
    environment,
    sandbox,
    moduleDirectories: config.jsReplNodeModuleDirs,
    ...(config.jsReplNodePath === undefined ? {} : { nodePath: config.jsReplNodePath }),
  });
  return { tools: createTools(kernel, clock), close: () => kernel.close() };
}
