import {
  approvalPolicyJson,
  type JsonObject,
  type MessageItem,
  type ResponseItem,
  readApprovalPolicy,
  stringAt,
  type TurnContextLine,
} from '@quire/protocol';
import type { ThreadSettings } from '../thread/settings.ts';
import { environmentSection, lastToldEnvironment } from './environment.ts';
import { updateMessages } from './fragments.ts';
import { permissionsSection } from './permissions.ts';
import {
  changedInstructions,
  collaborationModeSection,
  modelSwitchSection,
  personalitySection,
  takeoverInstructions,
  untoldPersonality,
} from './sections.ts';
import { sandboxPolicyJson } from './turn-context-line.ts';

/** What the settings say that `baseline` and the history do not. Source: settings difference facts. */
export function contextDifference(
  settings: ThreadSettings,
  known: {
    readonly baseline: TurnContextLine;
    /** Of the last regular turn. */
    readonly previousModel: string;
    readonly history: readonly ResponseItem[];
  },
): readonly MessageItem[] {
  const { baseline, previousModel, history } = known;
  const sections = {
    'model-switch': previousModel === settings.model.slug ? undefined : modelSwitchSection(takeoverText(settings)),
    permissions: samePermissions(baseline, settings)
      ? undefined
      : permissionsSection(settings.sandbox, settings.approvalPolicy),
    // A mode without instructions tells nothing: what the last one said stays in force.
    'collaboration-mode':
      baseline.collaboration_mode?.mode === settings.collaborationMode?.mode
        ? undefined
        : collaborationModeSection(settings),
    personality:
      baseline.model === settings.model.slug
        ? personalitySection(settings, { known: baseline.personality ?? settings.bakedPersonality })
        : undefined,
    'project-instructions': changedInstructions(settings, history),
    environment: changedEnvironment(settings, { baseline, history }),
  };
  return updateMessages(sections, { omitted: settings.omittedSections });
}

/** A change of the personality that comes with another model would be lost if its instructions did not hold it. */
function takeoverText(settings: ThreadSettings): string {
  const { text, bakedPersonality } = takeoverInstructions(settings);
  const personality = untoldPersonality(settings, { baked: bakedPersonality });
  return personality === undefined ? text : `${text}\n\n${personality}`;
}

function samePermissions(baseline: TurnContextLine, settings: ThreadSettings): boolean {
  return (
    approvalMeaning(baseline.approval_policy) === approvalMeaning(approvalPolicyJson(settings.approvalPolicy)) &&
    sandboxMeaning(baseline.sandbox_policy) === sandboxMeaning(sandboxPolicyJson(settings.sandbox))
  );
}

/** Equal for policies that ask the same, in whatever form they were written. */
function approvalMeaning(policy: TurnContextLine['approval_policy']): string {
  const reading = readApprovalPolicy(policy);
  return JSON.stringify(reading.kind === 'ok' ? approvalPolicyJson(reading.policy) : policy);
}

/**
 * Equal for policies that allow the same, whoever wrote them: the order of keys and of roots, keys with their usual
 * value and keys of other programs do not matter. Source: lines of 0.169, which leave out empty roots.
 */
function sandboxMeaning(policy: JsonObject): string {
  const type = stringAt(policy, 'type');
  if (type === 'danger-full-access') return type;
  const network = policy['network_access'] === true;
  if (type !== 'workspace-write') return JSON.stringify([type, network]);
  const roots = Array.isArray(policy['writable_roots']) ? policy['writable_roots'].map(String) : [];
  const exclusions = [policy['exclude_tmpdir_env_var'] === true, policy['exclude_slash_tmp'] === true];
  return JSON.stringify([type, network, ...exclusions, [...new Set(roots)].sort()]);
}

/** The shell alone changes nothing, and what is not known any more can not be told. */
function changedEnvironment(
  settings: ThreadSettings,
  { baseline, history }: { readonly baseline: TurnContextLine; readonly history: readonly ResponseItem[] },
): string | undefined {
  const { environment } = settings;
  const isCwdChanged = baseline.cwd !== settings.cwd;
  const isChanged =
    isCwdChanged ||
    isNews(environment.currentDate, () => baseline.current_date ?? lastToldEnvironment(history, 'current_date')) ||
    isNews(environment.timezone, () => baseline.timezone ?? lastToldEnvironment(history, 'timezone'));
  if (!isChanged) return undefined;
  return environmentSection(environment, { cwd: isCwdChanged ? settings.cwd : undefined, withGit: false });
}

/** Lines of some programs leave out what their environment section told; then the history is asked. */
function isNews(current: string | undefined, known: () => string | undefined): boolean {
  return current !== undefined && current !== known();
}
