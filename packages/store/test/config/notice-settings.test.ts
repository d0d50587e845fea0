import fs from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../src/index.ts';
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

describe('notify', () => {
  const load = async (text: string): Promise<Pick<Config, 'notify' | 'warnings'>> => {
    using folder = temporaryFolder();
    const [home, project] = [path.join(folder.path, 'home'), path.join(folder.path, 'project')];
    for (const name of [home, path.join(project, '.git'), path.join(project, '.codex')]) {
      await fs.mkdir(name, { recursive: true });
    }
    const trust = `[projects.${JSON.stringify(project)}]\ntrust_level = "trusted"\n`;
    await fs.writeFile(path.join(home, 'config.toml'), `${text}\n${trust}`);
    await fs.writeFile(path.join(project, '.codex', 'config.toml'), 'notify = ["of-a-project"]\n');
    return await loadConfig({
      home,
      cwd: project,
      environment: {},
      overrides: [],
      systemFolder: path.join(folder.path, 'etc'),
    });
  };

  test('is a program with its arguments, an empty list is none, and a project has no say in it [NOTIFY-07]', async () => {
    expect(await load('notify = ["say", "a turn is done"]')).toMatchObject({ notify: ['say', 'a turn is done'] });
    const none = await load('notify = []');
    expect(none.notify).toBeUndefined();
    expect(none.warnings.join()).toContain('notify');
  });

  test.each([
    ['notify = "say"', /notify.*must be a list of strings/],
    ['notify = [1]', /notify.*must be a list of strings/],
    ['notify = [" ", "x"]', /notify.*begins with an empty string/],
    ['notify = ["say", "\\u0000"]', /notify.*NUL/],
  ])('%s is an error that names file, line and key [NOTIFY-07]', async (text, message) => {
    await expect(load(text)).rejects.toThrow(message);
  });
});
