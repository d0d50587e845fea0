import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/index.ts';
import { type Given, problemOf, withFiles } from './config-folder.ts';

const TRUST = '[projects."%/project"]\ntrust_level = "trusted"\n';

describe('the layers', () => {
  const LAYERS: readonly (readonly [string, Given])[] = [
    ['system', { files: { 'etc/config.toml': 'model = "system"' } }],
    ['user', { files: { 'home/config.toml': `model = "user"\n${TRUST}` } }],
    ['profile', { files: { 'home/p.config.toml': 'model = "profile"' }, profile: 'p' }],
    ['project', { files: { 'project/.codex/config.toml': 'model = "project"' } }],
    ['command-line', { overrides: ['model=command-line'] }],
    ['managed', { files: { 'etc/managed_config.toml': 'model = "managed"' } }],
  ];

  test.each(LAYERS.map(([name], index) => [name, index] as const))(
    '%s goes before all that is below it [CFG-01]',
    async (name, index) => {
      const below = LAYERS.slice(0, index + 1).map(([, given]) => given);
      const files = Object.assign({}, ...below.map((given) => given.files)) as Given['files'];
      const given = { ...(Object.assign({}, ...below) as Given), ...(files === undefined ? {} : { files }) };
      await withFiles(given, async (options) => expect((await loadConfig(options)).model).toBe(name));
    },
  );

  test('of a machine count for tables key by key, and their paths start at their folder [CFG-01] [CHECK-33] [CHECK-35]', async () => {
    const files = {
      'etc/config.toml': '[sandbox_workspace_write]\nwritable_roots = ["a"]\nnetwork_access = true\n',
      'home/config.toml': '[sandbox_workspace_write]\nnetwork_access = false\n',
    };
    await withFiles({ files }, async (options, place) => {
      expect((await loadConfig(options)).sandboxWorkspaceWrite).toEqual({
        writableRoots: [`${place}/etc/a`],
        networkAccess: false,
        excludeTmpdirEnvVar: false,
        excludeSlashTmp: false,
      });
    });
  });
});

describe('a profile', () => {
  const TABLES =
    'model = "top"\nmodel_verbosity = "low"\n[profiles.work]\nmodel = "work"\n[profiles.work.features]\nundo = true\n';

  test.each<[string, Given, string]>([
    ['is a file of its own', { files: { 'home/work.config.toml': 'model = "work"' }, profile: 'work' }, 'work'],
    ['is a table of the file', { files: { 'home/config.toml': TABLES }, profile: 'work' }, 'work'],
    ['is chosen by the file', { files: { 'home/config.toml': `profile = "work"\n${TABLES}` } }, 'work'],
    ['is chosen with -c', { files: { 'home/config.toml': TABLES }, overrides: ['profile=work'] }, 'work'],
    ['is not in use unless it is chosen', { files: { 'home/config.toml': TABLES } }, 'top'],
    [
      'of the flag goes before that of the file',
      { files: { 'home/config.toml': `profile = "other"\n${TABLES}` }, profile: 'work' },
      'work',
    ],
    [
      'may be an empty file',
      { files: { 'home/config.toml': 'model = "top"', 'home/work.config.toml': '' }, profile: 'work' },
      'top',
    ],
  ])('%s [STORE-24] [CFG-02] [CFG-03]', async (_title, given, model) => {
    await withFiles(given, async (options) => {
      expect(await loadConfig(options)).toMatchObject({ model, warnings: [] });
    });
  });

  test('in a table sets features, and what is not a part of profiles is left out [CFG-03]', async () => {
    const files = { 'home/config.toml': `${TABLES}[profiles.work.mcp_servers.x]\ncommand = "x"\n` };
    await withFiles({ files, profile: 'work' }, async (options, place) => {
      expect(await loadConfig(options)).toMatchObject({
        modelVerbosity: 'low',
        features: { undo: true },
        mcpServers: [],
        warnings: [`${place}/home/config.toml: [profiles.work] may not set mcp_servers; this was left out`],
      });
    });
  });

  test('that is a file and a table is the file, with a warning [CFG-04]', async () => {
    const files = { 'home/config.toml': TABLES, 'home/work.config.toml': 'model = "file"' };
    await withFiles({ files, profile: 'work' }, async (options, place) => {
      expect(await loadConfig(options)).toMatchObject({
        model: 'file',
        features: {},
        warnings: [
          `profile work: ${place}/home/work.config.toml is used, and [profiles.work] of config.toml is not; keep one`,
        ],
      });
    });
  });

  test.each<[Given, string]>([
    [
      { files: { 'home/config.toml': TABLES }, profile: 'wrok' },
      'unknown-profile: --profile: there is no profile "wrok"; known are work; make %/home/wrok.config.toml',
    ],
    [
      { files: { 'home/config.toml': '\nprofile = "x"' } },
      'unknown-profile: %/home/config.toml:2: there is no profile "x"; make %/home/x.config.toml',
    ],
    [{ profile: '../x' }, 'invalid-value: --profile: profile must be a plain name such as "work", found "../x"'],
    [{ overrides: ['profile=1'] }, 'wrong-type: -c: profile must be a string'],
    [
      { files: { 'home/config.toml': 'model = "x"\n[profiles]\nwork = 1\n' } },
      'wrong-type: %/home/config.toml:3: profiles.work must be a table',
    ],
    [
      { files: { 'home/config.toml': 'profile = "a"\n[profiles.a]\n\nmodel = 1\n' } },
      'wrong-type: %/home/config.toml:4: model must be a string, found an integer',
    ],
    [
      { files: { 'home/a.config.toml': '#\nmodel = 1\n' }, profile: 'a' },
      'wrong-type: %/home/a.config.toml:2: model must be a string, found an integer',
    ],
  ])('%# that can not be used is an error with its place [CFG-05]', async (given, message) => {
    await withFiles(given, async (options, place) => {
      expect(await problemOf(loadConfig(options), place)).toBe(message);
    });
  });
});

describe('what can not be used is told with file, line and key', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['a wrong type', '# x\n\nmodel = 5\n', 'wrong-type: %:3: model must be a string, found an integer'],
    ['an inline table that goes on', 'a = 1\nmodel_providers = { x = 1\ny = 2 }\n', 'syntax: %:3:'],
    [
      'a wrong type below dotted keys and long strings',
      'developer_instructions = """\nmodel = 1\n[features]\n"""\nlist = [\n  "a", # ]\n]\nsandbox_workspace_write.network_access = "x"\n',
      'wrong-type: %:8: sandbox_workspace_write.network_access must be true or false, found a string',
    ],
    [
      'a quoted name',
      '[model_providers."a.b"]\nname = "x"\nbase_url = "nope"\n',
      'invalid-value: %:3: model_providers."a.b".base_url must be an address that begins with http:// or https://',
    ],
    [
      'what is missing',
      'model = "x"\r\n[model_providers.m]\r\nbase_url = "http://h"\r\n',
      'invalid-value: %:2: model_providers.m.name is missing; give the provider a name',
    ],
    ['a choice', 'x = 1\nsandbox_mode = "none"', 'invalid-value: %:2: sandbox_mode must be one of'],
    ['a table twice', '[features]\nundo = true\n[features]\n', 'syntax: %:3:'],
    ['a key twice', 'model = "a"\nmodel = "b"\n', 'syntax: %:2:'],
    ['a byte that is no text', Uint8Array.of(0x61, 0xff), 'unreadable-file: % can not be read: it is not UTF-8 text'],
  ])('%s [CFG-10] [CFG-11]', async (_title, file, message) => {
    await withFiles({ files: { 'home/config.toml': file } }, async (options, place) => {
      const problem = await problemOf(loadConfig(options), place);
      expect(problem.replaceAll('%/home/config.toml', '%').slice(0, message.length)).toBe(message);
    });
  });

  test.skipIf(process.platform === 'win32')('a pipe in the place of the file [CFG-11]', async () => {
    await withFiles({}, async (options, place) => {
      execFileSync('mkfifo', [path.join(options.home, 'config.toml')]);
      expect(await problemOf(loadConfig(options), place)).toBe(
        'unreadable-file: %/home/config.toml can not be read: it is a pipe',
      );
    });
  });
});
