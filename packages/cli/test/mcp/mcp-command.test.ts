import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { visit } from '../../../host/test/mcp/support/browser.ts';
import { HttpMcpServer } from '../../../host/test/mcp/support/http-mcp-server.ts';
import { bundleProgram } from '../support/bundle-program.ts';

let folder: string;
let program: string;
let homes = 0;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'quire-mcp-')));
  program = await bundleProgram(
    folder,
    `import { mcpCommand } from './src/mcp/command.ts';
        const { exitCode } = await mcpCommand(process.argv.slice(2));
        process.exitCode = exitCode;`,
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Home {
  readonly path: string;
  config(): Promise<string>;
  mcp(...argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  start(...argv: readonly string[]): ReturnType<typeof spawn>;
}

async function home(config?: string): Promise<Home> {
  homes += 1;
  const path = await mkdtemp(join(folder, `home-${homes}-`));
  const file = join(path, 'config.toml');
  if (config !== undefined) await writeFile(file, config);
  const start: Home['start'] = (...argv) =>
    spawn(process.execPath, [program, ...argv], {
      cwd: path,
      env: { PATH: process.env['PATH'], HOME: path, CODEX_HOME: path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  return {
    path,
    config: () => readFile(file, 'utf8'),
    start,
    mcp: async (...argv) => {
      const child = start(...argv);
      const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
      const [code] = await once(child, 'close');
      return { code: Number(code), stdout: await stdout, stderr: await stderr };
    },
  };
}

async function textOf(stream: AsyncIterable<unknown> | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

const BEFORE = `# mine
model = "m"   # why

[mcp_servers.old] # a note
command = "x"
`;

test('servers are added behind what is there, of both kinds [MCP-70]', async () => {
  const t = await home(BEFORE);
  const added = await t.mcp('add', 'docs', '--env', 'B=2', '--env', 'A=x=y', '--', 'node', 'server.js', '--port', '3');
  expect(added).toEqual({ code: 0, stdout: `Added MCP server 'docs' in ${t.path}/config.toml.\n`, stderr: '' });
  expect(await t.mcp('add', 'web', '--url', 'https://h.example/mcp')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('If it wants a login: quire mcp login web'),
  });
  expect(await t.config()).toBe(`${BEFORE}
[mcp_servers.docs]
command = "node"
args = [ "server.js", "--port", "3" ]

[mcp_servers.docs.env]
A = "x=y"
B = "2"

[mcp_servers.web]
url = "https://h.example/mcp"
`);
});

test('a first server makes the file, for its owner only [MCP-71]', async () => {
  const t = await home();
  expect((await t.mcp('add', 'a', 'program', '--flag')).code).toBe(0);
  expect(await t.config()).toBe('[mcp_servers.a]\ncommand = "program"\nargs = [ "--flag" ]\n');
  expect((await stat(join(t.path, 'config.toml'))).mode & 0o777).toBe(0o600);
});

test('a server is replaced as a whole and removed; what is not there is no error [MCP-72]', async () => {
  const t = await home(BEFORE);
  const file = `${t.path}/config.toml`;
  expect((await t.mcp('add', 'old', '--url', 'http://h/mcp', '--bearer-token-env-var', 'T')).stdout).toBe(
    `Replaced MCP server 'old' in ${file}.\n`,
  );
  expect(JSON.parse((await t.mcp('get', 'old', '--json')).stdout).transport).toMatchObject({ url: 'http://h/mcp' });
  expect((await t.mcp('remove', 'old')).stdout).toBe(`Removed MCP server 'old' from ${file}.\n`);
  expect(await t.mcp('remove', 'old')).toEqual({
    code: 0,
    stdout: `There is no MCP server 'old' in ${file}.\n`,
    stderr: '',
  });
  expect(await t.config()).toContain('# mine\nmodel = "m"   # why\n');
});

test('a file that can not be parsed is left alone [MCP-73]', async () => {
  const t = await home('model = \n');
  const { code, stderr } = await t.mcp('add', 'a', '--', 'x');
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^quire: .*config\.toml:1:9: not valid TOML/)]);
  expect(await t.config()).toBe('model = \n');
});

const SERVERS = `[mcp_servers.a]
command = "x"
args = ["1", "b c"]
env = { K = "secret" }
env_vars = ["FOO"]
startup_timeout_sec = 3.5
enabled_tools = ["t"]
[mcp_servers.b]
url = "https://h.example/mcp"
bearer_token_env_var = "T"
http_headers = { H = "secret" }
env_http_headers = { E = "V" }
[mcp_servers.c]
url = "https://c.example/mcp"
enabled = false
[mcp_servers.bad]
args = []
`;

test('servers are listed for people without their secrets [MCP-74]', async () => {
  const t = await home(SERVERS);
  const listed = await t.mcp('list');
  expect(listed.stdout).toBe(
    `Name  Command  Args   Env                 Cwd  Status   Auth
a     x        1 b c  K=*****, FOO=*****  -    enabled  Unsupported

Name  Url                    Bearer Token Env Var  Status    Auth
b     https://h.example/mcp  T                     enabled   Bearer token
c     https://c.example/mcp  -                     disabled  Unknown
`,
  );
  expect(listed.stderr).toMatch(/mcp_servers\.bad\.command is missing.*the MCP server bad is left out\n$/);
  expect((await t.mcp('get', 'a')).stdout).toBe(`a
  enabled: true
  transport: stdio
  command: x
  args: 1 b c
  cwd: -
  env: K=*****, FOO=*****
  enabled_tools: t
  startup_timeout_sec: 3.5
  remove: quire mcp remove a
`);
  expect((await t.mcp('get', 'b')).stdout).toContain('http_headers: H=*****\n  env_http_headers: E=V\n');
  expect((await t.mcp('get', 'c')).stdout).toBe('c (disabled)\n');
  expect((await (await home()).mcp('list')).stdout).toBe(
    'There are no MCP servers; quire mcp add NAME -- PROGRAM adds one.\n',
  );
});

test('secrets in addresses and arguments are not shown to people [MCP-90]', async () => {
  const t = await home(`[mcp_servers.a]
command = "x"
args = ["--api-key=hunter2", "--token", "hunter2", "b"]
[mcp_servers.b]
url = "https://h.example/mcp?apiKey=hunter2"
`);
  expect((await t.mcp('list')).stdout).toBe(`Name  Command  Args                             Env  Cwd  Status   Auth
a     x        --api-key=***** --token ***** b  -    -    enabled  Unsupported

Name  Url                                 Bearer Token Env Var  Status   Auth
b     https://h.example/mcp?apiKey=*****  -                     enabled  Unknown
`);
  expect((await t.mcp('get', 'a')).stdout).toContain('  args: --api-key=***** --token ***** b\n');
  expect((await t.mcp('get', 'b')).stdout).toContain('  url: https://h.example/mcp?apiKey=*****\n');
  expect(JSON.parse((await t.mcp('get', 'b', '--json')).stdout).transport).toMatchObject({
    url: 'https://h.example/mcp?apiKey=hunter2',
  });
});

test('servers are listed for programs in the shape of the peer [MCP-75]', async () => {
  const t = await home(SERVERS);
  const program = {
    type: 'stdio',
    command: 'x',
    args: ['1', 'b c'],
    env: { K: 'secret' },
    env_vars: ['FOO'],
    cwd: null,
  };
  const address = {
    type: 'streamable_http',
    url: 'https://h.example/mcp',
    bearer_token_env_var: 'T',
    http_headers: { H: 'secret' },
    env_http_headers: { E: 'V' },
    http_headers_helper: null,
  };
  const plain = { bearer_token_env_var: null, http_headers: null, env_http_headers: null };
  const times = { startup_timeout_sec: null, tool_timeout_sec: null };
  const a = { name: 'a', enabled: true, disabled_reason: null, transport: program };
  expect(JSON.parse((await t.mcp('list', '--json')).stdout)).toEqual([
    { ...a, ...times, startup_timeout_sec: 3.5, auth_status: 'unsupported' },
    { ...a, name: 'b', transport: address, ...times, auth_status: 'bearer_token' },
    {
      ...a,
      name: 'c',
      enabled: false,
      transport: { ...address, ...plain, url: 'https://c.example/mcp' },
      ...times,
      auth_status: 'unknown',
    },
  ]);
  expect(JSON.parse((await t.mcp('get', '--json', 'a')).stdout)).toEqual({
    ...a,
    enabled_tools: ['t'],
    disabled_tools: null,
    ...times,
    startup_timeout_sec: 3.5,
  });
});

test('a person logs in and out again [MCP-76]', async () => {
  await using server = await HttpMcpServer.start({ oauth: true });
  const t = await home(`[mcp_servers.web]\nurl = "${server.url}"\n[mcp_servers.prog]\ncommand = "x"\n`);
  const child = t.start('login', 'web', '--no-browser', '--scopes', 'read,write');
  let stdout = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`no address: ${stdout}`)));
    child.stdout?.on('data', (chunk) => {
      stdout += String(chunk);
      const [found] = /http:\S+authorize\S+(?=\n)/.exec(stdout) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
  expect(new URL(url).searchParams.get('scope')).toBe('read write');
  const closed = once(child, 'close');
  await visit(url);
  expect(await closed).toEqual([0, null]);
  expect(stdout).toMatch(/You are logged in to MCP server 'web'\.\n$/);
  expect(JSON.parse((await t.mcp('list', '--json')).stdout)).toMatchObject([
    {},
    { name: 'web', auth_status: 'o_auth' },
  ]);
  expect((await t.mcp('logout', 'web')).stdout).toBe("The login is forgotten: MCP server 'web'.\n");
  expect((await t.mcp('logout', 'web')).stdout).toBe("There is no stored login: MCP server 'web'.\n");
  expect(await t.mcp('login', 'prog')).toMatchObject({ code: 1, stderr: expect.stringContaining('is a program') });
  expect(await t.mcp('logout', 'prog')).toMatchObject({ code: 1, stderr: expect.stringContaining('is a program') });
});

describe('what is wrong on the command line is said in one line [MCP-77]', () => {
  const cases: readonly [readonly string[], number, string][] = [
    [[], 2, 'a sub-command is missing; known are list, get, add, remove, login, logout'],
    [['lst'], 2, 'unknown sub-command "lst"; did you mean list?'],
    [['list', 'x'], 2, 'unexpected argument "x"'],
    [['list', '--env', 'A=1'], 2, '--env does not go with mcp list'],
    [['get'], 2, 'mcp get needs the name of a server'],
    [['get', 'nope'], 1, 'there is no MCP server "nope"; quire mcp list shows those that there are'],
    [['add', 'bad name', '--', 'x'], 2, '"bad name" is no name for a server: use letters, digits and _ - . : @ /'],
    [['add', 'a'], 2, 'mcp add needs either --url URL or -- PROGRAM [ARG]...'],
    [['add', 'a', '--url', 'http://h', '--', 'x'], 2, 'mcp add takes either --url or a program, not both'],
    [['add', 'a', '--url', 'nonsense'], 2, '--url must be an address that begins with http:// or https://'],
    [['add', 'a', '--env', 'A', '--', 'x'], 2, '--env takes KEY=VALUE'],
    [['add', 'a', '--env', 'A=1', '--url', 'http://h'], 2, '--env goes with a program, not with --url'],
    [['add', 'a', '--bearer-token-env-var', 'T', '--', 'x'], 2, '--bearer-token-env-var goes with --url'],
  ];
  test.each(cases)('%j', async (argv, code, message) => {
    const usage = code === 2 ? 'Usage: quire mcp COMMAND; see quire mcp --help\n' : '';
    expect(await (await home()).mcp(...argv)).toEqual({ code, stdout: '', stderr: `quire: ${message}\n${usage}` });
  });
});

test('help lists every command and option [MCP-78]', async () => {
  const { code, stdout } = await (await home()).mcp('--help');
  expect(code).toBe(0);
  for (const word of ['list', 'get', 'add', 'remove', 'login', 'logout', '--json', '--env', '--url', '--scopes']) {
    expect(stdout).toContain(word);
  }
});
