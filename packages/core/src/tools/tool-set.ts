import type { PlanStep, ToolSpec } from '@quire/protocol';
import type { ThreadSettings } from '../thread/settings.ts';
import type { ThreadPorts } from '../thread/thread-ports.ts';
import type { TurnDiff } from '../thread/turn-diff.ts';
import { ApplyPatchTool } from './apply-patch.ts';
import { createCommandTools } from './command-tools/create-command-tools.ts';
import { createFileTools } from './files/file-tools.ts';
import { createViewImageTool } from './files/view-image.ts';
import { RequestUserInputTool } from './request-user-input.ts';
import type { Tool, ToolContext } from './tool.ts';
import { UpdatePlanTool } from './update-plan.ts';
import { webSearchSpec } from './web-search/web-search-spec.ts';

/** What a turn offers: tools that are run here around those that the provider runs by itself. */
export interface ToolSet {
  readonly tools: readonly Tool[];
  readonly specs: readonly ToolSpec[];
  /** The only tools that the model may call by itself; absent: all. */
  readonly direct?: ReadonlySet<string>;
}

export interface TurnHandles {
  readonly diff: TurnDiff;
  readonly onPlan: (steps: readonly PlanStep[], context: ToolContext) => void;
}

/** The tools of a turn, in the order in which they are offered. Source: the peer's order. */
export function createToolSet(settings: ThreadSettings, ports: ThreadPorts, turn: TurnHandles): ToolSet {
  const { enabled, shell, originalImages } = settings.tools;
  const { files, clock, workspaceFiles, images } = ports;
  const applyPatch = new ApplyPatchTool(settings.model.applyPatchTool ?? 'freeform', {
    files,
    clock,
    turnDiff: turn.diff,
  });
  const fileTools = workspaceFiles === undefined ? [] : createFileTools(workspaceFiles);
  const first: readonly Tool[] = [
    ...createCommandTools({ form: shell, commands: settings.commands }, ports, applyPatch),
    ...(ports.mcpResourceTools ?? []),
    new UpdatePlanTool(turn.onPlan),
    ...(ports.javaScriptTools ?? []),
    ...(ports.approvals?.answer === undefined ? [] : [new RequestUserInputTool()]),
    applyPatch,
    ...fileTools.filter(({ name }) => enabled.has(name)),
  ];
  const last: readonly Tool[] = [
    ...(images === undefined || !enabled.has('view_image')
      ? []
      : [createViewImageTool(images, { offersOriginal: originalImages })]),
    ...(ports.agentTools ?? []),
    ...(ports.toolSources ?? []).flatMap((source) => source.tools),
  ];
  const { javaScriptTools } = ports;
  if (javaScriptTools !== undefined && enabled.has('js_repl_tools_only')) {
    const direct = new Set(javaScriptTools.map(({ name }) => name));
    return { tools: [...first, ...last], specs: specsOf(javaScriptTools), direct };
  }
  const search = webSearchSpec(settings);
  return {
    tools: [...first, ...last],
    specs: [...specsOf(first), ...(search === undefined ? [] : [search]), ...specsOf(last)],
  };
}

function specsOf(tools: readonly Tool[]): readonly ToolSpec[] {
  return tools.flatMap((tool) => (tool.spec === undefined ? [] : [tool.spec]));
}
