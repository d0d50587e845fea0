import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, readCatalogFile } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const ENTRY = {
  slug: 'mine',
  display_name: 'Mine',
  supported_reasoning_levels: [],
  shell_type: 'unified_exec',
  visibility: 'list',
  supported_in_api: true,
  priority: 1,
  base_instructions: 'Be brief.',
  support_verbosity: false,
  truncation_policy: { mode: 'tokens', limit: 1 },
  experimental_supported_tools: [],
};

describe('the file of model_catalog_json', () => {
  test('is the whole list [MODEL-21]', async () => {
    using folder = temporaryFolder();
    const file = path.join(folder.path, 'models.json');
    fs.writeFileSync(file, JSON.stringify({ models: [ENTRY] }));
    const list = await readCatalogFile(file);

    expect({ ...list, models: list.models.map(({ slug, baseInstructions }) => [slug, baseInstructions]) }).toEqual({
      models: [['mine', 'Be brief.']],
      origin: 'file',
      etag: undefined,
      confirmedAtMs: undefined,
    });
  });

  test.each([
    [undefined, 'unreadable-file', 'can not be read: it does not exist'],
    ['\xff', 'unreadable-file', 'can not be read: it is not UTF-8 text'],
    ['', 'syntax', 'is not JSON; it must hold {"models": [...]}'],
    ['{"models": [', 'syntax', 'is not JSON; it must hold {"models": [...]}'],
    ['[]', 'invalid-value', 'is no list of models: there is no list "models" in it'],
    ['{"models": []}', 'invalid-value', 'lists no model; add one or unset the key'],
    [
      JSON.stringify({ models: [{ ...ENTRY, visibility: 'secret' }] }),
      'invalid-value',
      'is no list of models: model mine has visibility = "secret" (expected one of list, hide, none)',
    ],
  ])('that holds %j is refused as %s, with key and file [MODEL-21]', async (content, code, message) => {
    using folder = temporaryFolder();
    const file = path.join(folder.path, 'models.json');
    if (content !== undefined) fs.writeFileSync(file, content, 'latin1');
    const error: unknown = await readCatalogFile(file).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({
      code,
      key: 'model_catalog_json',
      source: file,
      message: `model_catalog_json: ${file} ${message}`,
    });
  });
});
