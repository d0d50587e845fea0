import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleProgram } from '../support/bundle-program.ts';

let folder: string;
let program: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'quire-config-')));
  program = await bundleProgram(
    folder,
    `import { configCommand } from './src/config/command.ts';
        import { featuresCommand } from './src/features/command.ts';
        const [name, ...argv] = process.argv.slice(2);
        const { exitCode } = await (name === 'config' ? configCommand : featuresCommand)(argv);
        process.exitCode = exitCode;`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Home {
  readonly path: string;
  read(): Promise<string>;
  /** `code`, and both streams with `%` for the folder. */
  run(...argv: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
}

async function home(files: Readonly<Record<string, string>> = {}): Promise<Home> {
  const path = await mkdtemp(join(folder, 'home-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  const env = { PATH: process.env['PATH'], HOME: path, CODEX_HOME: path };
  return {
    path,
    read: () => readFile(join(path, 'config.toml'), 'utf8'),
    run: (...argv) =>
      new Promise((resolve) => {
        const command = program;
        execFile(process.execPath, [command, ...argv], { cwd: path, env }, (error, stdout, stderr) => {
          const code = error === null ? 0 : Number(error.code);
          resolve({ code, stdout: stdout.replaceAll(path, '%'), stderr: stderr.replaceAll(path, '%') });
        });
      }),
  };
}

const CONFIG = `# mine
model = "m" # why
tool_output_token_limit = 5

[model_providers.own]
name = "Own"
http_headers = { Authorization = "Bearer sentinel-one" }
[mcp_servers.docs]
command = "x"
env = { KEY = "sentinel-two" }
`;

describe('quire config list', () => {
  test('shows what is set as TOML, without secrets [CFG-80] [CFG-41]', async () => {
    const t = await home({ 'config.toml': CONFIG });
    expect(await t.run('config', 'list')).toEqual({
      code: 0,
      stdout: [
        'mcp_servers.docs.command = "x"',
        'mcp_servers.docs.env.KEY = "*****"',
        'model = "m"',
        'model_providers.own.http_headers.Authorization = "*****"',
        'model_providers.own.name = "Own"',
        'tool_output_token_limit = 5',
        '',
      ].join('\n'),
      stderr: '',
    });
  });

  test('says where each value comes from [CFG-80]', async () => {
    const t = await home({ 'config.toml': 'model = "m"\n', 'work.config.toml': '\nmodel_verbosity = "low"' });
    const { stdout } = await t.run('config', 'list', '--origin', '-c', 'model=x', '--profile', 'work');
    expect(stdout).toBe(
      'model = "x"  # -c (command line)\nmodel_verbosity = "low"  # %/work.config.toml:2 (profile)\n',
    );
  });

  test('gives programs all of it [CFG-80] [CFG-41]', async () => {
    const t = await home({ 'config.toml': CONFIG });
    const { stdout } = await t.run('config', 'list', '--json', '-c', 'model=x');
    expect(stdout).not.toContain('sentinel');
    const { settings, ...rest } = JSON.parse(stdout) as { readonly settings: readonly { readonly key: string }[] };
    expect(settings.find(({ key }) => key === 'model')).toEqual({
      key: 'model',
      path: ['model'],
      value: 'x',
      origin: { kind: 'command-line', source: '-c', key: 'model' },
      overridden: [{ kind: 'user', source: '%/config.toml', line: 2, key: 'model' }],
      isRead: true,
    });
    expect(rest).toEqual({
      layers: [
        { kind: 'user', source: '%/config.toml' },
        { kind: 'command-line', source: '-c' },
      ],
      disabledFolders: [],
      misspelled: [],
    });
  });

  test('tells what looks like a slip and what can not be used, with its place [CFG-80]', async () => {
    const t = await home({ 'config.toml': 'modle = "x"\nweb_search = 5\n' });
    expect(await t.run('config', 'list')).toEqual({
      code: 1,
      stdout: 'modle = "x"\nweb_search = 5\n',
      stderr:
        'quire: %/config.toml:1: modle is not read; did you mean model?\n' +
        'quire: %/config.toml:2: web_search must be a string, found an integer\n',
    });
  });

  test('tells folders that are not read, and that nothing is set [CFG-80]', async () => {
    const t = await home({ 'p/.codex/config.toml': 'model = "p"' });
    expect(await t.run('config', 'list', '-C', 'p')).toEqual({
      code: 0,
      stdout: '',
      stderr:
        'quire: nothing is set; quire config set KEY VALUE sets something\n' +
        'quire: %/p/.codex is not read: %/p has not been trusted yet\n',
    });
  });

  test('names file, line and column of what is no TOML [CFG-80]', async () => {
    const t = await home({ 'config.toml': 'model = "a"\n[features]\n[features]\n' });
    const { code, stdout, stderr } = await t.run('config', 'list');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^quire: %\/config\.toml:3:\d+: not valid TOML: [^\n]*\n$/);
  });
});

describe('quire config get', () => {
  test.each<[readonly string[], string]>([
    [['model'], 'm\n'],
    [['tool_output_token_limit'], '5\n'],
    [['model', '--origin', '-c', 'model=x'], 'x\nfrom -c (command line)\nover %/config.toml:2 (user)\n'],
    [['mcp_servers.docs.env.KEY'], '*****\n'],
    [
      ['mcp_servers.docs', '--origin'],
      'mcp_servers.docs.command = "x"  # %/config.toml:9 (user)\nmcp_servers.docs.env.KEY = "*****"  # %/config.toml:10 (user)\n',
    ],
    [['model', '--json'], '{\n  "key": "model",\n  "value": "m"\n}\n'],
  ])('%j [CFG-80]', async (argv, stdout) => {
    const t = await home({ 'config.toml': CONFIG });
    expect(await t.run('config', 'get', ...argv)).toEqual({ code: 0, stdout, stderr: '' });
  });

  test('of what is not set fails [CFG-80]', async () => {
    const t = await home();
    expect(await t.run('config', 'get', 'model')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'quire: model is not set; docs/configuration.md has its default\n',
    });
  });

  test.each([
    ['mdoel', 'nothing here reads mdoel; did you mean model?'],
    ['nope', 'nothing here reads nope'],
    ['features.undoo', 'nothing here reads features.undoo; did you mean features.undo?'],
  ])('of %s, which is no key, says so [CFG-80]', async (key, message) => {
    const t = await home();
    expect(await t.run('config', 'get', key)).toEqual({ code: 1, stdout: '', stderr: `quire: ${message}\n` });
  });
});

describe('quire config set and unset', () => {
  test('a value that is half a list is told without a word of -c [CFG-81]', async () => {
    const t = await home({ 'config.toml': CONFIG });
    const { code, stderr } = await t.run('config', 'set', 'project_root_markers', '["a"');
    expect([code, await t.read()]).toEqual([1, CONFIG]);
    expect(stderr).toMatch(
      /^quire: project_root_markers is not valid TOML: .*; .* single quotes around the value in a shell\n$/,
    );
  });

  test('change one setting and keep the rest as it is [CFG-81]', async () => {
    const t = await home({ 'config.toml': CONFIG });
    expect(await t.run('config', 'set', 'model', 'gpt-5')).toEqual({
      code: 0,
      stdout: 'model is set in %/config.toml.\n',
      stderr: '',
    });
    expect(await t.read()).toBe(CONFIG.replace('"m"', '"gpt-5"'));
    expect((await t.run('config', 'unset', 'model')).stdout).toBe('model is taken out of %/config.toml.\n');
    expect(await t.read()).toBe(CONFIG.replace('model = "m" # why\n', ''));
    expect((await t.run('config', 'unset', 'model')).stdout).toBe('model is not set in %/config.toml.\n');
  });

  test('make a missing file, for its owner only, or that of a profile [CFG-81]', async () => {
    const t = await home();
    await t.run('config', 'set', 'sandbox_mode', 'read-only');
    expect(await t.read()).toBe('sandbox_mode = "read-only"\n');
    expect((await stat(join(t.path, 'config.toml'))).mode & 0o777).toBe(0o600);
    await t.run('config', 'set', '--profile', 'work', 'model', 'w');
    expect(await readFile(join(t.path, 'work.config.toml'), 'utf8')).toBe('model = "w"\n');
  });

  test('refuse what can not be used, and write nothing [CFG-81]', async () => {
    const t = await home({ 'config.toml': CONFIG });
    expect(await t.run('config', 'set', 'hide_agent_reasoning', 'perhaps')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'quire: hide_agent_reasoning must be true or false, found a string; nothing was written\n',
    });
    expect((await t.run('config', 'set', 'modle', 'x')).stderr).toBe(
      'quire: modle is no setting; did you mean model?\n',
    );
    expect(await t.read()).toBe(CONFIG);
  });
});

test('quire config path names the file [CFG-80]', async () => {
  const t = await home();
  expect((await t.run('config', 'path')).stdout).toBe('%/config.toml\n');
  expect((await t.run('config', 'path', '--profile', 'work')).stdout).toBe('%/work.config.toml\n');
});

test.each<[readonly string[], string]>([
  [['config'], 'a sub-command is missing; known are list, get, set, unset, path'],
  [['config', 'lst'], 'unknown sub-command "lst"; did you mean list?'],
  [['config', 'get'], 'config get needs KEY; KEY is missing'],
  [['config', 'set', 'model'], 'config set needs KEY and VALUE; VALUE is missing'],
  [['config', 'list', 'x'], 'unexpected argument "x"'],
  [['config', 'set', '--json', 'a', 'b'], '--json does not go with config set'],
  [['features'], 'a sub-command is missing; known are list, enable, disable'],
  [['features', 'enabel', 'x'], 'unknown sub-command "enabel"; did you mean enable?'],
  [['features', 'enable'], 'features enable needs the name of a feature'],
  [['features', 'disable', 'a', 'b'], 'unexpected argument "b"'],
])('%j is wrong usage [CFG-82]', async (argv, message) => {
  const t = await home();
  const { code, stdout, stderr } = await t.run(...argv);
  expect([code, stdout, stderr.split('\n')[0]]).toEqual([2, '', `quire: ${message}`]);
});

describe('quire features list', () => {
  test('shows what there is with stage and state [CFG-83]', async () => {
    const t = await home({ 'config.toml': '[features]\nundo = true\n' });
    const { code, stdout, stderr } = await t.run('features', 'list', '--enable', 'js_repl', '--disable', 'shell_tool');
    expect([code, stderr]).toEqual([0, '']);
    const rows = new Map(stdout.split('\n').map((line) => [line.split(' ')[0], line.split(/ {2,}/).slice(1)]));
    expect([rows.get('undo'), rows.get('js_repl'), rows.get('shell_tool'), rows.get('js_repl_tools_only')]).toEqual([
      ['experimental', 'true'],
      ['experimental', 'true'],
      ['stable', 'false'],
      ['under development', 'false'],
    ]);
    expect(rows.has('apps')).toBe(false);
  });

  test('shows those without effect when asked [CFG-83]', async () => {
    const t = await home({ 'config.toml': '[features]\napps = true\n' });
    expect((await t.run('features', 'list', '--all')).stdout).toMatch(/^apps +experimental +no effect$/m);
    const { features } = JSON.parse((await t.run('features', 'list', '--all', '--json')).stdout) as {
      readonly features: readonly { readonly name: string }[];
    };
    expect(features.find(({ name }) => name === 'apps')).toEqual({
      name: 'apps',
      stage: 'experimental',
      enabled: false,
      defaultEnabled: false,
      supported: false,
      description: 'Accepted, without effect.',
    });
  });

  test('refuses a flag for a feature that nobody knows [CFG-83]', async () => {
    const t = await home();
    expect(await t.run('features', 'list', '--enable', 'js_rpl')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'quire: --enable: there is no feature "js_rpl"; did you mean js_repl?\n',
    });
  });
});

test('a negative number is a value, and no option [CFG-81]', async () => {
  const t = await home();
  expect(await t.run('config', 'set', 'mine', '-1')).toEqual({
    code: 0,
    stdout: 'mine is set in %/config.toml.\n',
    stderr: 'quire: nothing here reads mine\n',
  });
  expect(await t.read()).toBe('mine = -1\n');
});

describe('quire features enable and disable', () => {
  test('write the switch and keep the rest [CFG-84]', async () => {
    const t = await home({ 'config.toml': '# mine\n[features]\nundo = false # why\n' });
    expect(await t.run('features', 'enable', 'undo')).toEqual({
      code: 0,
      stdout: 'undo is switched on in %/config.toml.\n',
      stderr: '',
    });
    await t.run('features', 'disable', 'multi_agent');
    expect(await t.read()).toBe('# mine\n[features]\nundo = true # why\nmulti_agent = false\n');
  });

  test.each([
    [
      'js_repl_tools_only',
      'js_repl_tools_only',
      ['js_repl_tools_only is under development and may break', expect.stringContaining('needs features.js_repl')],
    ],
    ['apps', 'apps', ['apps has no effect here: it is a feature of compatible programs']],
    ['web_search_cached', 'web_search_cached', ['web_search_cached is deprecated: Use web_search = "cached".']],
    ['collab', 'multi_agent', ['collab is an older name of multi_agent']],
  ])('say what is special about %s [CFG-84]', async (name, written, notices) => {
    const t = await home();
    const { code, stderr } = await t.run('features', 'enable', name);
    expect([code, await t.read()]).toEqual([0, `[features]\n${written} = true\n`]);
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^quire: /, '')),
    ).toEqual(notices);
  });

  test('and config set tell a fault elsewhere and end with 0 [CFG-84] [CFG-134]', async () => {
    const t = await home({ 'config.toml': '[model_providers.sim]\nbase_url = "http://h"\n' });
    const stderr = (line: number): string =>
      `quire: %/config.toml:${line}: model_providers.sim.name is missing; give the provider a name\n`;
    expect(await t.run('features', 'enable', 'undo')).toEqual({
      code: 0,
      stdout: 'undo is switched on in %/config.toml.\n',
      stderr: stderr(/* line */ 1),
    });
    expect(await t.run('config', 'set', 'model', 'm')).toEqual({
      code: 0,
      stdout: 'model is set in %/config.toml.\n',
      stderr: stderr(/* line */ 3),
    });
  });

  test('refuse a name that nobody knows [CFG-84]', async () => {
    const t = await home({ 'config.toml': '# mine\n' });
    expect(await t.run('features', 'enable', 'js_rpl')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'quire: features enable: there is no feature "js_rpl"; did you mean js_repl?\n',
    });
    expect(await t.read()).toBe('# mine\n');
  });

  test('leave a file alone that can not be parsed [CFG-84]', async () => {
    const t = await home({ 'config.toml': '[features\n' });
    const { code, stderr } = await t.run('features', 'enable', 'undo');
    expect([code, await t.read()]).toEqual([1, '[features\n']);
    expect(stderr).toMatch(/^quire: %\/config\.toml:1:\d+: not valid TOML/);
  });
});
