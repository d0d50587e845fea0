import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Quire } from '@quire/agent';
import { type IssuedTokens, respond, Simulator, text } from '@quire/simulator';
import { expect, test } from 'vitest';
import { KnownSecrets } from '../src/secrets.ts';
import { createWorkspace, type Workspace } from './workspace.ts';

async function storeLogin({ home }: Workspace, tokens: IssuedTokens): Promise<void> {
  const document = {
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: null,
    tokens: {
      id_token: tokens.idToken,
      access_token: tokens.accessToken,
      refresh_token: tokens.refreshToken,
      account_id: 'account-1',
    },
    last_refresh: new Date().toISOString(),
  };
  await writeFile(join(home, 'auth.json'), JSON.stringify(document), { mode: 0o600 });
}

async function tokensIn({ home }: Workspace): Promise<readonly string[]> {
  const { tokens } = JSON.parse(await readFile(join(home, 'auth.json'), 'utf8')) as {
    tokens: Record<string, string>;
  };
  return ['id_token', 'access_token', 'refresh_token'].map((name) => tokens[name] ?? '');
}

test('the tokens of a login, and those that replace them while a thread is open, are in no record of it [AGENT-78]', async () => {
  await using workspace = await createWorkspace();
  await using simulator = await Simulator.start({
    oauth: { guardsModels: true, opaqueAccessTokens: true },
    steps: [respond(text('One.')), respond(text('Two.')), respond(text('Three.'))],
  });
  await storeLogin(workspace, simulator.oauth.logIn());
  const before = await tokensIn(workspace);
  const quire = new Quire({
    home: workspace.home,
    environment: {
      PATH: process.env['PATH'],
      HOME: workspace.home,
      CODEX_REFRESH_TOKEN_URL_OVERRIDE: `${simulator.issuer}/oauth/token`,
    },
    baseUrl: simulator.url,
    configOverrides: ['model=gpt-5.2-codex', 'features.responses_websockets=false'],
  });
  await using thread = await quire.startThread({ workingDirectory: workspace.repository });
  await thread.run(`before: ${before.join(' ')}`);
  simulator.oauth.expireAccessTokens();
  await thread.run('renew');
  const after = await tokensIn(workspace);
  expect(after[1]).not.toBe(before[1]);
  await thread.run(`after: ${after.join(' ')}`);

  const written = await readFile(thread.facts.rolloutPath ?? '', 'utf8');
  expect(written).toContain('before: [redacted:');
  expect(written).toContain('after: [redacted:');
  for (const token of [...before, ...after]) expect(written).not.toContain(token);
});

test('what the configuration names or holds counts as secret, what everybody knows does not [AGENT-78]', () => {
  const environment = {
    SESSION: 'value-of-session',
    OTHER: 'value-of-other-key',
    MY_TOKEN: 'value-of-my-token',
    MCP_BEARER: 'value-of-mcp-bearer',
    PATH: '/usr/bin:/usr/local/bin',
    NOTES_KEY: 'several words of no importance',
  };
  const secrets = new KnownSecrets(environment);
  const before = secrets.list();
  const http = {
    kind: 'streamable-http',
    bearerTokenEnvVar: 'MCP_BEARER',
    httpHeaders: { 'x-key': 'value-of-mcp-header' },
  };
  const stdio = { kind: 'stdio', env: { DB_PASSWORD: 'value-of-password', MODE: 'value-of-the-mode' } };
  secrets.noteConfig(
    {
      provider: {
        envKey: 'ABSENT',
        bearerToken: 'value-of-bearer',
        httpHeaders: { authorization: 'Basic value-of-header', accept: 'application/json' },
        envHttpHeaders: { 'x-session': 'SESSION' },
        queryParams: { 'api-key': 'value-of-parameter', 'api-version': 'version-2026-01-01' },
      },
      otherProviders: [
        { bearerToken: 'value-of-another', httpHeaders: {}, envHttpHeaders: {}, queryParams: {}, envKey: 'OTHER' },
      ],
      shellEnvironmentPolicy: { set: { NPM_TOKEN: 'value-for-commands', NPM_MODE: 'value-of-mode' } },
      mcpServers: [{ transport: http }, { transport: stdio }],
      telemetry: {
        logs: { kind: 'otlp-http', headers: { 'x-collector': 'value-of-collector' } },
        traces: { kind: 'none' },
        metrics: { kind: 'none' },
      },
    } as unknown as Parameters<typeof secrets.noteConfig>[0],
    environment,
  );
  secrets.noteTokens(['short-one', 'tiny']);
  expect(before).toEqual(['value-of-my-token']);
  expect([...secrets.list()].sort()).toEqual(
    [
      'short-one',
      'value-for-commands',
      'value-of-another',
      'value-of-bearer',
      'value-of-other-key',
      'value-of-collector',
      'value-of-parameter',
      'value-of-header',
      'value-of-mcp-bearer',
      'value-of-mcp-header',
      'value-of-my-token',
      'value-of-password',
      'value-of-session',
    ].sort(),
  );
});

test.each([
  ...['PGPASSWORD', 'MYSQL_PWD', 'DB_PASS', 'DB_PASSWORD2', 'SSHPASS', 'GITHUB_PAT', 'OPENAI_APIKEY', 'OPENAI_API_KEY'],
  ...['REDISCLI_AUTH', 'MY_SECRETS', 'VAULT_PASSPHRASE', 'SIGNING_KEYS', 'AWS_SECRET_ACCESS_KEY', 'SESSION_COOKIE'],
  ...['npm_config__authToken', 'API_CREDS', 'GOOGLE_CREDENTIALS', 'client_secret'],
])('what the variable %s holds counts as secret, also when it begins with a slash [SECRET-23]', (name) => {
  for (const value of ['4n0tw0rd-of-secret', '/4n0t/a-path-of-any', 'C:\\4n0t-a-place']) {
    expect(new KnownSecrets({ [name]: value }).list()).toEqual([value]);
  }
});

test.each([
  ...['PWD', 'OLDPWD', 'SSH_AUTH_SOCK', 'XAUTHORITY', 'GPG_TTY', 'KEYBOARD_LAYOUT', 'COLORTERM', 'SSH_ASKPASS', 'PATH'],
  ...[
    'MONKEY',
    'GIT_AUTHOR_NAME',
    'API_KEY_ID',
    'TOKEN_URL',
    'PASSENGER',
    'SECRETARY',
    'npm_config_auth_type',
    'DISPATCH',
  ],
])('what the variable %s holds does not [SECRET-23]', (name) => {
  for (const value of ['4n0tw0rd-of-secret', '/4n0t/a-path-of-any']) {
    expect(new KnownSecrets({ [name]: value }).list()).toEqual([]);
  }
});

test.each([
  ['a place that is there', 'GOOGLE_APPLICATION_CREDENTIALS', process.execPath],
  ['a folder that is there', 'MY_PWD', process.cwd()],
  ['a word', 'DEPLOY_KEY', 'true'],
  ['a short value', 'DEPLOY_KEY', '12345678901'],
  ['several words', 'DEPLOY_KEY', 'several words of no importance'],
  ['a way to authenticate', 'SMTP_AUTH', 'xoauthbearer'],
])('%s in a variable does not count as secret, whatever its name [SECRET-23]', (_what, name, value) => {
  expect(new KnownSecrets({ [name]: value }).list()).toEqual([]);
});

test('tokens and configured values count as secret though they begin with a slash, places in the variables of a server do not [SECRET-23]', () => {
  const secrets = new KnownSecrets({});
  const env = { DB_PASSWORD: '/password/of-server', KEY_FILE: '/nowhere/key.pem', SSH_AUTH_SOCK: process.execPath };
  const none = { kind: 'none' };
  secrets.noteConfig(
    {
      provider: {
        bearerToken: '/bearer/of-provider',
        httpHeaders: { 'x-root': process.cwd(), 'x-key': '/header/of-provider' },
        envHttpHeaders: { 'x-node': 'NODE' },
        queryParams: {},
      },
      otherProviders: [],
      shellEnvironmentPolicy: { set: {} },
      mcpServers: [{ transport: { kind: 'stdio', env } }],
      telemetry: { logs: none, traces: none, metrics: none },
    } as unknown as Parameters<typeof secrets.noteConfig>[0],
    { NODE: process.execPath },
  );
  secrets.noteTokens(['/tok/en-of-the-login']);
  expect(secrets.list()).toEqual([
    '/bearer/of-provider',
    '/header/of-provider',
    '/password/of-server',
    '/tok/en-of-the-login',
  ]);
});

test('of the tokens of a long run the newest are known, and the list is another one only when it has changed [AGENT-78]', () => {
  const secrets = new KnownSecrets({ MY_TOKEN: 'value-of-my-token' });
  for (let index = 0; index < 200; index += 1) secrets.noteTokens([`token-number-${index}`]);
  const known = secrets.list();
  expect([known.length, known[0], known[1], known.at(-1)]).toEqual([
    65,
    'value-of-my-token',
    'token-number-136',
    'token-number-199',
  ]);
  secrets.noteTokens(['token-number-199']);
  expect(secrets.list()).toBe(known);
});

test('a stored login that others can read is used, and that is told when a thread opens [AGENT-82]', async () => {
  await using workspace = await createWorkspace();
  await using simulator = await Simulator.start({ steps: [] });
  const file = join(workspace.home, 'auth.json');
  await writeFile(file, '{"auth_mode":"apikey","OPENAI_API_KEY":"sk-stored-key"}');
  const warningsAt = async (mode: number, variables: Readonly<Record<string, string>> = {}) => {
    await chmod(file, mode);
    const quire = new Quire({
      home: workspace.home,
      environment: { PATH: process.env['PATH'], HOME: workspace.home, ...variables },
      baseUrl: simulator.url,
      configOverrides: ['model=gpt-5.2-codex'],
    });
    await using thread = await quire.startThread({ workingDirectory: workspace.repository });
    return thread.facts.warnings;
  };
  expect(await warningsAt(/* mode */ 0o600)).toEqual([]);
  expect(await warningsAt(/* mode */ 0o644)).toEqual([
    `${file} can be read by others than its owner; run chmod 600 on it`,
  ]);
  expect(await warningsAt(/* mode */ 0o644, { CODEX_API_KEY: 'sk-of-this-run' })).toEqual([]);
});
