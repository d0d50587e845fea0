import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, ConfigError, loadConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

interface Given {
  /** By path relative to the folder of the test, with `home` and the project `p`. `%` stands for that folder. */
  readonly files: Readonly<Record<string, string>>;
  readonly overrides?: readonly string[];
  readonly ignoreUserConfig?: boolean;
}

/** What is loaded, as JSON, with the folder of the test taken out. */
async function load(given: Given): Promise<Pick<Config, 'hooks' | 'warnings'>> {
  using folder = temporaryFolder();
  for (const [name, content] of Object.entries({ 'home/version.json': '', 'p/.git/HEAD': '', ...given.files })) {
    const file = path.join(folder.path, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content.replaceAll('%', folder.path));
  }
  try {
    const { hooks, warnings } = await loadConfig({
      home: path.join(folder.path, 'home'),
      cwd: path.join(folder.path, 'p'),
      overrides: given.overrides ?? [],
      environment: {},
      ignoreUserConfig: given.ignoreUserConfig ?? false,
    });
    return JSON.parse(JSON.stringify({ hooks, warnings }).replaceAll(folder.path, '%')) as Config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.code, error.message.replaceAll(folder.path, '%'));
  }
}

async function names(given: Given): Promise<readonly string[]> {
  return (await load(given)).hooks.map((hook) => hook.name.replace(/^hooks\./, ''));
}

const TRUSTED = '[projects."%/p"]\ntrust_level = "trusted"\n';
const pre = (command: string) => `[[hooks.PreToolUse]]\n[[hooks.PreToolUse.hooks]]\ncommand = "${command}"\n`;
const json = (command: string) =>
  JSON.stringify({ hooks: { PreToolUse: [{ hooks: [{ type: 'command', command }] }] } });

test('hooks are read with their defaults and limits [HOOK-30]', async () => {
  const file = `
[[hooks.PreToolUse]]
matcher = "Bash"
[[hooks.PreToolUse.hooks]]
type = "command"
command = "check it"
statusMessage = "checking"
[[hooks.PreToolUse.hooks]]
command = ["/bin/check", "it"]
timeout = 0.5
fail = "open"
[[hooks.PostToolUse]]
[[hooks.PostToolUse.hooks]]
command = "look"
timeout = 3
timeout_sec = 1e9
[[hooks.PostToolUse.hooks]]
command = "look"
fail = "closed"
[hooks.state."x"]
trusted_hash = "y"
`;
  expect(await load({ files: { 'home/config.toml': file } })).toEqual({
    hooks: [
      {
        event: 'PreToolUse',
        name: 'hooks.PreToolUse[0].hooks[0] of %/home/config.toml',
        matcher: 'Bash',
        command: 'check it',
        timeoutMs: 60_000,
        fail: 'closed',
      },
      {
        event: 'PreToolUse',
        name: 'hooks.PreToolUse[0].hooks[1] of %/home/config.toml',
        matcher: 'Bash',
        command: ['/bin/check', 'it'],
        timeoutMs: 500,
        fail: 'open',
      },
      {
        event: 'PostToolUse',
        name: 'hooks.PostToolUse[0].hooks[0] of %/home/config.toml',
        matcher: '',
        command: 'look',
        timeoutMs: 86_400_000,
        fail: 'open',
      },
      {
        event: 'PostToolUse',
        name: 'hooks.PostToolUse[0].hooks[1] of %/home/config.toml',
        matcher: '',
        command: 'look',
        timeoutMs: 60_000,
        fail: 'closed',
      },
    ],
    warnings: [],
  });
});

describe('where hooks come from', () => {
  const FILES = {
    'home/config.toml': TRUSTED + pre('user'),
    'home/hooks.json': json('user'),
    'p/.codex/config.toml': pre('project'),
    'p/.codex/hooks.json': json('project'),
  };
  const overrides = ['hooks.PreToolUse=[{hooks=[{command="c"}]}]'];

  test('files beside the configuration and all layers add up, lowest first [HOOK-31]', async () => {
    expect(await names({ files: FILES, overrides })).toEqual([
      'PreToolUse[0].hooks[0] of %/home/config.toml',
      'PreToolUse[0].hooks[0] of %/home/hooks.json',
      'PreToolUse[0].hooks[0] of %/p/.codex/config.toml',
      'PreToolUse[0].hooks[0] of %/p/.codex/hooks.json',
      'PreToolUse[0].hooks[0] of -c',
    ]);
  });

  test.each([
    ['untrusted', TRUSTED.replace('"trusted"', '"untrusted"')],
    ['undecided', ''],
  ])('a project that is %s has none, and a slip in its file does not matter [HOOK-32]', async (_title, settings) => {
    const files = { ...FILES, 'home/config.toml': settings, 'p/.codex/hooks.json': '{' };
    expect(await names({ files })).toEqual(['PreToolUse[0].hooks[0] of %/home/hooks.json']);
  });

  test('the user may switch them off, a project may not [HOOK-33]', async () => {
    const off = '[features]\nhooks = false\n';
    const byUser = { ...FILES, 'home/config.toml': off + TRUSTED + pre('user') };
    const byProject = { ...FILES, 'p/.codex/config.toml': off };
    expect([await names({ files: byUser }), (await names({ files: byProject })).length]).toEqual([[], 3]);
  });

  test('without the settings of the user there are none of the user either [HOOK-31]', async () => {
    expect(await names({ files: FILES, ignoreUserConfig: true })).toEqual([]);
  });

  test('an empty file holds none [HOOK-31]', async () => {
    expect(await names({ files: { 'home/hooks.json': ' \n' } })).toEqual([]);
    expect(await names({ files: { 'home/hooks.json': '{"description":"x"}' } })).toEqual([]);
  });
});

test('events and kinds of hooks that never run are a warning each [HOOK-34]', async () => {
  const events = {
    Stop: [],
    PreToolUse: [{ hooks: [{ type: 'prompt', prompt: 'safe?' }] }],
  };
  expect(await load({ files: { 'home/hooks.json': JSON.stringify({ hooks: events }) } })).toEqual({
    hooks: [],
    warnings: [
      '%/home/hooks.json: hooks.Stop never runs; hooks run at PreToolUse and PostToolUse',
      'hooks.PreToolUse[0].hooks[0] of %/home/hooks.json never runs: hooks of the type "prompt" are not supported',
    ],
  });
});

describe('a hook that can not be understood is refused with its place [HOOK-35]', () => {
  const wrap = (hook: unknown, matcher?: unknown) => ({ hooks: { PreToolUse: [{ matcher, hooks: [hook] }] } });
  test.each<[string, unknown, string]>([
    ['no object', 3, '%/home/hooks.json can not be read: it does not hold a JSON object'],
    ['hooks that are a list', { hooks: [] }, '%/home/hooks.json: hooks must be a table'],
    [
      'an event that is a table',
      { hooks: { PreToolUse: {} } },
      '%/home/hooks.json: hooks.PreToolUse must be a list of tables',
    ],
    [
      'a group that is text',
      { hooks: { PreToolUse: ['x'] } },
      '%/home/hooks.json: hooks.PreToolUse[0] must be a table',
    ],
    [
      'a group without hooks',
      { hooks: { PreToolUse: [{ command: 'x' }] } },
      '%/home/hooks.json: hooks.PreToolUse[0].hooks must be a list of tables',
    ],
    [
      'a matcher that is none',
      wrap({ command: 'x' }, 'a(('),
      '%/home/hooks.json: hooks.PreToolUse[0].matcher is no regular expression: "a(("',
    ],
    [
      'no command',
      wrap({}),
      '%/home/hooks.json: hooks.PreToolUse[0].hooks[0].command must be a command line or a list of a program and its arguments',
    ],
    [
      'a blank command',
      wrap({ command: ' ' }),
      '%/home/hooks.json: hooks.PreToolUse[0].hooks[0].command must be a command line or a list of a program and its arguments',
    ],
    [
      'an empty list',
      wrap({ command: [] }),
      '%/home/hooks.json: hooks.PreToolUse[0].hooks[0].command must be a command line or a list of a program and its arguments',
    ],
    [
      'no time',
      wrap({ command: 'x', timeout: 0 }),
      '%/home/hooks.json: hooks.PreToolUse[0].hooks[0].timeout must be a number of seconds above 0',
    ],
    [
      'another word for failing',
      wrap({ command: 'x', fail: 'maybe' }),
      '%/home/hooks.json: hooks.PreToolUse[0].hooks[0].fail must be "open" or "closed"',
    ],
  ])('%s', async (_title, content, message) => {
    const files = { 'home/hooks.json': JSON.stringify(content) };
    const error: unknown = await load({ files }).catch((reason: unknown) => reason);
    expect(error instanceof ConfigError && error.message).toBe(message);
  });

  test('JSON that is none', async () => {
    const error: unknown = await load({ files: { 'home/hooks.json': '{"secret' } }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'syntax', message: '%/home/hooks.json is not valid JSON' });
  });

  test('and so is one of the configuration', async () => {
    await expect(load({ files: { 'home/config.toml': '[hooks]\nPreToolUse = 3\n' } })).rejects.toThrow(
      '%/home/config.toml:2: hooks.PreToolUse must be a list of tables',
    );
  });
});
