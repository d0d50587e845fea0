import fs from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from './config-error.ts';
import { readFileLayer } from './config-file.ts';
import { type ConfigLayer, type ConfigTable, createTable, isTable, originOf, valueAt } from './layers.ts';

/** What a `[profiles.NAME]` table may set. Source: the peer's profiles of the first kind. */
const PROFILE_KEYS: ReadonlySet<string> = new Set([
  'model',
  'service_tier',
  'model_provider',
  'approval_policy',
  'approvals_reviewer',
  'sandbox_mode',
  'model_reasoning_effort',
  'plan_mode_reasoning_effort',
  'model_reasoning_summary',
  'model_verbosity',
  'model_catalog_json',
  'personality',
  'chatgpt_base_url',
  'model_instructions_file',
  'experimental_compact_prompt_file',
  'experimental_use_unified_exec_tool',
  'experimental_use_freeform_apply_patch',
  'include_permissions_instructions',
  'include_apps_instructions',
  'include_collaboration_mode_instructions',
  'include_environment_context',
  'include_apply_patch_tool',
  'tools',
  'tools_view_image',
  'web_search',
  'analytics',
  'windows',
  'features',
  'oss_provider',
  'js_repl_node_path',
  'js_repl_node_module_dirs',
  'zsh_path',
]);

/** No separators and no dots at the start: the name becomes part of a file name. */
const PLAIN_NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/;
const FILE_ENDING = '.config.toml';

export interface ProfileOptions {
  /** Absolute. */
  readonly home: string;
  /** What `--profile` says. It goes before the key `profile`. */
  readonly profile: string | undefined;
  readonly warnings: string[];
}

/** Whether it can be a part of a file name. */
export function isProfileName(name: string): boolean {
  return PLAIN_NAME.test(name);
}

/** The file of a profile of the second kind. */
export function profileFile(home: string, name: string): string {
  return path.join(home, `${name}${FILE_ENDING}`);
}

/**
 * The layer of the chosen profile: `NAME.config.toml` of the home folder when there is such a file, or else the tables
 * `[profiles.NAME]` of the layers below. None when no profile is chosen.
 *
 * @param layers those that may choose and define a profile, lowest first
 * @throws ConfigError 'unknown-profile', 'invalid-value', 'wrong-type', and what a file layer throws
 */
export async function readProfile(
  layers: readonly ConfigLayer[],
  options: ProfileOptions,
): Promise<readonly ConfigLayer[]> {
  const tables = profileTables(layers);
  const name = chosenProfile(layers, options.profile);
  if (name === undefined) return [];
  checkName(layers, name, options);
  const inTables = tables.flatMap((layer) => layerOfTable(layer, name, options.warnings));
  const file = profileFile(options.home, name);
  const layer = await readFileLayer('profile', file);
  const hasFile = layer !== undefined || (await isThere(file));
  if (hasFile && inTables.length > 0) {
    options.warnings.push(`profile ${name}: ${file} is used, and [profiles.${name}] of config.toml is not; keep one`);
  }
  if (hasFile) return layer === undefined ? [] : [layer];
  if (inTables.length > 0) return inTables;
  throw unknownProfile(name, { ...options, layers, tables });
}

/** Layers that have a table of profiles, every profile of which is a table. */
function profileTables(layers: readonly ConfigLayer[]): readonly ConfigLayer[] {
  return layers.filter((layer) => {
    const profiles = layer.table['profiles'];
    if (profiles === undefined) return false;
    if (!isTable(profiles)) throw wrongType(layer, ['profiles'], 'a table');
    const odd = Object.keys(profiles).find((name) => !isTable(profiles[name]));
    if (odd !== undefined) throw wrongType(layer, ['profiles', odd], 'a table');
    return true;
  });
}

function chosenProfile(layers: readonly ConfigLayer[], flag: string | undefined): string | undefined {
  const key = ['profile'];
  const origin = layers.findLast(({ table }) => valueAt(table, key) !== undefined);
  const value = origin === undefined ? undefined : valueAt(origin.table, key);
  if (origin !== undefined && typeof value !== 'string') throw wrongType(origin, key, 'a string');
  return flag ?? (typeof value === 'string' ? value : undefined);
}

function checkName(layers: readonly ConfigLayer[], name: string, options: ProfileOptions): void {
  if (isProfileName(name)) return;
  const source = sourceOfChoice(layers, options);
  throw new ConfigError(
    'invalid-value',
    `${source}: profile must be a plain name such as "work", found ${JSON.stringify(name.slice(0, 60))}`,
    { key: 'profile', path: ['profile'], source },
  );
}

function sourceOfChoice(layers: readonly ConfigLayer[], { profile }: ProfileOptions): string {
  return profile === undefined ? (originOf(layers, ['profile'])?.source ?? 'configuration') : '--profile';
}

/** With only what a profile may set. */
function layerOfTable(layer: ConfigLayer, name: string, warnings: string[]): readonly ConfigLayer[] {
  const prefix = ['profiles', name];
  const table = valueAt(layer.table, prefix);
  if (!isTable(table)) return [];
  const allowed: ConfigTable = createTable();
  const left: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    if (PROFILE_KEYS.has(key)) allowed[key] = value;
    else left.push(key);
  }
  if (left.length > 0) {
    warnings.push(`${layer.source}: [profiles.${name}] may not set ${left.join(', ')}; this was left out`);
  }
  return [{ ...layer, kind: 'profile', prefix, table: allowed }];
}

function unknownProfile(
  name: string,
  place: ProfileOptions & { readonly layers: readonly ConfigLayer[]; readonly tables: readonly ConfigLayer[] },
): ConfigError {
  const known = new Set(
    place.tables.flatMap(({ table }) => {
      const profiles = table['profiles'];
      return isTable(profiles) ? Object.keys(profiles) : [];
    }),
  );
  const source = sourceOfChoice(place.layers, place);
  const list = known.size === 0 ? '' : `; known are ${[...known].sort().join(', ')}`;
  return new ConfigError(
    'unknown-profile',
    `${source}: there is no profile ${JSON.stringify(name)}${list}; make ${profileFile(place.home, name)}`,
    { key: 'profile', path: ['profile'], source },
  );
}

async function isThere(file: string): Promise<boolean> {
  return fs.stat(file).then(
    () => true,
    () => false,
  );
}

function wrongType(layer: ConfigLayer, keyPath: readonly string[], expected: string): ConfigError {
  const key = keyPath.join('.');
  return new ConfigError('wrong-type', `${layer.source}: ${key} must be ${expected}`, {
    key,
    path: keyPath,
    source: layer.source,
  });
}
