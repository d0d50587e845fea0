import { loadCatalogParser } from '@quire/core';
import { createCatalogCache, readCatalogFile } from '@quire/store';
import { durationText } from '../../status/times.ts';
import { VERSION } from '../../version.ts';
import { type CheckResult, counted, skipped } from '../check.ts';
import type { Scene } from '../scene.ts';

const CHECK = 'catalog';

/** The list of models that is kept between runs, or the file that stands in for it. */
export async function checkCatalog(scene: Scene): Promise<CheckResult> {
  const { config } = await scene.config();
  if (config === undefined || scene.home.kind === 'unusable')
    return skipped(CHECK, 'the configuration can not be used');
  return config.modelCatalogFile === undefined
    ? await checkCache(scene.home.path)
    : await checkFile(config.modelCatalogFile);
}

async function checkFile(file: string): Promise<CheckResult> {
  try {
    const { models } = await readCatalogFile(file);
    return { id: CHECK, verdict: 'ok', summary: `${counted(models.length, 'model')} from ${file}`, details: [] };
  } catch (error) {
    const summary = error instanceof Error ? error.message : String(error);
    return {
      id: CHECK,
      verdict: 'failed',
      summary,
      details: [],
      remedy: 'correct that file, or unset model_catalog_json',
    };
  }
}

async function checkCache(home: string): Promise<CheckResult> {
  const reading = await createCatalogCache({ home }).read();
  switch (reading.kind) {
    case 'none':
      return {
        id: CHECK,
        verdict: 'ok',
        summary: 'no list is kept yet; the one that quire brings along is used',
        details: [],
      };
    case 'unreadable':
      return {
        id: CHECK,
        verdict: 'warning',
        summary: reading.reason,
        details: [],
        remedy: 'nothing has to be done; or delete the file',
      };
    case 'entry': {
      const { models, etag, fetchedAtMs, clientVersion, identity } = reading.entry;
      const age = Date.now() - fetchedAtMs;
      const details = [
        age < 0 ? 'fetched in the future: the clock was set back' : `fetched ${durationText(age)} ago`,
        etag === undefined ? 'without an etag' : `etag ${etag}`,
        ...(clientVersion === VERSION && identity !== undefined
          ? []
          : ['of another version or program: it is fetched anew']),
      ];
      const parsed = (await loadCatalogParser()).parseModels(models);
      if (parsed.kind === 'models') {
        return { id: CHECK, verdict: 'ok', summary: `${counted(models.length, 'model')} kept`, details };
      }
      const summary = `the list that is kept can not be used: ${parsed.reason}`;
      return { id: CHECK, verdict: 'warning', summary, details, remedy: 'delete models_cache.json in the home folder' };
    }
  }
}
