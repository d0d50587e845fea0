import path from 'node:path';
import type { CachedCatalog, CatalogCache, CatalogCacheReading } from '@quire/core';
import { replaceFile, systemErrorCode } from '@quire/files';
import { isJsonObject, type JsonObject, parseJsonObject, stringAt } from '@quire/protocol';
import { describeReadFailure, readBounded } from './read-bounded.ts';

/** Source: facts, cache file. Other programs of this kind keep theirs under the same name. */
const FILE_NAME = 'models_cache.json';
/** Ours. A file without it is of another program, which may have asked for another account. */
const IDENTITY_FIELD = 'quire_identity';

/** The list of models in a home folder. Nothing is read or made before it is needed. */
export function createCatalogCache({ home }: { readonly home: string }): CatalogCache {
  const file = path.join(home, FILE_NAME);
  return {
    read: () => readCache(file),
    write: (entry) => writeCache(file, entry),
    renew: async ({ etag, identity, clientVersion, fetchedAtMs }) => {
      const reading = await readCache(file);
      if (reading.kind !== 'entry') return;
      const { entry } = reading;
      const isSame = entry.etag === etag && entry.identity === identity && entry.clientVersion === clientVersion;
      if (isSame && fetchedAtMs > entry.fetchedAtMs) await writeCache(file, { ...entry, fetchedAtMs });
    },
  };
}

async function readCache(file: string): Promise<CatalogCacheReading> {
  let text: string;
  try {
    text = await readBounded(file);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'none' };
    return { kind: 'unreadable', reason: `${file} can not be read: ${describeReadFailure(error)}` };
  }
  const entry = entryIn(parseJsonObject(text));
  if (entry !== undefined) return { kind: 'entry', entry };
  return { kind: 'unreadable', reason: `${file} holds no list of models; the next one replaces it` };
}

function entryIn(cache: JsonObject | undefined): CachedCatalog | undefined {
  const fetchedAtMs = Date.parse((cache && stringAt(cache, 'fetched_at')) ?? '');
  if (!isJsonObject(cache) || Number.isNaN(fetchedAtMs)) return undefined;
  const models = cache['models'];
  if (!Array.isArray(models)) return undefined;
  return {
    fetchedAtMs,
    etag: stringAt(cache, 'etag'),
    clientVersion: stringAt(cache, 'client_version'),
    identity: stringAt(cache, IDENTITY_FIELD),
    models,
  };
}

function cacheJson({ fetchedAtMs, etag, clientVersion, identity, models }: CachedCatalog): JsonObject {
  return {
    fetched_at: new Date(fetchedAtMs).toISOString(),
    etag: etag ?? null,
    client_version: clientVersion ?? null,
    ...(identity === undefined ? {} : { [IDENTITY_FIELD]: identity }),
    models,
  };
}

/** What a power cut takes is asked for again. */
function writeCache(file: string, entry: CachedCatalog): Promise<void> {
  return replaceFile(file, JSON.stringify(cacheJson(entry), undefined, 2), { mayBeLost: true });
}
