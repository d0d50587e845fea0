import { approvalPolicyJson, type SandboxPolicy, type TurnContextLine } from '@quire/protocol';
import type { ThreadSettings } from '../thread/settings.ts';

/** The settings of a turn as the rollout keeps them; also the baseline for the next turn's difference. */
export function turnContextLine(
  settings: ThreadSettings,
  turn: {
    readonly turnId: string | undefined;
    readonly outputSchema: TurnContextLine['final_output_json_schema'] | undefined;
  },
): TurnContextLine {
  const { environment } = settings;
  return {
    ...(turn.turnId === undefined ? {} : { turn_id: turn.turnId }),
    cwd: settings.cwd,
    ...(environment.currentDate === undefined ? {} : { current_date: environment.currentDate }),
    ...(environment.timezone === undefined ? {} : { timezone: environment.timezone }),
    approval_policy: approvalPolicyJson(settings.approvalPolicy),
    sandbox_policy: sandboxPolicyJson(settings.sandbox),
    model: settings.model.slug,
    ...(settings.personality === undefined ? {} : { personality: settings.personality }),
    ...collaborationModeLine(settings),
    ...(settings.reasoningEffort === undefined ? {} : { effort: settings.reasoningEffort }),
    summary: settings.reasoningSummary,
    ...(settings.developerInstructions === undefined ? {} : { developer_instructions: settings.developerInstructions }),
    ...(turn.outputSchema === undefined ? {} : { final_output_json_schema: turn.outputSchema }),
    truncation_policy: settings.model.truncation,
  };
}

function collaborationModeLine(settings: ThreadSettings): Pick<TurnContextLine, 'collaboration_mode'> {
  const mode = settings.collaborationMode;
  if (mode === undefined) return {};
  return {
    collaboration_mode: {
      mode: mode.mode,
      settings: {
        model: settings.model.slug,
        reasoning_effort: settings.reasoningEffort ?? null,
        developer_instructions: mode.instructions ?? null,
      },
    },
  };
}

/** In the rollout's spelling. */
export function sandboxPolicyJson(sandbox: SandboxPolicy): TurnContextLine['sandbox_policy'] {
  if (sandbox.mode !== 'workspace-write') return { type: sandbox.mode };
  return {
    type: sandbox.mode,
    writable_roots: sandbox.writableRoots,
    network_access: sandbox.networkAccess,
    exclude_tmpdir_env_var: sandbox.excludeTmpdirEnvVar,
    exclude_slash_tmp: sandbox.excludeSlashTmp,
  };
}
