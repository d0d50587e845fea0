import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Environment } from '../home.ts';
import { describeSystemError, systemErrorCode } from '../system-error.ts';
import { type AgentsConfig, readAgentsSettings } from './agents-settings.ts';
import { type CompactionConfig, readCompactionSettings } from './compaction-settings.ts';
import { ConfigError } from './config-error.ts';
import { type ContextSettings, readContextSettings } from './context-settings.ts';
import { type FeatureSettings, readFeatureSettings } from './feature-settings.ts';
import type { ConfigLayer } from './layers.ts';
import { misspelledKeys } from './misspelled-keys.ts';
import { type ModelSettings, readModelSettings } from './model-settings.ts';
import { OVERRIDE_SOURCE, parseOverrides } from './overrides.ts';
import { type ProviderSettings, readProviderSettings } from './provider-settings.ts';
import { readSafetySettings, type SafetySettings } from './safety-settings.ts';
import { SettingReader } from './setting-reader.ts';
import { parseTomlDocument } from './toml.ts';

/** What the product reads of the configuration, decoded. The keys are those of `CONFIG_KEYS`. */
export interface Config
  extends ModelSettings,
    ProviderSettings,
    SafetySettings,
    ContextSettings,
    FeatureSettings,
    CompactionConfig,
    AgentsConfig {
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
 * The configuration in effect: `config.toml` of the home folder, then the overrides. A missing file is an
 * empty one; anything else that can not be understood is a ConfigError.
 */
export async function loadConfig(options: LoadConfigOptions): Promise<Config> {
  const layers = await readLayers(options);
  const reader = new SettingReader(layers, { homeDirectory: options.environment['HOME'] || os.homedir() });
  const overrides = layers.find((layer) => layer.source === OVERRIDE_SOURCE);
  const warnings: string[] = overrides === undefined ? [] : [...misspelledKeys(overrides.table)];
  return {
    ...(await readModelSettings(reader, warnings)),
    ...readProviderSettings(reader, warnings),
    ...readSafetySettings(reader, warnings),
    ...readContextSettings(reader),
    ...readFeatureSettings(reader),
    ...(await readCompactionSettings(reader)),
    ...readAgentsSettings(reader),
    warnings,
  };
}

/** Lowest first. */
async function readLayers(options: LoadConfigOptions): Promise<readonly ConfigLayer[]> {
  const layers: ConfigLayer[] = [];
  const user =
    options.ignoreUserConfig === true ? undefined : await readFileLayer(path.join(options.home, 'config.toml'));
  if (user !== undefined) layers.push(user);
  if (options.overrides.length > 0) {
    const table = await parseOverrides(options.overrides);
    layers.push({ source: OVERRIDE_SOURCE, baseDirectory: options.cwd, table });
  }
  return layers;
}

async function readFileLayer(file: string): Promise<ConfigLayer | undefined> {
  const text = await readConfigText(file);
  if (text === undefined) return undefined;
  return { source: file, baseDirectory: path.dirname(file), table: await parseTomlDocument(text, file) };
}

/** `undefined` when there is nothing in the file to parse. */
async function readConfigText(file: string): Promise<string | undefined> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await fs.readFile(file));
    return text.trim() === '' ? undefined : text;
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return undefined;
    const reason = cause instanceof TypeError ? 'it is not UTF-8 text' : describeSystemError(cause);
    throw new ConfigError('unreadable-file', `${file} can not be read: ${reason}`, { source: file, cause });
  }
}
