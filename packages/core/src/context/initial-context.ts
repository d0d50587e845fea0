import type { MessageItem, ResponseItem, TurnContextLine } from '@quire/protocol';
import type { ThreadSettings } from '../thread/settings.ts';
import { environmentSection } from './environment.ts';
import { lastProjectInstructions, messageOfSections, projectInstructionsSection } from './fragments.ts';
import { permissionsSection } from './permissions.ts';

/**
 * What a turn tells the model before the user's message. Without a baseline: everything, as one developer
 * bundle and one contextual user message. With one: only what changed since.
 */
export function contextMessages(
  settings: ThreadSettings,
  known: { readonly baseline: TurnContextLine | undefined; readonly history: readonly ResponseItem[] },
): readonly MessageItem[] {
  const { baseline, history } = known;
  const messages =
    baseline === undefined ? initialContext(settings) : contextDifference(settings, { baseline, history });
  return messages.filter((message) => message !== undefined);
}

function initialContext(settings: ThreadSettings): readonly (MessageItem | undefined)[] {
  return [
    messageOfSections('developer', [
      permissionsSection(settings.sandbox, settings.approvalPolicy),
      settings.developerInstructions,
    ]),
    messageOfSections('user', [
      instructionsOf(settings),
      environmentSection(settings.environment, { cwd: settings.cwd, withGit: true }),
    ]),
  ];
}

function instructionsOf(settings: ThreadSettings): string | undefined {
  if (settings.projectInstructions === undefined) return undefined;
  return projectInstructionsSection(settings.cwd, settings.projectInstructions);
}

function contextDifference(
  settings: ThreadSettings,
  { baseline, history }: { readonly baseline: TurnContextLine; readonly history: readonly ResponseItem[] },
): readonly (MessageItem | undefined)[] {
  const current = turnContextLine(settings, { turnId: undefined, outputSchema: undefined });
  const permissionsChanged =
    baseline.approval_policy !== current.approval_policy ||
    JSON.stringify(baseline.sandbox_policy) !== JSON.stringify(current.sandbox_policy);
  const cwdChanged = baseline.cwd !== current.cwd;
  const environmentChanged =
    cwdChanged || baseline.current_date !== current.current_date || baseline.timezone !== current.timezone;
  return [
    messageOfSections('developer', [
      baseline.model === current.model ? undefined : modelSwitchSection(settings),
      permissionsChanged ? permissionsSection(settings.sandbox, settings.approvalPolicy) : undefined,
    ]),
    messageOfSections('user', [
      changedInstructions(settings, history),
      environmentChanged
        ? environmentSection(settings.environment, { cwd: cwdChanged ? settings.cwd : undefined, withGit: false })
        : undefined,
    ]),
  ];
}

/** Instructions that the history does not end with already; when there are none any more, that they ended. */
function changedInstructions(settings: ThreadSettings, history: readonly ResponseItem[]): string | undefined {
  const known = lastProjectInstructions(history);
  const current = instructionsOf(settings);
  if (known === undefined || known === current) return known === undefined ? current : undefined;
  const ended = projectInstructionsSection(settings.cwd, 'The project instructions given before no longer apply.');
  return current ?? (known === ended ? undefined : ended);
}

function modelSwitchSection(settings: ThreadSettings): string {
  const introduction =
    'This thread was served by another model until now. Go on from where it stands, under these instructions:';
  return `<model_switch>\n${introduction}\n\n${settings.baseInstructions}\n</model_switch>`;
}

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
    approval_policy: settings.approvalPolicy,
    sandbox_policy: sandboxPolicyJson(settings),
    model: settings.model.slug,
    ...(settings.reasoningEffort === undefined ? {} : { effort: settings.reasoningEffort }),
    summary: settings.reasoningSummary,
    ...(settings.developerInstructions === undefined ? {} : { developer_instructions: settings.developerInstructions }),
    ...(turn.outputSchema === undefined ? {} : { final_output_json_schema: turn.outputSchema }),
    truncation_policy: settings.model.truncation,
  };
}

function sandboxPolicyJson(settings: ThreadSettings): TurnContextLine['sandbox_policy'] {
  const { sandbox } = settings;
  if (sandbox.mode !== 'workspace-write') return { type: sandbox.mode };
  return {
    type: sandbox.mode,
    writable_roots: sandbox.writableRoots,
    network_access: sandbox.networkAccess,
    exclude_tmpdir_env_var: sandbox.excludeTmpdirEnvVar,
    exclude_slash_tmp: sandbox.excludeSlashTmp,
  };
}
