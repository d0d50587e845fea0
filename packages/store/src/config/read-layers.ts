import os from 'node:os';
import path from 'node:path';
import type { Environment } from '../home.ts';
import { readFileLayer } from './config-file.ts';
import type { ConfigLayer, LayerKind } from './layers.ts';
import { OVERRIDE_SOURCE, parseOverrides } from './overrides.ts';
import { readProfile } from './profile-layer.ts';
import { type ProjectReading, readProject } from './project-layers.ts';
import { SettingReader } from './setting-reader.ts';
import { MANAGED_FILE, systemConfigFolder } from './system-folder.ts';

export interface LayerOptions {
  /** Absolute. See `resolveHome`. */
  readonly home: string;
  /** Absolute. Relative paths in `overrides` start here. */
  readonly cwd: string;
  /** Raw texts of `-c`, in the order given. */
  readonly overrides: readonly string[];
  /** Read for `HOME`, on Windows for `ProgramData` too, and for the address of local servers, see `ossBaseUrl`. */
  readonly environment: Environment;
  /** Leaves `config.toml` of the home folder unread, and profiles with it. Default false. */
  readonly ignoreUserConfig?: boolean;
  /** What `--profile` says. */
  readonly profile?: string | undefined;
  /** Absolute. The folder of the machine-wide files. Default: that of the platform. */
  readonly systemFolder?: string | undefined;
}

/** Everything that settings are taken from. */
export interface LayerStack {
  /** Lowest first. */
  readonly layers: readonly ConfigLayer[];
  /** Of all layers. */
  readonly reader: SettingReader;
  /** Of the layers that are not the project's. */
  readonly owner: SettingReader;
  readonly project: ProjectReading;
  /** Absolute. */
  readonly systemFolder: string;
  readonly warnings: string[];
}

/** What there is to read, by kind. */
export interface LayerSources {
  readonly system: Layers;
  readonly user: Layers;
  readonly overrides: Layers;
  readonly managed: Layers;
}

/** @throws ConfigError for what can not be read or is not TOML, and for a wrong profile, trust or marker. */
export async function readLayers(options: LayerOptions): Promise<LayerStack> {
  return stackLayers(await readSources(options), options);
}

/** @throws ConfigError for what can not be read or is not TOML */
export async function readSources(options: LayerOptions): Promise<LayerSources> {
  const systemFolder = systemFolderOf(options);
  const [system, managed, user, overrides] = await Promise.all([
    fileLayers('system', path.join(systemFolder, 'config.toml')),
    fileLayers('managed', path.join(systemFolder, MANAGED_FILE)),
    options.ignoreUserConfig === true ? [] : fileLayers('user', path.join(options.home, 'config.toml')),
    overrideLayers(options),
  ]);
  return { system, user, overrides, managed };
}

/** @throws ConfigError for a wrong profile, trust or marker */
export async function stackLayers(sources: LayerSources, options: LayerOptions): Promise<LayerStack> {
  try {
    return await stack(sources, options);
  } catch (error) {
    const { system, user, overrides, managed } = sources;
    throw (await import('./locate-error.ts')).withLine(error, [...system, ...user, ...overrides, ...managed]);
  }
}

type Layers = readonly ConfigLayer[];

async function stack(files: LayerSources, options: LayerOptions): Promise<LayerStack> {
  const warnings: string[] = [];
  const { home, cwd } = options;
  const profile =
    options.ignoreUserConfig === true
      ? []
      : await readProfile([...files.system, ...files.user, ...files.overrides], {
          home,
          profile: options.profile,
          warnings,
        });
  const homeDirectory = options.environment['HOME'] || os.homedir();
  const below = [...files.system, ...files.user, ...profile];
  const above = [...files.overrides, ...files.managed];
  const owner = new SettingReader([...below, ...above], { homeDirectory });
  const project = await readProject(owner, { cwd, home, warnings });
  const layers = [...below, ...project.layers, ...above];
  const reader = project.layers.length === 0 ? owner : new SettingReader(layers, { homeDirectory });
  return { layers, reader, owner, project, systemFolder: systemFolderOf(options), warnings };
}

function systemFolderOf({ systemFolder, environment }: LayerOptions): string {
  return systemFolder ?? systemConfigFolder(environment);
}

async function fileLayers(kind: LayerKind, file: string): Promise<readonly ConfigLayer[]> {
  const layer = await readFileLayer(kind, file);
  return layer === undefined ? [] : [layer];
}

async function overrideLayers({ overrides, cwd }: LayerOptions): Promise<readonly ConfigLayer[]> {
  if (overrides.length === 0) return [];
  const table = await parseOverrides(overrides);
  return [{ kind: 'command-line', source: OVERRIDE_SOURCE, baseDirectory: cwd, table }];
}
