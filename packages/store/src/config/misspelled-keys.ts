import { editDistance } from '@quire/protocol';
import { CONFIG_KEYS } from './config-keys.ts';
import { isKnownFeature, nearestFeature } from './feature-table.ts';
import { type ConfigTable, isTable } from './layers.ts';

const KNOWN_PATHS = CONFIG_KEYS.map(({ key }) => key.split('.'));

/**
 * A sentence for each key of a table of overrides that nothing reads, when one that is read is spelled nearly so.
 * Other unknown keys are passed over: compatible programs have settings of their own.
 */
export function misspelledKeys(overrides: ConfigTable): readonly string[] {
  return findMisspelledKeys(overrides).map(
    ({ path, nearest }) => `-c ${path.join('.')} is no setting and was ignored; did you mean ${nearest}?`,
  );
}

export interface MisspelledKey {
  readonly path: readonly string[];
  /** Dotted. */
  readonly nearest: string;
}

/** The keys of one layer that nothing reads and that are spelled nearly like one that is read. */
export function findMisspelledKeys(table: ConfigTable): readonly MisspelledKey[] {
  return [...unknownPaths(table, []), ...unknownFeatures(table)].flatMap((path) => {
    const nearest = nearestKey(path);
    return nearest === undefined ? [] : [{ path, nearest }];
  });
}

function unknownFeatures(table: ConfigTable): readonly (readonly string[])[] {
  const features = table['features'];
  if (!isTable(features)) return [];
  return Object.keys(features).flatMap((name) => (isKnownFeature(name) ? [] : [['features', name]]));
}

/** Whether the setting, or the table, is read. */
export function isKnownKey(path: readonly string[]): boolean {
  if (path[0] === 'features' && path[1] !== undefined) return isKnownFeature(path[1]);
  return KNOWN_PATHS.some((known) => startsAlike(known, path));
}

function unknownPaths(table: ConfigTable, parent: readonly string[]): readonly (readonly string[])[] {
  return Object.entries(table).flatMap(([name, value]) => {
    const path = [...parent, name];
    const matching = KNOWN_PATHS.filter((known) => startsAlike(known, path));
    if (matching.length === 0) return [path];
    // Below a whole key stands what belongs to its value, such as the names of headers.
    const isInside = matching.some((known) => known.length <= path.length);
    return isInside || !isTable(value) ? [] : unknownPaths(value, path);
  });
}

function startsAlike(known: readonly string[], path: readonly string[]): boolean {
  const length = Math.min(known.length, path.length);
  return known.slice(0, length).every((segment, index) => isPlaceholder(segment) || segment === path[index]);
}

function isPlaceholder(segment: string): boolean {
  return segment.startsWith('<');
}

/**
 * The known key that is at most three edits away, fewer where the last name of the path is short; or else the one that
 * ends in the whole key.
 */
export function nearestKey(path: readonly string[]): string | undefined {
  const [table, feature] = path;
  if (table === 'features' && feature !== undefined) {
    const nearest = nearestFeature(feature);
    return nearest === undefined ? undefined : `features.${nearest}`;
  }
  const key = path.join('.');
  const candidates = KNOWN_PATHS.map((known) => filledIn(known, path));
  const nameLength = path.at(-1)?.length ?? 0;
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.max(1, Math.floor(nameLength * 0.4))) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(key, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? candidates.find((candidate) => candidate.endsWith(`_${key}`) || candidate.endsWith(`.${key}`));
}

/** With the user's own names in the place of `<id>` and `<name>`. */
function filledIn(known: readonly string[], path: readonly string[]): string {
  return known.map((segment, index) => (isPlaceholder(segment) ? (path[index] ?? segment) : segment)).join('.');
}
