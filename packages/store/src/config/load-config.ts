import os from 'node:os';
import path from 'node:path';
import type { Environment } from '../home.ts';
import { type AgentsConfig, readAgentsSettings } from './agents-settings.ts';
import { type CompactionConfig, readCompactionSettings } from './compaction-settings.ts';
import { readFileLayer } from './config-file.ts';
import { type ContextSettings, readContextSettings } from './context-settings.ts';
import { type FeatureSettings, readFeatureSettings } from './feature-settings.ts';
import { type HookConfig, readHookSettings } from './hook-settings.ts';
import { type JavaScriptConfig, readJavaScriptSettings } from './javascript-settings.ts';
import type { ConfigLayer } from './layers.ts';
import { type McpConfig, readMcpSettings } from './mcp-settings.ts';
import { misspelledKeys } from './misspelled-keys.ts';
import { type ModelSettings, readModelSettings } from './model-settings.ts';
import { OVERRIDE_SOURCE, parseOverrides } from './overrides.ts';
import { type ProjectFacts, readProject } from './project-layers.ts';
import { type ProviderSettings, readProviderSettings } from './provider-settings.ts';
import { readSafetySettings, type SafetySettings } from './safety-settings.ts';
import { SettingReader } from './setting-reader.ts';
import { readWebSearchSettings, type WebSearchConfig } from './web-search-settings.ts';

/** What the product reads of the configuration, decoded. The keys are those of `CONFIG_KEYS`. */
export interface Config
  extends ModelSettings,
    ProviderSettings,
    SafetySettings,
    ContextSettings,
    FeatureSettings,
    CompactionConfig,
    AgentsConfig,
    WebSearchConfig,
    JavaScriptConfig,
    McpConfig,
    ProjectFacts,
    HookConfig {
  /** What was ignored or replaced, one sentence each, for a person to read. */
  readonly warnings: readonly string[];
}

export interface LoadConfigOptions {
  /** Absolute. See `resolveHome`. */
  readonly home: string;
  /** Absolute. Relative paths in `overrides` start here. */
  readonly cwd: string;
  /** Raw texts of `-c`, in the order given. */
  readonly overrides: readonly string[];
  /** Read for `HOME` only; no setting is taken from it. */
  readonly environment: Environment;
  /** Leaves `config.toml` of the home folder unread. Default false. */
  readonly ignoreUserConfig?: boolean;
}

/**
 * The configuration in effect: `config.toml` of the home folder, then of the trusted `.codex` folders from the root of
 * the project down to the working directory, then the overrides. A missing file is an empty one; anything else that
 * can not be understood is a ConfigError.
 */
export async function loadConfig(options: LoadConfigOptions): Promise<Config> {
  const user = await readUserLayer(options);
  const overrides = await readOverrides(options);
  const warnings: string[] = overrides.flatMap(({ table }) => misspelledKeys(table));
  const homeDirectory = options.environment['HOME'] || os.homedir();
  const owner = new SettingReader([...user, ...overrides], { homeDirectory });
  const project = await readProject(owner, { cwd: options.cwd, home: options.home, warnings });
  const layers = [...user, ...project.layers, ...overrides];
  const reader = project.layers.length === 0 ? owner : new SettingReader(layers, { homeDirectory });
  return {
    ...(await readModelSettings(reader, warnings)),
    ...readProviderSettings(reader, warnings),
    ...readSafetySettings(reader, warnings),
    ...readContextSettings(reader),
    ...readFeatureSettings(reader),
    ...(await readCompactionSettings(reader)),
    ...readAgentsSettings(reader),
    ...readWebSearchSettings(reader, warnings),
    ...readJavaScriptSettings(reader, owner),
    ...readMcpSettings(reader, { owner, warnings }),
    ...project.facts,
    ...(await readHooks()),
    warnings,
  };

  /** Only the user may switch them off, not a project. */
  async function readHooks(): Promise<HookConfig> {
    if (readFeatureSettings(owner).features['hooks'] === false) return { hooks: [] };
    const folders = [...(options.ignoreUserConfig === true ? [] : [options.home]), ...project.facts.projectFolders];
    return readHookSettings(layers, folders, warnings);
  }
}

async function readUserLayer(options: LoadConfigOptions): Promise<readonly ConfigLayer[]> {
  if (options.ignoreUserConfig === true) return [];
  const layer = await readFileLayer(path.join(options.home, 'config.toml'));
  return layer === undefined ? [] : [layer];
}

async function readOverrides(options: LoadConfigOptions): Promise<readonly ConfigLayer[]> {
  if (options.overrides.length === 0) return [];
  return [{ source: OVERRIDE_SOURCE, baseDirectory: options.cwd, table: await parseOverrides(options.overrides) }];
}
