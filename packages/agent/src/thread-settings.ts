import { realpathSync } from 'node:fs';
import {
  type CollaborationMode,
  type Confinement,
  confinementOf,
  type EnvironmentFacts,
  type ModelKnowledge,
  modelInstructions,
  resolvePersonality,
  resolveSettings,
  type ThreadSettings,
} from '@quire/core';
import type {
  ApprovalPolicy,
  CompactionStrategyName,
  SandboxMode,
  SandboxPolicy,
  TurnContextLine,
} from '@quire/protocol';
import {
  type Config,
  constrainApprovalPolicy,
  constrainSandboxMode,
  type TrustDefaults,
  trustDefaults,
} from '@quire/store';
import type { ThreadOptions } from './api.ts';
import { configuredChoices } from './turn-choices.ts';

/** What the machine says about the place, gathered before a thread opens. */
export interface PlaceFacts {
  readonly cwd: string;
  readonly environment: EnvironmentFacts;
  readonly projectInstructions: string | undefined;
}

/** Where nobody can be asked. Source: `exec` of the peer. */
const UNATTENDED_POLICY = 'never';

/**
 * The values a thread works with. Explicit options win over configuration, configuration over what a resumed thread
 * had (model, effort, personality, collaboration mode), that over defaults. What it may do is never taken over: that
 * is said anew each time.
 */
export function resolveThreadSettings(
  config: Config,
  options: ThreadOptions,
  known: {
    readonly place: PlaceFacts;
    readonly models: Pick<ModelKnowledge, 'describe'> & {
      /** The name that was asked for, else the model to begin with. */
      choose(explicit: string | undefined): string;
    };
    readonly processEnvironment: Readonly<Record<string, string | undefined>>;
    /** Text kept in the header of a resumed thread. */
    readonly storedInstructions: string | undefined;
    /** Settings of the last turn of a resumed thread. */
    readonly storedContext: TurnContextLine | undefined;
  },
): ThreadSettings {
  const { models, storedContext } = known;
  const model = models.describe(models.choose(options.model ?? config.model ?? storedContext?.model));
  const choices = configuredChoices(config, storedContext, model.slug);
  const sandbox = sandboxPolicy(config, options);
  const personality = resolvePersonality(model, choices.personality);
  const own = modelInstructions(model, { personality, personalityFeature: choices.personality.feature });
  const givenInstructions = config.baseInstructions ?? known.storedInstructions;
  return resolveSettings({
    cwd: known.place.cwd,
    model,
    choices,
    baseInstructions: givenInstructions ?? own.text,
    bakedPersonality:
      givenInstructions === undefined || givenInstructions === own.text ? own.bakedPersonality : undefined,
    collaborationMode: storedCollaborationMode(storedContext),
    gitInContext: config.includeGitContext,
    omittedSections: config.omittedSections,
    compaction: {
      strategies: config.compactionStrategies ?? compactionStrategies(config),
      deadlineMs: config.compactionDeadlineSeconds * 1_000,
      autoCompactTokenLimit: config.modelAutoCompactTokenLimit,
      prompt: config.compactPrompt,
      ledger: config.compactionLedger,
    },
    developerInstructions: config.developerInstructions,
    projectInstructions: known.place.projectInstructions,
    environment: known.place.environment,
    approvalPolicy: constrainApprovalPolicy(wantedPolicy(config, options), config.requirements).value,
    sandbox,
    temporaryRoots: sandbox.mode === 'workspace-write' ? temporaryRoots(sandbox, known.processEnvironment) : [],
    webSearch: {
      mode: config.webSearch,
      allowedDomains: config.webSearchAllowedDomains,
      contextSize: config.webSearchContextSize,
      location: config.webSearchLocation,
      isServed: config.provider.name === 'OpenAI',
    },
    commands: {
      allowLoginShell: config.allowLoginShell,
      longestPollMs: config.backgroundTerminalMaxTimeoutMs,
    },
    network: { allowedHosts: config.allowedHosts },
    streamMaxRetries: config.provider.streamMaxRetries,
    toolOutputTokenLimit: config.toolOutputTokenLimit,
  });
}

/** Nothing in the configuration says it, so a thread that was in a mode stays in it. */
function storedCollaborationMode(context: TurnContextLine | undefined): CollaborationMode | undefined {
  const stored = context?.collaboration_mode;
  if (stored === undefined) return undefined;
  return { mode: stored.mode, instructions: stored.settings.developer_instructions ?? undefined };
}

/** Only the first-party provider compacts by itself. */
function compactionStrategies({ provider }: Config): readonly CompactionStrategyName[] {
  return provider.name === 'OpenAI' ? ['endpoint', 'trigger', 'local', 'trim'] : ['local', 'trim'];
}

/** What is not configured goes by the trust in the project. */
function defaultsOf({ trust }: Config): TrustDefaults {
  return trustDefaults(trust, { canSandbox: process.platform === 'linux' || process.platform === 'darwin' });
}

function wantedPolicy(config: Config, { person }: ThreadOptions): ApprovalPolicy {
  return config.approvalPolicy ?? (person === undefined ? UNATTENDED_POLICY : defaultsOf(config).approvalPolicy);
}

function wantedMode(config: Config, { sandboxMode }: ThreadOptions): SandboxMode {
  return sandboxMode ?? config.sandboxMode ?? defaultsOf(config).sandboxMode;
}

/** What whoever manages this machine does not allow, and what stands in for it. */
export function requirementNotices(config: Config, options: ThreadOptions): readonly string[] {
  const { requirements } = config;
  // What is configured was judged when it was read.
  const policy = config.approvalPolicy === undefined ? wantedPolicy(config, options) : undefined;
  const mode = options.sandboxMode ?? (config.sandboxMode === undefined ? wantedMode(config, options) : undefined);
  return [
    policy === undefined ? undefined : constrainApprovalPolicy(policy, requirements).notice,
    mode === undefined ? undefined : constrainSandboxMode(mode, requirements).notice,
  ].filter((notice) => notice !== undefined);
}

/** What commands may touch, of a thread with these options. */
export function confinementAt(
  config: Config,
  options: ThreadOptions,
  place: { readonly cwd: string; readonly processEnvironment: Readonly<Record<string, string | undefined>> },
): Confinement {
  const sandbox = sandboxPolicy(config, options);
  return confinementOf({
    cwd: place.cwd,
    sandbox,
    temporaryRoots: sandbox.mode === 'workspace-write' ? temporaryRoots(sandbox, place.processEnvironment) : [],
    network: { allowedHosts: config.allowedHosts },
  });
}

function sandboxPolicy(config: Config, options: ThreadOptions): SandboxPolicy {
  const workspace = config.sandboxWorkspaceWrite;
  return {
    ...workspace,
    mode: constrainSandboxMode(wantedMode(config, options), config.requirements).value,
    writableRoots: [...workspace.writableRoots, ...(options.additionalDirectories ?? [])].map(realPathOf),
  };
}

function temporaryRoots(
  sandbox: SandboxPolicy,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const roots: string[] = [];
  if (!sandbox.excludeSlashTmp) roots.push('/tmp');
  const temporary = environment['TMPDIR'];
  if (!sandbox.excludeTmpdirEnvVar && temporary !== undefined && temporary.startsWith('/')) roots.push(temporary);
  return roots.map(realPathOf);
}

/** Symbolic links resolved; the path itself when nothing is there yet. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
