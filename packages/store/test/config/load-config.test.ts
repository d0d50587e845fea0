import fs from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Config, ConfigError, loadConfig } from '../../src/index.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const DEFAULTS: Config = {
  model: undefined,
  modelReasoningEffort: undefined,
  planModeReasoningEffort: undefined,
  modelReasoningSummary: undefined,
  modelVerbosity: undefined,
  modelSupportsReasoningSummaries: undefined,
  modelContextWindow: undefined,
  modelCatalogFile: undefined,
  serviceTier: undefined,
  baseInstructions: undefined,
  developerInstructions: undefined,
  hideAgentReasoning: false,
  showRawAgentReasoning: false,
  personality: undefined,
  reviewModel: undefined,
  provider: {
    id: 'openai',
    name: 'OpenAI',
    baseUrl: undefined,
    envKey: undefined,
    envKeyInstructions: undefined,
    bearerToken: undefined,
    queryParams: {},
    httpHeaders: {},
    envHttpHeaders: { 'OpenAI-Organization': 'OPENAI_ORGANIZATION', 'OpenAI-Project': 'OPENAI_PROJECT' },
    requestMaxRetries: 4,
    streamMaxRetries: 5,
    streamIdleTimeoutMs: 300_000,
    requiresOpenaiAuth: true,
    supportsWebsockets: true,
    websocketConnectTimeoutMs: 15_000,
    wireApi: 'responses',
  },
  providerIds: ['lmstudio', 'ollama', 'openai'],
  otherProviders: [],
  providerTokenCommand: undefined,
  ossProvider: undefined,
  notify: undefined,
  modelNotices: { migrations: {}, hidden: new Set(), showings: {} },
  forcedLoginMethod: undefined,
  forcedWorkspaceIds: undefined,
  credentialsStore: 'file',
  telemetry: {
    environment: 'dev',
    logUserPrompt: false,
    logs: { kind: 'none' },
    traces: { kind: 'none' },
    metrics: { kind: 'none' },
  },
  chatgptBaseUrl: undefined,
  allowedHosts: undefined,
  approvalPolicy: undefined,
  sandboxMode: undefined,
  sandboxWorkspaceWrite: {
    writableRoots: [],
    networkAccess: false,
    excludeTmpdirEnvVar: false,
    excludeSlashTmp: false,
  },
  shellEnvironmentPolicy: { inherit: 'all', defaultExcludes: false, exclude: [], set: {}, includeOnly: [] },
  allowLoginShell: true,
  backgroundTerminalMaxTimeoutMs: 300_000,
  projectDocMaxBytes: 32_768,
  projectDocFallbackFilenames: [],
  projectRootMarkers: ['.git'],
  webSearch: undefined,
  webSearchAllowedDomains: undefined,
  webSearchContextSize: undefined,
  webSearchLocation: undefined,
  jsReplNodePath: undefined,
  jsReplNodeModuleDirs: [],
  mcpServers: [],
  mcpOauthCallbackPort: undefined,
  mcpOauthCallbackUrl: undefined,
  toolOutputTokenLimit: undefined,
  includeGitContext: true,
  omittedSections: [],
  features: {},
  compactionStrategies: undefined,
  compactionDeadlineSeconds: 180,
  compactionLedger: true,
  compactPrompt: undefined,
  modelAutoCompactTokenLimit: undefined,
  agentsMaxDepth: 1,
  agentsMaxThreads: 6,
  agentsMaxTokens: undefined,
  agentsMaxRequests: undefined,
  agentsMaxSeconds: undefined,
  trust: undefined,
  projectTrustPath: '/srv/dir',
  projectFolders: [],
  allProjectFolders: [],
  hooks: [],
  requirements: undefined,
  warnings: [],
};

interface Given {
  readonly file?: string | Uint8Array;
  readonly overrides?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ignoreUserConfig?: boolean;
}

/** Runs `check` with the configuration of a home folder of its own. */
async function withConfig(
  given: Given,
  check: (load: () => Promise<Config>, home: string) => Promise<void>,
): Promise<void> {
  using folder = temporaryFolder();
  if (given.file !== undefined) fs.writeFileSync(path.join(folder.path, 'config.toml'), given.file);
  const load = () =>
    loadConfig({
      home: folder.path,
      cwd: '/srv/dir',
      systemFolder: '/nonexistent',
      overrides: given.overrides ?? [],
      environment: given.environment ?? { HOME: '/users/me' },
      ...(given.ignoreUserConfig === undefined ? {} : { ignoreUserConfig: given.ignoreUserConfig }),
    });
  await check(load, folder.path);
}

async function failure(load: () => Promise<unknown>): Promise<ConfigError> {
  const error = await load().catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${String(error)}`);
  return error;
}

describe('without anything set', () => {
  test.each([
    ['a missing file', {}],
    ['an empty file', { file: '' }],
    ['a file of comments', { file: '# nothing\n' }],
    ['an ignored file', { file: 'model = "x"\nbroken', ignoreUserConfig: true }],
    ['unknown keys', { file: 'unknown = 1\n[nowhere]\nx = 1\n', overrides: ['other.thing=1'] }],
    ['OPENAI_BASE_URL in the environment', { environment: { OPENAI_BASE_URL: 'http://elsewhere' } }],
  ] satisfies readonly (readonly [string, Given])[])(
    '%s gives the defaults [STORE-03] [STORE-04]',
    async (_title, given) => {
      await withConfig(given, async (load) => expect(await load()).toEqual(DEFAULTS));
    },
  );
});

test('every setting of the file is decoded [STORE-05]', async () => {
  const file = `
model = "m"
model_provider = "mine"
model_reasoning_effort = "high"
model_reasoning_summary = "detailed"
model_verbosity = "low"
model_supports_reasoning_summaries = true
model_context_window = 1000
service_tier = "flex"
model_instructions_file = "prompts/base.md"
instructions = "goes second"
developer_instructions = "Be brief."
hide_agent_reasoning = true
show_raw_agent_reasoning = true
approval_policy = "never"
sandbox_mode = "workspace-write"
project_doc_max_bytes = 0
project_doc_fallback_filenames = ["CLAUDE.md"]
project_root_markers = []
web_search = "live"
tool_output_token_limit = 5
[sandbox_workspace_write]
writable_roots = ["/abs", "rel", "~/mine"]
network_access = true
exclude_tmpdir_env_var = true
exclude_slash_tmp = true
[features]
one = true
two = false
three = { enabled = true, more = 1 }
four = { more = 1 }
[model_providers.mine]
name = "Mine"
base_url = "https://host/v1"
wire_api = "chat"
env_key = "MY_KEY"
env_key_instructions = "Ask me."
experimental_bearer_token = "t"
query_params = { "api-version" = "1" }
http_headers = { "__proto__" = "x", a = "b" }
env_http_headers = { h = "V" }
request_max_retries = 1000
stream_max_retries = 0
stream_idle_timeout_ms = 99999999999999999
requires_openai_auth = true
supports_websockets = true
websocket_connect_timeout_ms = 1000
store_items = true
item_ids = false
`;
  await withConfig({ file }, async (load, home) => {
    fs.mkdirSync(path.join(home, 'prompts'));
    fs.writeFileSync(path.join(home, 'prompts/base.md'), '\nDo good work.\n');
    expect(await load()).toEqual({
      ...DEFAULTS,
      model: 'm',
      modelReasoningEffort: 'high',
      modelReasoningSummary: 'detailed',
      modelVerbosity: 'low',
      modelSupportsReasoningSummaries: true,
      modelContextWindow: 1000,
      serviceTier: 'flex',
      baseInstructions: 'Do good work.',
      developerInstructions: 'Be brief.',
      hideAgentReasoning: true,
      showRawAgentReasoning: true,
      provider: {
        id: 'mine',
        name: 'Mine',
        baseUrl: 'https://host/v1',
        envKey: 'MY_KEY',
        envKeyInstructions: 'Ask me.',
        bearerToken: 't',
        queryParams: { 'api-version': '1' },
        httpHeaders: Object.fromEntries([
          ['__proto__', 'x'],
          ['a', 'b'],
        ]),
        envHttpHeaders: { h: 'V' },
        requestMaxRetries: 100,
        streamMaxRetries: 0,
        streamIdleTimeoutMs: 2_147_483_647,
        requiresOpenaiAuth: true,
        supportsWebsockets: true,
        websocketConnectTimeoutMs: 1_000,
        wireApi: 'chat',
        capabilities: { storeItems: true, itemIds: false },
      },
      providerIds: ['lmstudio', 'mine', 'ollama', 'openai'],
      otherProviders: [],
      approvalPolicy: 'never',
      sandboxMode: 'workspace-write',
      sandboxWorkspaceWrite: {
        writableRoots: ['/abs', path.join(home, 'rel'), '/users/me/mine'],
        networkAccess: true,
        excludeTmpdirEnvVar: true,
        excludeSlashTmp: true,
      },
      projectDocMaxBytes: 0,
      projectDocFallbackFilenames: ['CLAUDE.md'],
      projectRootMarkers: [],
      webSearch: 'live',
      toolOutputTokenLimit: 5,
      features: { one: true, two: false, three: true },
      warnings: [],
    });
  });
});

test('overrides beat the file key by key, and their paths start at the working directory [STORE-06] [STORE-10] [CHECK-33] [CHECK-34] [CHECK-35]', async () => {
  const file = '[sandbox_workspace_write]\nwritable_roots = ["a"]\nnetwork_access = true\n';
  const overrides = ['sandbox_workspace_write.writable_roots=["b"]', 'model=o3', 'openai_base_url="http://h:1/v1"'];
  await withConfig({ file, overrides }, async (load) => {
    expect(await load()).toEqual({
      ...DEFAULTS,
      model: 'o3',
      provider: { ...DEFAULTS.provider, baseUrl: 'http://h:1/v1' },
      sandboxWorkspaceWrite: { ...DEFAULTS.sandboxWorkspaceWrite, writableRoots: ['/srv/dir/b'], networkAccess: true },
    });
  });
});

test('a provider may be defined by one override as a table, or by several [STORE-15]', async () => {
  const provider = {
    ...DEFAULTS.provider,
    id: 'mock',
    name: 'mock',
    baseUrl: 'http://h/v1',
    envHttpHeaders: {},
    requiresOpenaiAuth: false,
    supportsWebsockets: false,
    websocketConnectTimeoutMs: 15_000,
    wireApi: 'responses',
    capabilities: {},
  };
  for (const overrides of [
    ['model_providers.mock={name="mock",base_url="http://h/v1",wire_api="responses"}', 'model_provider=mock'],
    ['model_providers.mock.name=mock', 'model_providers.mock.base_url=http://h/v1', 'model_provider="mock"'],
  ]) {
    await withConfig({ overrides }, async (load) => expect((await load()).provider).toEqual(provider));
  }
});

test('an inline instruction text replaces the base instructions when there is no file [STORE-07]', async () => {
  await withConfig({ file: 'instructions = "Short."' }, async (load) => {
    expect((await load()).baseInstructions).toBe('Short.');
  });
});

test.each([
  [
    'a built-in provider is redefined',
    ['model_providers.openai={name="x"}'],
    ['model_providers.openai: the built-in provider can not be redefined; use another id, such as "my-openai"'],
  ],
  [
    'a provider wants to sign requests',
    ['model_providers.x={name="x",aws={profile="p"}}'],
    ['model_providers.x.aws is not supported and is ignored; use env_key or auth'],
  ],
  [
    'a table as approval policy lacks a switch or has one that is not known',
    ['approval_policy={granular={rules=true,sandbox_approval=false,magic=true}}'],
    [
      'approval_policy: mcp_elicitations is not set in the table, so such questions are refused; set it to true or false',
      'approval_policy: magic is not known and was ignored',
    ],
  ],
])('there is a warning when %s [STORE-16]', async (_title, overrides, warnings) => {
  await withConfig({ overrides }, async (load) => {
    const config = await load();
    expect([config.warnings, config.provider]).toEqual([warnings, DEFAULTS.provider]);
  });
});

describe('a configuration that can not be used is refused', () => {
  test('with file, line and column when the file is not TOML [STORE-08]', async () => {
    await withConfig({ file: 'model = "x"\n[a\nb=1\n' }, async (load, home) => {
      const error = await failure(load);
      expect(error).toMatchObject({ code: 'syntax', source: path.join(home, 'config.toml'), line: 2 });
      expect(error.message).toMatch(/config\.toml:2:\d+: not valid TOML: [^\n]+$/);
      expect(error.column).toBeGreaterThan(0);
    });
  });

  test('without quoting the file, which may hold a token [STORE-08]', async () => {
    await withConfig({ file: 'experimental_bearer_token = "sk-secret' }, async (load) => {
      const error = await failure(load);
      expect(error.code).toBe('syntax');
      expect(inspect(error, { depth: 5 })).not.toContain('sk-secret');
    });
  });

  test('when the file can not be read as text [STORE-08]', async () => {
    await withConfig({ file: Uint8Array.of(0x61, 0xff) }, async (load, home) => {
      expect((await failure(load)).message).toBe(
        `${path.join(home, 'config.toml')} can not be read: it is not UTF-8 text; save it as UTF-8`,
      );
    });
    await withConfig({}, async (load, home) => {
      fs.mkdirSync(path.join(home, 'config.toml'));
      expect((await failure(load)).message).toBe(
        `${path.join(home, 'config.toml')} can not be read: it is a directory`,
      );
    });
  });

  test('naming the file for what the file set, and -c for what an override set [STORE-09]', async () => {
    await withConfig({ file: 'model = 5' }, async (load, home) => {
      const file = path.join(home, 'config.toml');
      expect(await failure(load)).toMatchObject({
        code: 'wrong-type',
        key: 'model',
        source: file,
        line: 1,
        message: `${file}:1: model must be a string, found an integer`,
      });
    });
    await withConfig({ file: 'model = "x"', overrides: ['model=5'] }, async (load) => {
      expect(await failure(load)).toMatchObject({
        code: 'wrong-type',
        key: 'model',
        source: '-c',
        message: '-c: model must be a string, found an integer',
      });
    });
  });

  test.each([
    ['model_providers=1', '-c: model_providers must be a table, found an integer'],
    ['model_providers.x=1', '-c: model_providers.x must be a table, found an integer'],
    ['features=true', '-c: features must be a table, found a boolean'],
    ['features.a=1', '-c: features.a must be true or false, found an integer'],
    ['sandbox_workspace_write=1', '-c: sandbox_workspace_write must be a table, found an integer'],
    [
      'project_root_markers=["a",1]',
      '-c: project_root_markers must be a list of strings, found a list with an integer',
    ],
    ['model_context_window=1.5', '-c: model_context_window must be an integer, found a float'],
    ['model=1979-05-27', '-c: model must be a string, found a date'],
    [
      'model_providers.x={name="x",http_headers={a=1}}',
      '-c: model_providers.x.http_headers.a must be a string, found an integer',
    ],
    ['model_providers={"a b"={name=1}}', '-c: model_providers."a b".name must be a string, found an integer'],
    [
      'model_providers.x={name="x",experimental_bearer_token=12345}',
      '-c: model_providers.x.experimental_bearer_token must be a string, found an integer',
    ],
  ])('%s is of a wrong type [STORE-09]', async (override, message) => {
    await withConfig({ overrides: [override] }, async (load) => {
      expect(await failure(load)).toMatchObject({ code: 'wrong-type', message });
    });
  });

  test.each([
    ['model=', '-c: model must not be empty'],
    ['model_verbosity=loud', '-c: model_verbosity must be one of low, medium, high, found "loud"'],
    ['project_doc_max_bytes=-1', '-c: project_doc_max_bytes must be at least 0, found -1'],
    ['project_doc_max_bytes=9999999999999999999', '-c: project_doc_max_bytes is too large: 9999999999999999999'],
    ['openai_base_url=foo', '-c: openai_base_url must be an address that begins with http:// or https://'],
    ['model_providers.x={name=" "}', '-c: model_providers.x.name must not be empty'],
    ['model_providers.x={base_url="http://x"}', '-c: model_providers.x.name is missing; give the provider a name'],
    [
      'model_providers.x={name="x",wire_api="ws"}',
      '-c: model_providers.x.wire_api must be "responses" or "chat", found "ws"',
    ],
  ])('%s is not a possible value [STORE-17]', async (override, message) => {
    await withConfig({ overrides: [override] }, async (load) => {
      expect(await failure(load)).toMatchObject({ code: 'invalid-value', message });
    });
  });

  test('when the provider is unknown, with the ids that are known [STORE-18]', async () => {
    await withConfig({ overrides: ['model_provider=nope', 'model_providers.mine={name="m"}'] }, async (load) => {
      expect(await failure(load)).toMatchObject({
        code: 'unknown-provider',
        key: 'model_provider',
        message:
          '-c: model_provider "nope" is not known; known are lmstudio, mine, ollama, openai; define others as [model_providers.<id>]',
      });
    });
  });

  test('when the instructions file is missing or empty [STORE-07]', async () => {
    await withConfig({ file: 'model_instructions_file = "a.md"' }, async (load, home) => {
      const config = path.join(home, 'config.toml');
      const named = path.join(home, 'a.md');
      expect((await failure(load)).message).toBe(
        `${config}:1: model_instructions_file names ${named}, which can not be read: it does not exist`,
      );
      fs.writeFileSync(named, ' \n');
      expect((await failure(load)).message).toBe(
        `${config}:1: model_instructions_file names ${named}, which holds no text`,
      );
    });
  });
});

describe('the reasoning effort', () => {
  test.each(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra'])(
    '%s is known and says nothing [STORE-22]',
    async (word) => {
      await withConfig({ overrides: [`model_reasoning_effort=${word}`] }, async (load) => {
        expect(await load()).toEqual({ ...DEFAULTS, modelReasoningEffort: word });
      });
    },
  );

  test('may be another word, with a warning [STORE-22]', async () => {
    await withConfig({ overrides: ['model_reasoning_effort=hihg'] }, async (load) => {
      expect(await load()).toEqual({
        ...DEFAULTS,
        modelReasoningEffort: 'hihg',
        warnings: [
          'model_reasoning_effort: hihg is passed on as it is; the known words are none, minimal, low, medium, high, xhigh, max, ultra',
        ],
      });
    });
  });

  test('must be a word [STORE-22]', async () => {
    await withConfig({ overrides: ['model_reasoning_effort=very high'] }, async (load) => {
      expect(await failure(load)).toMatchObject({
        code: 'invalid-value',
        key: 'model_reasoning_effort',
        message:
          '-c: model_reasoning_effort must be one word, such as none, minimal, low, medium, high, xhigh, max, ultra',
      });
    });
  });
});

describe('a key of -c that nothing reads', () => {
  test.each([
    ['features.js_rpl=true', 'features.js_rpl', 'features.js_repl'],
    ['modle=o3', 'modle', 'model'],
    ['model_reasoning_efort=low', 'model_reasoning_efort', 'model_reasoning_effort'],
    ['reasoning_effort=low', 'reasoning_effort', 'model_reasoning_effort'],
    ['network_access=true', 'network_access', 'sandbox_workspace_write.network_access'],
    [
      'sandbox_workspace_write={network_acces=true}',
      'sandbox_workspace_write.network_acces',
      'sandbox_workspace_write.network_access',
    ],
    ['model_providers.m={name="M",base_ur="http://h/v1"}', 'model_providers.m.base_ur', 'model_providers.m.base_url'],
  ])('%s is a warning that names the nearest one [STORE-23]', async (override, key, nearest) => {
    await withConfig({ overrides: [override] }, async (load) => {
      expect((await load()).warnings).toEqual([`-c ${key} is no setting and was ignored; did you mean ${nearest}?`]);
    });
  });

  test.each([
    'features.anything=true',
    'model_providers.m={name="M",http_headers={nam="x"}}',
    'show_raw_agent_reasoning=true',
    'mcp_servers.x.command="y"',
    'tools.view_image=true',
  ])('%s says nothing [STORE-23]', async (override) => {
    await withConfig({ overrides: [override] }, async (load) => expect((await load()).warnings).toEqual([]));
  });

  test('says nothing when it stands in the file [STORE-23]', async () => {
    await withConfig({ file: 'modle = "o3"' }, async (load) => expect(await load()).toEqual(DEFAULTS));
  });
});

test('protection that other clients know and nothing here reads is a warning, wherever it is set [CFG-90]', async () => {
  const file = [
    'default_permissions = "mine"',
    'approvals_reviewer = "guardian"',
    '[permissions.mine.network]',
    'enabled = false',
  ].join('\n');
  await withConfig({ file, overrides: ['mcp_oauth_credentials_store=keyring'] }, async (load) =>
    expect((await load()).warnings).toEqual([
      expect.stringMatching(/^permissions is not read: sandbox_mode /),
      expect.stringMatching(/^default_permissions is not read: sandbox_mode /),
      'approvals_reviewer is not read: approvals are asked of the user',
      'mcp_oauth_credentials_store is not read: logins of MCP servers are kept in .credentials.json in the home folder',
    ]),
  );
  const harmless = 'approvals_reviewer = "user"\nmcp_oauth_credentials_store = "auto"';
  await withConfig({ file: harmless }, async (load) => expect(await load()).toEqual(DEFAULTS));
});

test('settings of compaction, personality, reviews and agents are read [STORE-05]', async () => {
  const toml = [
    'personality = "friendly"',
    'review_model = "o3"',
    'include_git_context = false',
    'include_environment_context = false',
    'include_permissions_instructions = true',
    'include_collaboration_mode_instructions = false',
    'model_auto_compact_token_limit = 1000',
    'compact_prompt = "Sum it up."',
    '[compaction]',
    'strategies = ["local", "trim"]',
    'deadline_seconds = 5',
    'ledger = false',
    '[agents]',
    'max_depth = 2',
    'max_threads = 3',
    'max_tokens = 4',
    'max_requests = 5',
    'max_seconds = 6',
  ].join('\n');
  await withConfig({ file: toml }, async (load) =>
    expect(await load()).toEqual({
      ...DEFAULTS,
      personality: 'friendly',
      reviewModel: 'o3',
      includeGitContext: false,
      omittedSections: ['collaboration-mode', 'environment'],
      modelAutoCompactTokenLimit: 1000,
      compactPrompt: 'Sum it up.',
      compactionStrategies: ['local', 'trim'],
      compactionDeadlineSeconds: 5,
      compactionLedger: false,
      agentsMaxDepth: 2,
      agentsMaxThreads: 3,
      agentsMaxTokens: 4,
      agentsMaxRequests: 5,
      agentsMaxSeconds: 6,
    }),
  );
});
