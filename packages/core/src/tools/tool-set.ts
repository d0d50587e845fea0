import type { PlanStep, ToolSpec } from '@quire/protocol';
import type { Clock } from '../ports/clock.ts';
import type { CommandRunner } from '../ports/command-runner.ts';
import type { PatchFiles } from '../ports/patch-files.ts';
import type { ThreadSettings } from '../thread/settings.ts';
import type { TurnDiff } from '../thread/turn-diff.ts';
import { ApplyPatchTool } from './apply-patch.ts';
import { ShellCommandTool } from './shell-command.ts';
import type { Tool, ToolContext } from './tool.ts';
import { UpdatePlanTool } from './update-plan.ts';

/** The tools of a turn, in the order in which they are offered. Source: the peer's order. */
export function createTools(
  settings: ThreadSettings,
  ports: {
    readonly runner: CommandRunner;
    readonly files: PatchFiles;
    readonly clock: Clock;
    readonly agentTools?: readonly Tool[];
  },
  turn: { readonly diff: TurnDiff; readonly onPlan: (steps: readonly PlanStep[], context: ToolContext) => void },
): readonly Tool[] {
  const applyPatch = new ApplyPatchTool(settings.model.applyPatchTool ?? 'freeform', {
    files: ports.files,
    clock: ports.clock,
    turnDiff: turn.diff,
  });
  const { agentTools = [] } = ports;
  return [new ShellCommandTool(ports, applyPatch), new UpdatePlanTool(turn.onPlan), applyPatch, ...agentTools];
}

/** Tools that the provider runs by itself. Full access makes the search live unless it is switched off. */
export function hostedTools(settings: Pick<ThreadSettings, 'webSearch' | 'sandbox'>): readonly ToolSpec[] {
  if (settings.webSearch === 'disabled') return [];
  const live = settings.webSearch === 'live' || settings.sandbox.mode === 'danger-full-access';
  return [{ type: 'web_search', external_web_access: live }];
}
