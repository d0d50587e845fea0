import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, resolveHome } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('QUIRE_HOME goes before CODEX_HOME, and CODEX_HOME before .codex of the home directory [STORE-01]', () => {
  using folder = temporaryFolder();
  const first = path.join(folder.path, 'first');
  const second = path.join(folder.path, 'second');
  fs.mkdirSync(first);
  fs.mkdirSync(second);
  const homeDirectory = path.join(folder.path, 'user');

  expect([
    resolveHome({ environment: { QUIRE_HOME: first, CODEX_HOME: second }, homeDirectory }),
    resolveHome({ environment: { QUIRE_HOME: '', CODEX_HOME: second }, homeDirectory }),
    resolveHome({ environment: { CODEX_HOME: '' }, homeDirectory }),
  ]).toEqual([first, second, path.join(homeDirectory, '.codex')]);
});

test.each(['', 'relative'])(
  'a home directory %j is refused and never sought in the project [STORE-02]',
  (homeDirectory) => {
    expect(() => resolveHome({ environment: {}, homeDirectory })).toThrow(
      `HOME is "${homeDirectory}", which is no absolute path; set it to your home folder, or set QUIRE_HOME`,
    );
  },
);

test('a symbolic link in a home variable is resolved [STORE-01]', () => {
  using folder = temporaryFolder();
  const link = path.join(folder.path, 'link');
  fs.symlinkSync(folder.path, link);
  expect(resolveHome({ environment: { CODEX_HOME: link }, homeDirectory: '/nowhere' })).toBe(folder.path);
});

test('a home variable that names a missing folder or a file is an error with a remedy [STORE-02]', () => {
  using folder = temporaryFolder();
  const file = path.join(folder.path, 'file');
  fs.writeFileSync(file, '');
  const missing = path.join(folder.path, 'missing');

  const messages = [missing, file].map((value) => {
    try {
      return resolveHome({ environment: { CODEX_HOME: value }, homeDirectory: '/nowhere' });
    } catch (error) {
      return error instanceof ConfigError ? [error.code, error.message] : error;
    }
  });

  expect(messages).toEqual([
    ['home-missing', `CODEX_HOME is "${missing}": it does not exist; create that folder or unset CODEX_HOME`],
    ['home-missing', `CODEX_HOME is "${file}", which is not a folder; point it to one or unset it`],
  ]);
});
