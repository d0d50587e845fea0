import { type AgentsConfig, readAgentsSettings } from './agents-settings.ts';
import { type CommandSettings, readCommandSettings } from './command-settings.ts';
import { type CompactionConfig, readCompactionSettings } from './compaction-settings.ts';
import { type ContextSettings, readContextSettings } from './context-settings.ts';
import { type FeatureSettings, isFeatureSet, readFeatureSettings } from './feature-settings.ts';
import { type HookConfig, readHookSettings } from './hook-settings.ts';
import { type JavaScriptConfig, readJavaScriptSettings } from './javascript-settings.ts';
import { type LoginSettings, readLoginSettings } from './login-settings.ts';
import { type McpConfig, readMcpSettings } from './mcp-settings.ts';
import { misspelledKeys } from './misspelled-keys.ts';
import { type ModelSettings, readModelSettings } from './model-settings.ts';
import { type NoticeSettings, readNoticeSettings } from './notice-settings.ts';
import type { ProjectFacts } from './project-layers.ts';
import { type ProviderSettings, readProviderSettings } from './provider-settings.ts';
import { type LayerOptions, type LayerStack, readLayers } from './read-layers.ts';
import { readRequirements } from './read-requirements.ts';
import { constrainSettings, type ManagedRequirements } from './requirements.ts';
import { readSafetySettings, type SafetySettings } from './safety-settings.ts';
import { readTelemetrySettings, type TelemetryConfig } from './telemetry-settings.ts';
import { readWebSearchSettings, type WebSearchConfig } from './web-search-settings.ts';

/** What the product reads of the configuration, decoded. The keys are those of `CONFIG_KEYS`. */
export interface Config
  extends ModelSettings,
    ProviderSettings,
    LoginSettings,
    NoticeSettings,
    TelemetryConfig,
    SafetySettings,
    CommandSettings,
    ContextSettings,
    FeatureSettings,
    CompactionConfig,
    AgentsConfig,
    WebSearchConfig,
    JavaScriptConfig,
    McpConfig,
    ProjectFacts,
    HookConfig {
  /** What an administrator allows; the settings here obey it already, what is chosen later has to be asked about. */
  readonly requirements: ManagedRequirements | undefined;
  /** What was ignored or replaced, one sentence each, for a person to read. */
  readonly warnings: readonly string[];
}

export type LoadConfigOptions = LayerOptions;

/**
 * The configuration in effect, lowest first: the machine's `config.toml`, that of the home folder, the chosen profile,
 * the trusted `.codex` folders from the root of the project down to the working directory, the overrides, and what an
 * administrator set over them. A missing file is an empty one; anything else that can not be understood is a
 * ConfigError, with file, line and key where these are known.
 */
export async function loadConfig(options: LoadConfigOptions): Promise<Config> {
  const stack = await readLayers(options);
  return decodeConfig(stack, options);
}

/** @throws ConfigError */
export async function decodeConfig(stack: LayerStack, options: LoadConfigOptions): Promise<Config> {
  try {
    const requirements = await readRequirements(stack);
    const config = await decode(stack, options, requirements);
    return requirements === undefined ? config : { ...config, ...constrainSettings(config, requirements) };
  } catch (error) {
    throw (await import('./locate-error.ts')).withLine(error, stack.layers);
  }
}

async function decode(
  stack: LayerStack,
  options: LoadConfigOptions,
  requirements: ManagedRequirements | undefined,
): Promise<Config> {
  const { layers, reader, owner, project } = stack;
  const overrides = layers.filter(({ kind }) => kind === 'command-line');
  const pins = requirements?.features ?? {};
  const warnings = [...overrides.flatMap(({ table }) => misspelledKeys(table)), ...stack.warnings];
  return {
    ...(await readModelSettings(reader, warnings)),
    ...readProviderSettings(reader, { environment: options.environment, warnings }),
    ...readLoginSettings(owner),
    ...readNoticeSettings(owner),
    ...readTelemetrySettings(owner),
    ...readSafetySettings(reader, warnings),
    ...readCommandSettings(reader, warnings),
    ...readContextSettings(reader),
    ...readFeatureSettings(reader, { pins, warnings }),
    ...(await readCompactionSettings(reader)),
    ...readAgentsSettings(reader),
    ...readWebSearchSettings(reader, { pins, warnings }),
    ...readJavaScriptSettings(reader, owner),
    ...readMcpSettings(reader, { owner, warnings }),
    ...project.facts,
    ...(await readHooks()),
    requirements,
    warnings,
  };

  /** Only the user may switch them off, not a project. */
  async function readHooks(): Promise<HookConfig> {
    if (isFeatureSet(owner, 'hooks', pins) === false) return { hooks: [] };
    const folders = [...(options.ignoreUserConfig === true ? [] : [options.home]), ...project.facts.projectFolders];
    return readHookSettings(layers, folders, warnings);
  }
}
