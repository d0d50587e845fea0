import { describe, expect, test } from 'vitest';
import { configSecrets, explainConfig } from '../../src/config/config-tools.ts';
import { type Given, problemOf, withFiles } from './config-folder.ts';

type Explanation = Awaited<ReturnType<typeof explainConfig>>;

/** With `%` for the folder. */
async function explain(given: Given): Promise<Explanation> {
  let text = '';
  await withFiles(given, async (options, place) => {
    text = JSON.stringify(await explainConfig(options)).replaceAll(place, '%');
  });
  return JSON.parse(text) as Explanation;
}

const TRUST = '[projects."%/project"]\ntrust_level = "trusted"\n';

test('every value has the place it comes from, and those it replaces [CFG-40]', async () => {
  const explanation = await explain({
    files: {
      'etc/config.toml': 'model = "a"',
      'home/config.toml': `# mine\nmodel = "b"\n\n[profiles.p]\nmodel = "c"\n${TRUST}`,
      'project/.codex/config.toml': '\n[features]\nundo = true\n',
    },
    profile: 'p',
    overrides: ['model=d', 'mine=[1,{a="b"}]'],
  });
  const user = '%/home/config.toml';
  const value = (key: string) => explanation.settings.find((setting) => setting.key === key);
  expect(value('model')).toEqual({
    key: 'model',
    path: ['model'],
    value: 'd',
    origin: { kind: 'command-line', source: '-c', key: 'model' },
    overridden: [
      { kind: 'profile', source: user, line: 5, key: 'profiles.p.model' },
      { kind: 'user', source: user, line: 2, key: 'model' },
      { kind: 'system', source: '%/etc/config.toml', line: 1, key: 'model' },
    ],
    isRead: true,
  });
  expect(value('features.undo')?.origin).toEqual({
    kind: 'project',
    source: '%/project/.codex/config.toml',
    line: 3,
    key: 'features.undo',
  });
  expect(value('mine')).toMatchObject({ value: [1, { a: 'b' }], isRead: false });
  expect(value('projects."%/project".trust_level')).toMatchObject({ value: 'trusted', origin: { line: 7 } });
  expect(explanation.layers.map(({ kind }) => kind)).toEqual(['system', 'user', 'profile', 'project', 'command-line']);
});

test('folders of a project that is not trusted are named with the reason [CFG-40]', async () => {
  const { disabledFolders, settings } = await explain({ files: { 'project/.codex/config.toml': 'model = = =' } });
  expect(settings).toEqual([]);
  expect(disabledFolders).toEqual([{ path: '%/project/.codex', reason: '%/project has not been trusted yet' }]);
});

describe('what is secret is hidden', () => {
  test.each([
    'model_providers.m.experimental_bearer_token="#"',
    'model_providers.m.http_headers.X="#"',
    'model_providers.m.query_params.key="#"',
    'model_providers.m.auth.args=["--key", "#"]',
    'mcp_servers.m.env.ANY="#"',
    'mcp_servers.m.http_headers={"X-Y"="#"}',
    'mcp_servers.m.args=["sk-proj-#"]',
    'mcp_servers.m.url="https://user:#@host/mcp"',
    'shell_environment_policy.set.K="#"',
    'otel.exporter.otlp-http.headers.a="#"',
    'otel.exporter={"otlp-http"={headers={a="#"}}}',
    'my_api_key="#"',
    'other.program.password="#"',
    'marketplaces.list=[{token="#"}]',
  ])('%s [CFG-41]', async (override) => {
    const secret = 'c2VudGluZWwtc2VjcmV0LTEyMzQ1Njc4OTA';
    const explanation = await explain({ overrides: [override.replaceAll('#', secret)] });
    const text = JSON.stringify(explanation);
    expect(text).not.toContain(secret);
    expect(text).toContain('*****');
  });

  test.each<[string, unknown]>([
    ['mcp_servers.m.url="https://m.example/mcp?apiKey=hunter2"', 'https://m.example/mcp?apiKey=*****'],
    [
      'mcp_servers.m.url="https://m.example/mcp?a=hunter2&b=&c=hunter2#d=hunter2"',
      'https://m.example/mcp?a=*****&b=&c=*****#d=*****',
    ],
    ['mcp_servers.m.url="https://hunter2@m.example/mcp"', 'https://*****@m.example/mcp'],
    ['model_providers.m.base_url="https://m.example/v1?sig=hunter2"', 'https://m.example/v1?sig=*****'],
    ['mcp_servers.m.args=["--api-key=hunter2", "-v", "x"]', ['--api-key=*****', '-v', 'x']],
    ['mcp_servers.m.args=["--api-key", "hunter2", "x"]', ['--api-key', '*****', 'x']],
    ['mcp_servers.m.args=["--token", "--password", "hunter2"]', ['--token', '--password', '*****']],
    ['mcp_servers.m.args=["-e", "MY_TOKEN=hunter2"]', ['-e', 'MY_TOKEN=*****']],
    ['mcp_servers.m.args=["--header=X-Api-Key: hunter2"]', ['--header=X-Api-Key: *****']],
    ['mcp_servers.m.args=["--url=https://m.example/?key=hunter2"]', ['--url=https://m.example/?key=*****']],
    ['notify=["tell", "--Secret", "hunter2"]', ['tell', '--Secret', '*****']],
    [
      'mcp_servers.m.args=["--max-tokens=5", "--token-url", "https://m.example"]',
      ['--max-tokens=5', '--token-url', 'https://m.example'],
    ],
  ])('of addresses and arguments only the secret part: %s [CFG-96]', async (override, shown) => {
    const { settings } = await explain({ overrides: [override] });
    expect(settings.map(({ value }) => value)).toEqual([shown]);
    await withFiles({ overrides: [override] }, async (options) => {
      const secrets = await configSecrets(options);
      expect(secrets).toEqual(override.includes('hunter2') ? expect.arrayContaining(['hunter2']) : []);
    });
  });

  test('and names of variables, limits and stores are not [CFG-41]', async () => {
    const overrides = [
      'model_providers.m.env_key="MY_KEY"',
      'model_providers.m.env_http_headers.H="MY_VARIABLE"',
      'mcp_servers.m.bearer_token_env_var="T"',
      'mcp_servers.m.env_vars=["A"]',
      'tool_output_token_limit=5',
      'agents.max_tokens=6',
      'cli_auth_credentials_store="file"',
    ];
    const { settings } = await explain({ overrides });
    expect(settings.map(({ value }) => value)).toEqual([6, 'file', ['A'], 'T', 'MY_VARIABLE', 'MY_KEY', 5].sort(order));
    function order(left: unknown, right: unknown): number {
      const at = (wanted: unknown) =>
        settings.findIndex(({ value }) => JSON.stringify(value) === JSON.stringify(wanted));
      return at(left) - at(right);
    }
    expect(JSON.stringify(settings)).not.toContain('*****');
  });
});

test('misspelled keys of files are told with their place; others are not [CFG-42]', async () => {
  const config = 'modle = "x"\n[tui]\ntheme = "dark"\n[features]\njs_rpl = true\nquite_unknown = true\n';
  expect((await explain({ files: { 'home/config.toml': config } })).misspelled).toEqual([
    '%/home/config.toml:1: modle is not read; did you mean model?',
    '%/home/config.toml:5: features.js_rpl is not read; did you mean features.js_repl?',
  ]);
});

test('values of a wrong type are explained too [CFG-43]', async () => {
  const { settings } = await explain({ files: { 'home/config.toml': 'model = 5\nweb_search = ["x"]' } });
  expect(settings.map(({ key, value }) => [key, value])).toEqual([
    ['model', 5],
    ['web_search', ['x']],
  ]);
});

test('a file that is no TOML can not be explained [CFG-43]', async () => {
  await withFiles({ files: { 'home/config.toml': 'model = ' } }, async (options, place) => {
    expect(await problemOf(explainConfig(options), place)).toMatch(
      /^syntax: %\/home\/config\.toml:1:9: not valid TOML/,
    );
  });
});
