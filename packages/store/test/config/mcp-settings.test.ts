import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Config, loadConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

async function load(text: string, overrides: readonly string[] = []): Promise<Config & { readonly home: string }> {
  using folder = temporaryFolder();
  fs.writeFileSync(path.join(folder.path, 'config.toml'), text);
  const config = await loadConfig({ home: folder.path, cwd: '/', overrides, environment: {} });
  return { ...config, home: folder.path };
}

const DEFAULTS = {
  enabled: true,
  required: false,
  startupTimeoutMs: undefined,
  toolTimeoutMs: undefined,
  enabledTools: undefined,
  disabledTools: undefined,
  approvalMode: undefined,
  toolApprovalModes: {},
  parallelToolCalls: undefined,
};

test('servers are read with all of their settings [MCP-40]', async () => {
  const { mcpServers, mcpOauthCallbackPort, mcpOauthCallbackUrl, warnings, home } = await load(`
mcp_oauth_callback_port = 4321
mcp_oauth_callback_url = "https://me.example/back"
[mcp_servers.web]
url = "https://x.example/mcp"
bearer_token_env_var = "T"
http_headers = { H = "v" }
env_http_headers = { E = "V" }
scopes = ["s"]
oauth_resource = "r"
startup_timeout_ms = 5000
[mcp_servers.web.oauth]
client_id = "c"
[mcp_servers.all]
command = "x"
args = ["a"]
env = { B = "2" }
env_vars = ["FOO"]
cwd = "here"
enabled = false
required = true
startup_timeout_sec = 3.5
startup_timeout_ms = 9
tool_timeout_sec = 7
enabled_tools = ["t1"]
disabled_tools = ["t2"]
supports_parallel_tool_calls = true
default_tools_approval_mode = "prompt"
unknown = 1
[mcp_servers.all.tools.t1]
approval_mode = "approve"
[mcp_servers.least]
command = "y"
`);
  expect({ mcpServers, mcpOauthCallbackPort, mcpOauthCallbackUrl, warnings }).toEqual({
    warnings: [],
    mcpOauthCallbackPort: 4321,
    mcpOauthCallbackUrl: 'https://me.example/back',
    mcpServers: [
      {
        name: 'all',
        enabled: false,
        required: true,
        startupTimeoutMs: 3500,
        toolTimeoutMs: 7000,
        enabledTools: ['t1'],
        disabledTools: ['t2'],
        approvalMode: 'prompt',
        toolApprovalModes: { t1: 'approve' },
        parallelToolCalls: true,
        transport: {
          kind: 'stdio',
          command: 'x',
          args: ['a'],
          env: { B: '2' },
          envVars: ['FOO'],
          cwd: path.join(home, 'here'),
        },
      },
      {
        ...DEFAULTS,
        name: 'least',
        transport: { kind: 'stdio', command: 'y', args: [], env: undefined, envVars: [], cwd: undefined },
      },
      {
        ...DEFAULTS,
        name: 'web',
        startupTimeoutMs: 5000,
        transport: {
          kind: 'streamable-http',
          url: 'https://x.example/mcp',
          bearerTokenEnvVar: 'T',
          httpHeaders: { H: 'v' },
          envHttpHeaders: { E: 'V' },
          oauthClientId: 'c',
          oauthResource: 'r',
          scopes: ['s'],
        },
      },
    ],
  });
});

test.each([
  ['command = 3', 'bad.command must be a string, found an integer'],
  ['command = ""', 'bad.command must not be empty'],
  ['args = ["x"]', 'bad.command is missing: a server needs `command` or `url`'],
  ['command = "x"\nurl = "http://h"', 'bad.url does not go with `command`; keep one of them'],
  ['command = "x"\nhttp_headers = { a = "b" }', 'bad.http_headers goes with `url` only, not with `command`'],
  ['url = "http://h"\nenv = { a = "b" }', 'bad.env goes with `command` only, not with `url`'],
  ['url = "ftp://h"', 'bad.url must be an address that begins with http:// or https://'],
  ['command = "x"\nenv = { A = 1 }', 'bad.env.A must be a string, found an integer'],
  ['command = "x"\nenabled = "no"', 'bad.enabled must be true or false, found a string'],
  ['command = "x"\ntool_timeout_sec = 0', 'bad.tool_timeout_sec must be above 0, found 0'],
  ['command = "x"\nstartup_timeout_sec = "3"', 'bad.startup_timeout_sec must be a number, found a string'],
  [
    'command = "x"\ntools.t.approval_mode = "z"',
    'bad.tools.t.approval_mode must be one of auto, prompt, writes, approve, found "z"',
  ],
  ['command = "x"\ntools = 1', 'bad.tools.<name>.approval_mode must stand in a table'],
])(
  'a server that is configured wrongly is left out with a warning, the others stay [MCP-41]: %s',
  async (text, problem) => {
    const { mcpServers, warnings, home } = await load(
      `[mcp_servers.good]\ncommand = "g"\n[mcp_servers.bad]\n${text}\n`,
    );
    expect(mcpServers.map(({ name }) => name)).toEqual(['good']);
    const expected = problem.replace('tools.<name>', 'tools."<name>"');
    expect(warnings).toEqual([
      `${path.join(home, 'config.toml')}: mcp_servers.${expected}; the MCP server bad is left out`,
    ]);
  },
);

test('a wrong server on the command line is an error [MCP-42]', async () => {
  await expect(load('', ['mcp_servers.x.command=3'])).rejects.toThrow('-c: mcp_servers.x.command must be a string');
  await expect(load('mcp_oauth_callback_port = 70000')).rejects.toThrow('must be at most 65535, found 70000');
});
