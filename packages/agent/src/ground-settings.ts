import { resolveSettings, type ThreadSettings } from '@quire/core';
import { systemClock } from '@quire/host';
import { AgentError } from './agent-error.ts';
import type { ThreadOptions, TurnOverrides } from './api.ts';
import type { ThreadModels } from './models/thread-models.ts';
import { localDate, type PlaceReading, readPlace, resolveWorkingDirectory } from './place.ts';
import type { Site } from './site.ts';
import type { StoredThread } from './stored-thread.ts';
import type { ThreadGround } from './thread-ground.ts';
import { type PlaceFacts, resolveThreadSettings } from './thread-settings.ts';
import { changedChoices } from './turn-choices.ts';

/** The place of a new thread. @throws AgentError 'not-a-repository' unless that was said to be fine */
export async function readRepository(site: Site, options: ThreadOptions, shellName: string): Promise<PlaceReading> {
  const place = await placeAt(site, options, shellName);
  if (place.environment.git !== undefined || options.skipGitRepoCheck === true) return place;
  throw new AgentError(
    'not-a-repository',
    `${site.cwd} is not inside a git repository; run \`git init\`, choose another with -C, or pass --skip-git-repo-check`,
  );
}

/** The settings that a thread begins with. */
export function openingSettings(
  { config, environment }: Site,
  options: ThreadOptions,
  known: {
    readonly place: PlaceFacts;
    readonly models: ThreadModels;
    readonly stored: StoredThread | undefined;
  },
): ThreadSettings {
  const { place, models, stored } = known;
  return resolveThreadSettings(config, options, {
    place,
    models,
    processEnvironment: environment,
    storedInstructions: stored?.seed.meta?.base_instructions?.text,
    storedContext: stored?.seed.previousContext ?? stored?.seed.baseline,
  });
}

/** The settings of a thread on the day it is now and with what is known of its model; often the very same object. */
export function currentSettings({ models }: ThreadGround, settings: ThreadSettings): ThreadSettings {
  const { environment } = settings;
  const currentDate = localDate(systemClock.now());
  const today =
    environment.currentDate === currentDate ? settings : { ...settings, environment: { ...environment, currentDate } };
  const model = models.describe(settings.model.slug);
  return model === settings.model ? today : resolveSettings({ ...today, model });
}

/** The settings of a thread after a turn asked for others. */
export async function changeSettings(
  ground: ThreadGround,
  settings: ThreadSettings,
  overrides: TurnOverrides,
): Promise<ThreadSettings> {
  const { config, environment } = ground.site;
  const options: ThreadOptions = {
    ...ground.options,
    model: overrides.model ?? settings.model.slug,
    sandboxMode: overrides.sandboxMode ?? settings.sandbox.mode,
  };
  const resolved = resolveThreadSettings(config, options, {
    place: await changedPlace(ground, settings, overrides.workingDirectory),
    processEnvironment: environment,
    models: ground.models,
    storedInstructions: settings.baseInstructions,
    storedContext: undefined,
  });
  return resolveSettings({
    ...resolved,
    choices: changedChoices(settings.choices, overrides, { configured: resolved.choices }),
    baseInstructions: settings.baseInstructions,
    bakedPersonality: settings.bakedPersonality,
    approvalPolicy: overrides.approvalPolicy ?? settings.approvalPolicy,
    collaborationMode:
      overrides.collaborationMode === undefined
        ? settings.collaborationMode
        : { mode: overrides.collaborationMode.mode, instructions: overrides.collaborationMode.instructions },
  });
}

async function changedPlace(
  { site, options }: ThreadGround,
  settings: ThreadSettings,
  workingDirectory: string | undefined,
): Promise<PlaceFacts> {
  const cwd = workingDirectory === undefined ? settings.cwd : await resolveWorkingDirectory(workingDirectory);
  return cwd === settings.cwd ? settings : await placeAt({ ...site, cwd }, options, settings.environment.shellName);
}

function placeAt(site: Site, options: ThreadOptions, shellName: string): Promise<PlaceReading> {
  return readPlace({
    ...site,
    shellName,
    otherRoots: options.additionalDirectories ?? [],
    processEnvironment: site.environment,
    nowMs: systemClock.now(),
  });
}
