import fs from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

test('what was answered and shown of models is read, and entries of another form are passed over [MODEL-52]', async () => {
  using folder = temporaryFolder();
  const text = [
    '[notice]',
    'hide_gpt5_1_migration_prompt = true',
    '"hide_gpt-5.1-codex-max_migration_prompt" = false',
    '[notice.model_migrations]',
    '"gpt-5.1" = "gpt-5.2"',
    'odd = 3',
    '[tui.model_availability_nux]',
    '"gpt-5.2" = 2',
    'odd = "two"',
    'less = -1',
  ].join('\n');
  await fs.writeFile(path.join(folder.path, 'config.toml'), text);
  const { modelNotices } = await loadConfig({
    home: folder.path,
    cwd: folder.path,
    environment: {},
    overrides: [],
    systemFolder: path.join(folder.path, 'etc'),
  });

  expect(modelNotices).toEqual({
    migrations: { 'gpt-5.1': 'gpt-5.2' },
    hidden: new Set(['hide_gpt5_1_migration_prompt']),
    showings: { 'gpt-5.2': 2 },
  });
});
