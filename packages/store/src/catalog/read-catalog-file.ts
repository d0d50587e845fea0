import { loadCatalogParser, type ModelList } from '@quire/core';
import { ConfigError, type ConfigErrorCode } from '../config/config-error.ts';
import { describeReadFailure, readBounded } from './read-bounded.ts';

const KEY = 'model_catalog_json';

/**
 * The list that `model_catalog_json` names, which takes the place of every other.
 *
 * @param file absolute
 * @throws ConfigError 'unreadable-file', 'syntax', or 'invalid-value' when an entry can not be understood or there is none
 */
export async function readCatalogFile(file: string): Promise<ModelList> {
  const parser = await loadCatalogParser();
  const reading = parser.parseCatalog(parseJson(await readText(file), file));
  if (reading.kind === 'unusable') throw failure('invalid-value', file, `is no list of models: ${reading.reason}`);
  if (reading.models.length === 0) throw failure('invalid-value', file, 'lists no model; add one or unset the key');
  return { models: reading.models, origin: 'file', etag: undefined, confirmedAtMs: undefined };
}

async function readText(file: string): Promise<string> {
  try {
    return await readBounded(file);
  } catch (cause) {
    throw failure('unreadable-file', file, `can not be read: ${describeReadFailure(cause)}`, cause);
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failure('syntax', file, 'is not JSON; it must hold {"models": [...]}', cause);
  }
}

function failure(code: ConfigErrorCode, file: string, what: string, cause?: unknown): ConfigError {
  return new ConfigError(code, `${KEY}: ${file} ${what}`, { key: KEY, path: [KEY], source: file, cause });
}
