import { realpathSync } from 'node:fs';
import {
  type CollaborationMode,
  DEFAULT_MODEL,
  type EnvironmentFacts,
  findModel,
  modelInstructions,
  supportsPersonality,
  type ThreadSettings,
} from '@quire/core';
import { hostTraits } from '@quire/model-client';
import type {
  CompactionStrategyName,
  ModelInfo,
  Personality,
  SandboxMode,
  SandboxPolicy,
  TurnContextLine,
} from '@quire/protocol';
import type { Config } from '@quire/store';
import type { ThreadOptions } from './api.ts';

/** What the machine says about the place, gathered before a thread opens. */
export interface PlaceFacts {
  readonly cwd: string;
  readonly environment: EnvironmentFacts;
  readonly projectInstructions: string | undefined;
}

/** Nobody can be asked in a run without a terminal, so that is the default. Source: `exec` of the peer. */
const DEFAULT_APPROVAL_POLICY = 'never';
const DEFAULT_SANDBOX_MODE: SandboxMode = 'read-only';

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
    readonly processEnvironment: Readonly<Record<string, string | undefined>>;
    /** Text kept in the header of a resumed thread. */
    readonly storedInstructions: string | undefined;
    /** Settings of the last turn of a resumed thread. */
    readonly storedContext: TurnContextLine | undefined;
  },
): ThreadSettings {
  const model = modelInfo(config, options.model ?? config.model ?? known.storedContext?.model ?? DEFAULT_MODEL);
  const sandbox = sandboxPolicy(config, options);
  const personality = personalityOf(config, model, known.storedContext);
  const own = modelInstructions(model, { personality, personalityFeature: hasPersonalities(config) });
  const givenInstructions = config.baseInstructions ?? known.storedInstructions;
  return {
    cwd: known.place.cwd,
    model,
    baseInstructions: givenInstructions ?? own.text,
    personality,
    bakedPersonality:
      givenInstructions === undefined || givenInstructions === own.text ? own.bakedPersonality : undefined,
    collaborationMode: storedCollaborationMode(known.storedContext),
    gitInContext: config.includeGitContext,
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
    reasoningEffort:
      config.modelReasoningEffort ?? storedEffort(known.storedContext, model) ?? model.defaultReasoningEffort,
    reasoningSummary: config.modelReasoningSummary ?? model.defaultReasoningSummary,
    verbosity: config.modelVerbosity,
    serviceTier: config.serviceTier === 'fast' ? 'priority' : config.serviceTier,
    approvalPolicy: config.approvalPolicy ?? DEFAULT_APPROVAL_POLICY,
    sandbox,
    temporaryRoots: sandbox.mode === 'workspace-write' ? temporaryRoots(sandbox, known.processEnvironment) : [],
    webSearch: config.webSearch ?? (hostTraits(config.provider).searchesWeb ? 'cached' : 'disabled'),
    streamMaxRetries: config.provider.streamMaxRetries,
    toolOutputTokenLimit: config.toolOutputTokenLimit,
  };
}

/** Nothing in the configuration says it, so a thread that was in a mode stays in it. */
function storedCollaborationMode(context: TurnContextLine | undefined): CollaborationMode | undefined {
  const stored = context?.collaboration_mode;
  if (stored === undefined) return undefined;
  return { mode: stored.mode, instructions: stored.settings.developer_instructions ?? undefined };
}

/** Source: the peer's default where a model has personalities. */
const DEFAULT_PERSONALITY: Personality = 'pragmatic';

function hasPersonalities(config: Config): boolean {
  return config.features['personality'] ?? true;
}

function personalityOf(config: Config, model: ModelInfo, stored: TurnContextLine | undefined): Personality | undefined {
  if (!hasPersonalities(config)) return undefined;
  const before = PERSONALITIES.find((known) => known === stored?.personality);
  return config.personality ?? before ?? (supportsPersonality(model) ? DEFAULT_PERSONALITY : undefined);
}

const PERSONALITIES: readonly Personality[] = ['none', 'friendly', 'pragmatic'];

/** Efforts are words of a model, so another model's does not count. */
function storedEffort(stored: TurnContextLine | undefined, model: ModelInfo): string | undefined {
  return stored?.model === model.slug ? stored.effort : undefined;
}

/** Only the first-party provider compacts by itself. */
function compactionStrategies({ provider }: Config): readonly CompactionStrategyName[] {
  return provider.name === 'OpenAI' ? ['endpoint', 'trigger', 'local', 'trim'] : ['local', 'trim'];
}

/** What is known of a model, with what the configuration says of all models. */
export function modelInfo(config: Config, name: string): ModelInfo {
  const { modelMessages, ...found } = findModel(name);
  // Instructions of one's own hold for every model.
  const instructions =
    config.baseInstructions === undefined
      ? modelMessages === undefined
        ? {}
        : { modelMessages }
      : { baseInstructions: config.baseInstructions };
  return {
    ...found,
    ...instructions,
    contextWindow: config.modelContextWindow ?? found.contextWindow,
    supportsReasoningSummaries: config.modelSupportsReasoningSummaries ?? found.supportsReasoningSummaries,
  };
}

function sandboxPolicy(config: Config, options: ThreadOptions): SandboxPolicy {
  const workspace = config.sandboxWorkspaceWrite;
  return {
    ...workspace,
    mode: options.sandboxMode ?? config.sandboxMode ?? DEFAULT_SANDBOX_MODE,
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
