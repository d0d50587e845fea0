import fs from 'node:fs';
import { expect, test } from 'vitest';
import { CONFIG_KEYS, ConfigError, loadConfig } from '../../src/index.ts';

test.each(CONFIG_KEYS.map(({ key }) => key))(
  '%s is read: a wrong type in it is an error that names it [STORE-09]',
  async (key) => {
    const named = key.replace('<id>', 'mine').replace('<name>', 'some').replace('<path>', '/');
    // No setting is a date; of a provider the name is needed before anything else is looked at.
    const overrides = [...(key.includes('<id>') ? ['model_providers.mine.name=Mine'] : []), `${named}=1979-05-27`];
    const error = await loadConfig({ home: '/nonexistent', cwd: '/', overrides, environment: {} }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'wrong-type', key: named.replace('./.', '."/".'), source: '-c' });
  },
);

test('the documentation lists exactly the keys of the table [STORE-19]', () => {
  const page = fs.readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');
  const rows = page
    .slice(page.indexOf('## Keys'))
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.slice(2, -2).split(' | '));
  expect(rows).toEqual(CONFIG_KEYS.map(({ key, type, meaning }) => [`\`${key}\``, type, meaning]));
});
