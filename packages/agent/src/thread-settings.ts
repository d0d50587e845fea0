import { realpathSync } from 'node:fs';
import {
  type CollaborationMode,
  type Confinement,
  confinementOf,
  DEFAULT_MODEL,
  type EnvironmentFacts,
  findModel,
  javaScriptGuidance,
  modelInstructions,
  type ShellToolForm,
  supportsPersonality,
  type ThreadSettings,
  type ToolSettings,
} from '@quire/core';
import type {
  ApprovalPolicy,
  CompactionStrategyName,
  ModelInfo,
  Personality,
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
    readonly processEnvironment: Readonly<Record<string, string | undefined>>;
    /** Text kept in the header of a resumed thread. */
    readonly storedInstructions: string | undefined;
    /** Settings of the last turn of a resumed thread. */
    readonly storedContext: TurnContextLine | undefined;
  },
): ThreadSettings {
  const model = modelInfo(config, options.model ?? config.model ?? known.storedContext?.model ?? DEFAULT_MODEL);
  const sandbox = sandboxPolicy(config, options);
  const tools = toolSettings(config, model);
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
    projectInstructions: withGuidance(known.place.projectInstructions, tools),
    environment: known.place.environment,
    reasoningEffort:
      config.modelReasoningEffort ?? storedEffort(known.storedContext, model) ?? model.defaultReasoningEffort,
    reasoningSummary: config.modelReasoningSummary ?? model.defaultReasoningSummary,
    verbosity: config.modelVerbosity,
    serviceTier: config.serviceTier === 'fast' ? 'priority' : config.serviceTier,
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
    tools,
    network: { allowedHosts: config.allowedHosts },
    streamMaxRetries: config.provider.streamMaxRetries,
    toolOutputTokenLimit: config.toolOutputTokenLimit,
  };
}

const SHELL_FORMS: Readonly<Record<ModelInfo['shellType'], ShellToolForm>> = {
  default: 'shell',
  local: 'local-shell',
  unified_exec: 'unified-exec',
  shell_command: 'shell-command',
  disabled: 'none',
};

/** Tools that are there unless they are switched off. */
const USUAL_TOOLS: readonly string[] = ['view_image'];
/** Tools that a feature of the same name switches on. */
const OPTIONAL_TOOLS: readonly string[] = [
  'js_repl',
  'js_repl_tools_only',
  'default_mode_request_user_input',
  'grep_files',
  'read_file',
  'list_dir',
];

function toolSettings(config: Config, model: ModelInfo): ToolSettings {
  const { features } = config;
  const enabled = new Set([...USUAL_TOOLS, ...model.experimentalTools]);
  for (const name of OPTIONAL_TOOLS) if (features[name] === true) enabled.add(name);
  for (const name of USUAL_TOOLS) if (features[name] === false) enabled.delete(name);
  const form = SHELL_FORMS[model.shellType];
  return {
    shell:
      features['shell_tool'] === false
        ? 'none'
        : features['unified_exec'] === true && form !== 'none'
          ? 'unified-exec'
          : form,
    enabled,
    originalImages: features['view_image_original_resolution'] === true,
  };
}

/** What a tool needs to be told beside its description stands behind the instructions of the project. */
function withGuidance(instructions: string | undefined, { enabled, originalImages }: ToolSettings): string | undefined {
  if (!enabled.has('js_repl')) return instructions;
  const guidance = javaScriptGuidance({ originalImages });
  if (instructions === undefined) return guidance;
  return instructions.endsWith(guidance) ? instructions : `${instructions}\n\n${guidance}`;
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
