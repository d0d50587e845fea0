import { isTable } from './layers.ts';
import type { SettingReader } from './setting-reader.ts';

export interface FeatureSettings {
  /** What was set, by name; unknown names included. */
  readonly features: Readonly<Record<string, boolean>>;
}

export function readFeatureSettings(reader: SettingReader): FeatureSettings {
  const features: [string, boolean][] = [];
  for (const id of reader.tableKeys('features')) {
    const setting = { key: 'features.<name>', id } as const;
    // Newer files may hold a table of a feature's own settings here; what it says is not read.
    if (isTable(reader.raw(setting))) continue;
    const enabled = reader.boolean(setting);
    if (enabled !== undefined) features.push([id, enabled]);
  }
  return { features: Object.fromEntries(features) };
}
