import { realpathSync } from 'node:fs';
import { BASE_INSTRUCTIONS, DEFAULT_MODEL, type EnvironmentFacts, findModel, type ThreadSettings } from '@quire/core';
import { hostTraits } from '@quire/model-client';
import type { ModelInfo, SandboxMode, SandboxPolicy } from '@quire/protocol';
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
 * The values a thread works with. Explicit options win over configuration, configuration over what a
 * resumed thread had, that over defaults.
 */
export function resolveThreadSettings(
  config: Config,
  options: ThreadOptions,
  known: {
    readonly place: PlaceFacts;
    readonly processEnvironment: Readonly<Record<string, string | undefined>>;
    /** Text kept in the header of a resumed thread. */
    readonly storedInstructions: string | undefined;
    /** Model of the last turn of a resumed thread. */
    readonly storedModel: string | undefined;
  },
): ThreadSettings {
  const model = modelInfo(config, options.model ?? config.model ?? known.storedModel ?? DEFAULT_MODEL);
  const sandbox = sandboxPolicy(config, options);
  return {
    cwd: known.place.cwd,
    model,
    baseInstructions: config.baseInstructions ?? known.storedInstructions ?? BASE_INSTRUCTIONS,
    developerInstructions: config.developerInstructions,
    projectInstructions: known.place.projectInstructions,
    environment: known.place.environment,
    reasoningEffort: config.modelReasoningEffort ?? model.defaultReasoningEffort,
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

function modelInfo(config: Config, name: string): ModelInfo {
  const found = findModel(name);
  return {
    ...found,
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
