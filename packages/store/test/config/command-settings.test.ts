import { expect, test } from 'vitest';
import { withoutSecrets } from '../../src/config/secret-settings.ts';
import { type Config, loadConfig } from '../../src/index.ts';
import { type Given, problemOf, withFiles } from './config-folder.ts';

type CommandSettings = Pick<
  Config,
  'shellEnvironmentPolicy' | 'allowLoginShell' | 'backgroundTerminalMaxTimeoutMs' | 'warnings'
>;

async function load(given: Given): Promise<CommandSettings> {
  let settings: CommandSettings | undefined;
  await withFiles(given, async (options) => {
    const { shellEnvironmentPolicy, allowLoginShell, backgroundTerminalMaxTimeoutMs, warnings } =
      await loadConfig(options);
    settings = { shellEnvironmentPolicy, allowLoginShell, backgroundTerminalMaxTimeoutMs, warnings };
  });
  if (settings === undefined) throw new Error('nothing was read');
  return settings;
}

const user = (text: string): Given => ({ files: { 'home/config.toml': text } });

const DEFAULTS = { inherit: 'all', defaultExcludes: false, exclude: [], set: {}, includeOnly: [] };

test('without settings commands get everything, in a login shell, and a look waits five minutes at most [CFG-110]', async () => {
  expect(await load({})).toEqual({
    shellEnvironmentPolicy: DEFAULTS,
    allowLoginShell: true,
    backgroundTerminalMaxTimeoutMs: 300_000,
    warnings: [],
  });
});

test('every key is read [CFG-110]', async () => {
  const text = `allow_login_shell = false
background_terminal_max_timeout = 20000
[shell_environment_policy]
inherit = "core"
ignore_default_excludes = false
exclude = ["AWS_*", "b?"]
include_only = ["C*"]
set = { D = "e", "f.g" = "" }
experimental_use_profile = true
`;
  expect(await load(user(text))).toEqual({
    shellEnvironmentPolicy: {
      inherit: 'core',
      defaultExcludes: true,
      exclude: ['AWS_*', 'b?'],
      set: { D: 'e', 'f.g': '' },
      includeOnly: ['C*'],
    },
    allowLoginShell: false,
    backgroundTerminalMaxTimeoutMs: 20_000,
    warnings: [],
  });
});

test('variables of several places add up, and lists are replaced [CFG-110]', async () => {
  const text = '[shell_environment_policy]\nexclude = ["A"]\nset = { A = "1", B = "1" }\n';
  const overrides = ['shell_environment_policy.exclude=["B"]', 'shell_environment_policy.set.B="2"'];
  const { shellEnvironmentPolicy } = await load({ ...user(text), overrides });
  expect(shellEnvironmentPolicy).toEqual({ ...DEFAULTS, exclude: ['B'], set: { A: '1', B: '2' } });
});

test('a project sets them when it is trusted [CFG-111]', async () => {
  const project = 'allow_login_shell = false\n[shell_environment_policy]\ninherit = "none"\n';
  const files = { 'project/.codex/config.toml': project };
  expect((await load({ files })).shellEnvironmentPolicy.inherit).toBe('all');
  const trust = '[projects."%/project"]\ntrust_level = "trusted"\n';
  expect(await load({ files: { ...files, 'home/config.toml': trust } })).toMatchObject({
    shellEnvironmentPolicy: { inherit: 'none' },
    allowLoginShell: false,
  });
});

test.each([
  ['[shell_environment_policy]\ninherit = "some"', 2, 'inherit must be one of all, core, none, found "some"', 'value'],
  ['[shell_environment_policy]\ninherit = 1', 2, 'inherit must be a string, found an integer', 'type'],
  [
    '[shell_environment_policy]\nignore_default_excludes = "no"',
    2,
    'ignore_default_excludes must be true or false, found a string',
    'type',
  ],
  ['[shell_environment_policy]\nexclude = "A*"', 2, 'exclude must be a list of strings, found a string', 'type'],
  [
    '[shell_environment_policy]\nexclude = ["A", 3]',
    2,
    'exclude must be a list of strings, found a list with an integer',
    'type',
  ],
  [
    '[shell_environment_policy]\ninclude_only = 3',
    2,
    'include_only must be a list of strings, found an integer',
    'type',
  ],
  ['[shell_environment_policy]\nset = ["A"]', 2, 'set must be a table of strings, found a list', 'type'],
  ['[shell_environment_policy.set]\nA = 1', 2, 'set.A must be a string, found an integer', 'type'],
  [
    '[shell_environment_policy]\nset = { "A=B" = "1" }',
    2,
    'set holds "A=B", which can not be the name of a variable',
    'value',
  ],
  [
    '[shell_environment_policy]\nset = { "" = "1" }',
    2,
    'set holds "", which can not be the name of a variable',
    'value',
  ],
  [
    '[shell_environment_policy]\nset = { A = "b\\u0000c" }',
    2,
    'set holds a NUL character in A, which no variable can have',
    'value',
  ],
])('%j is an error that names file, line and key [CFG-112]', async (text, line, problem, code) => {
  await withFiles(user(text), async (options, place) => {
    const kind = code === 'type' ? 'wrong-type' : 'invalid-value';
    expect(await problemOf(loadConfig(options), place)).toBe(
      `${kind}: %/home/config.toml:${line}: shell_environment_policy.${problem}`,
    );
  });
});

test.each([
  ['shell_environment_policy = "core"', 'wrong-type', 'shell_environment_policy must be a table, found a string'],
  ['allow_login_shell = "no"', 'wrong-type', 'allow_login_shell must be true or false, found a string'],
  [
    'background_terminal_max_timeout = "1m"',
    'wrong-type',
    'background_terminal_max_timeout must be an integer, found a string',
  ],
  [
    'background_terminal_max_timeout = -1',
    'invalid-value',
    'background_terminal_max_timeout must be at least 0, found -1',
  ],
])('%j is an error, too [CFG-112]', async (text, code, problem) => {
  await withFiles(user(text), async (options, place) => {
    expect(await problemOf(loadConfig(options), place)).toBe(`${code}: %/home/config.toml:1: ${problem}`);
  });
});

test('a wait that no timer can hold counts as a day [CFG-110]', async () => {
  const { backgroundTerminalMaxTimeoutMs } = await load(user('background_terminal_max_timeout = 99999999999'));
  expect(backgroundTerminalMaxTimeoutMs).toBe(86_400_000);
});

test.each(['[A-Z]*', 'AWS_{KEY,ID}', '!PATH', ''])(
  'the pattern %j, which can fit nothing, is a warning [CFG-113]',
  async (pattern) => {
    const list = JSON.stringify([pattern, 'A*']);
    const { warnings } = await load(user(`[shell_environment_policy]\nexclude = ${list}\ninclude_only = ${list}\n`));
    expect(warnings).toEqual(
      ['exclude', 'include_only'].map(
        (key) =>
          `shell_environment_policy.${key}: ${JSON.stringify(pattern)} fits no variable; only * and ? are special in a pattern, anything else stands for itself`,
      ),
    );
  },
);

test('values that are set for commands are shown as secrets are [CFG-114]', () => {
  expect(withoutSecrets(['shell_environment_policy'], { inherit: 'all', set: { A: 'plain' } })).toEqual({
    inherit: 'all',
    set: { A: '*****' },
  });
});
