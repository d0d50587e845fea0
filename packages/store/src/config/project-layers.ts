import fs from 'node:fs/promises';
import path from 'node:path';
import { readFileLayer } from './config-file.ts';
import { findProject, realPath } from './find-project.ts';
import { type ConfigLayer, type ConfigTable, createTable } from './layers.ts';
import { readTrust, type Trust } from './project-trust.ts';
import type { SettingReader } from './setting-reader.ts';

/** A `.codex` folder between the root of the project and the working directory. */
export interface ProjectFolder {
  /** Absolute. */
  readonly path: string;
  /** Why nothing in it is read; absent for what is. */
  readonly disabledReason: string | undefined;
}

export interface ProjectFacts {
  /** What was said of the working directory. */
  readonly trust: Trust;
  /** The folder that a person is to be asked about: the main checkout of the repository, or the working directory. */
  readonly projectTrustPath: string;
  /** The `.codex` folders of trusted projects, lowest first: settings, rules, hooks and servers may be taken from here. */
  readonly projectFolders: readonly string[];
  /** All `.codex` folders, lowest first. */
  readonly allProjectFolders: readonly ProjectFolder[];
}

export interface ProjectReading {
  readonly facts: ProjectFacts;
  /** Lowest first. */
  readonly layers: readonly ConfigLayer[];
}

const FOLDER = '.codex';

/**
 * What a project may not set, and is left out with a warning: it would send requests, credentials or records
 * elsewhere, run a program outside of every approval, or vouch for other projects.
 */
const DENIED_KEYS: ReadonlySet<string> = new Set([
  'openai_base_url',
  'chatgpt_base_url',
  'apps_mcp_product_sku',
  'model_provider',
  'model_providers',
  'js_repl_node_path',
  'notify',
  'profile',
  'profiles',
  'projects',
  'experimental_realtime_ws_base_url',
  'experimental_realtime_webrtc_call_base_url',
  'otel',
]);

/**
 * The layers of a project. Of one that is not trusted it is found out which `.codex` folders there are, and nothing in
 * them is opened.
 *
 * @param reader of the layers that are not the project's: only these say what is trusted
 * @throws ConfigError for a trusted file that can not be understood
 */
export async function readProject(
  reader: SettingReader,
  options: { readonly cwd: string; readonly home: string; readonly warnings: string[] },
): Promise<ProjectReading> {
  const markers = reader.stringList({ key: 'project_root_markers' }) ?? ['.git'];
  const project = await findProject(options.cwd, markers);
  const trustOf = (directory: string): Trust => readTrust(reader, directory, project);
  const trustPath = project.mainCheckout ?? project.cwd;
  const home = await realPath(options.home);
  const folders: ProjectFolder[] = [];
  for (const directory of project.directories) {
    const folder = path.join(directory, FOLDER);
    if (!(await isFolder(folder)) || (await realPath(folder)) === home) continue;
    folders.push({ path: folder, disabledReason: reasonAgainst(trustOf(directory), { directory, trustPath }) });
  }
  const trusted = folders.filter(({ disabledReason }) => disabledReason === undefined).map((folder) => folder.path);
  return {
    facts: {
      trust: trustOf(project.cwd),
      projectTrustPath: trustPath,
      projectFolders: trusted,
      allProjectFolders: folders,
    },
    layers: await readProjectLayers(trusted, options.warnings),
  };
}

function reasonAgainst(trust: Trust, place: { readonly directory: string; readonly trustPath: string }) {
  if (trust === 'trusted') return undefined;
  return trust === 'untrusted' ? `${place.directory} is not trusted` : `${place.trustPath} has not been trusted yet`;
}

async function readProjectLayers(folders: readonly string[], warnings: string[]): Promise<readonly ConfigLayer[]> {
  const denied: string[] = [];
  const layers: ConfigLayer[] = [];
  for (const folder of folders) {
    const layer = await readFileLayer('project', path.join(folder, 'config.toml'));
    if (layer === undefined) continue;
    const { table, left } = withoutDenied(layer.table);
    layers.push({ ...layer, table });
    if (left.length > 0) denied.push(`${left.join(', ')} (${layer.source})`);
  }
  if (denied.length > 0) {
    warnings.push(`a project may not set ${denied.join(', nor ')}; this was left out, set it in your own config.toml`);
  }
  return layers;
}

function withoutDenied(table: ConfigTable): { readonly table: ConfigTable; readonly left: readonly string[] } {
  const allowed = createTable();
  const left: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    if (DENIED_KEYS.has(key)) left.push(key);
    else allowed[key] = value;
  }
  return { table: allowed, left };
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await fs.stat(file)).isDirectory();
  } catch {
    return false;
  }
}
