import { ConfigError } from './config-error.ts';
import { type ConfigLayer, valueAt } from './layers.ts';
import { findTomlLines, lineOfPath } from './toml-lines.ts';

/** The line in the file of `layer` where the setting stands, or the table that it should stand in. 1-based. */
export function lineInLayer(layer: ConfigLayer, path: readonly string[]): number | undefined {
  if (layer.text === undefined) return undefined;
  return lineOfPath(findTomlLines(layer.text), [...(layer.prefix ?? []), ...path]);
}

/**
 * The error with the line of the setting in it, where a file of `layers` has one. Looking for it is left until there
 * is something to say.
 */
export function withLine(error: unknown, layers: readonly ConfigLayer[]): unknown {
  if (!(error instanceof ConfigError) || error.line !== undefined) return error;
  const { source, path, key } = error;
  if (source === undefined || path === undefined) return error;
  const layer = layerOf(layers, source, path);
  const line = layer === undefined ? undefined : lineInLayer(layer, path);
  if (line === undefined || !error.message.startsWith(`${source}: `)) return error;
  const message = `${source}:${line}${error.message.slice(source.length)}`;
  return new ConfigError(error.code, message, {
    ...(key === undefined ? {} : { key }),
    path,
    source,
    line,
    cause: error.cause,
  });
}

/** A file may be two layers: itself, and a profile in it. */
function layerOf(layers: readonly ConfigLayer[], source: string, path: readonly string[]): ConfigLayer | undefined {
  const ofFile = layers.filter((layer) => layer.source === source);
  return ofFile.findLast(({ table }) => valueAt(table, path) !== undefined) ?? ofFile[0];
}
