import { describe, expect, test } from 'vitest';
import { constrainWebSearchMode } from '../../src/config/requirements.ts';
import { constrainApprovalPolicy, constrainSandboxMode, loadConfig } from '../../src/index.ts';
import { type Given, problemOf, withFiles } from './config-folder.ts';

const FILE = '%/etc/requirements.toml';

/** The configuration with `%` for the folder. */
async function load(given: Given) {
  let text = '';
  await withFiles(given, async (options, place) => {
    text = JSON.stringify(await loadConfig(options)).replaceAll(place, '%');
  });
  return JSON.parse(text) as Awaited<ReturnType<typeof loadConfig>>;
}

function managed(requirements: string, given: Given = {}): Given {
  return { ...given, files: { ...given.files, 'etc/requirements.toml': requirements } };
}

test('without requirements everything is allowed [CFG-20]', async () => {
  expect((await load({})).requirements).toBeUndefined();
  expect(constrainSandboxMode('danger-full-access', /* requirements */ undefined)).toEqual({
    value: 'danger-full-access',
    notice: undefined,
  });
});

test('all that an administrator can say is read [CFG-20] [CFG-25]', async () => {
  const requirements = `
allowed_approval_policies = ["on-request", "granular"]
allowed_sandbox_modes = ["read-only"]
allowed_web_search_modes = []
enforce_residency = "us"
[feature_requirements]
undo = true
[features]
collab = false
[mcp_servers.docs.identity]
command = "docs-server"
[mcp_servers.web.identity]
url = "https://h/mcp"
[rules]
prefix_rules = [
  { pattern = [{ token = "rm" }], decision = "forbidden", justification = "no" },
  { pattern = [{ token = "git" }, { any_of = ["push", "fetch"] }], decision = "prompt" },
]
`;
  const { requirements: read, warnings } = await load(managed(requirements));
  expect(warnings).toEqual([]);
  expect(read).toEqual({
    sources: [FILE],
    approvalPolicies: ['on-request', 'granular'],
    sandboxModes: ['read-only'],
    webSearchModes: [],
    features: { undo: true, multi_agent: false },
    rules: [
      { pattern: [['rm']], decision: 'forbidden', justification: 'no' },
      { pattern: [['git'], ['push', 'fetch']], decision: 'prompt' },
    ],
    mcpServers: { docs: { command: 'docs-server' }, web: { url: 'https://h/mcp' } },
    residency: 'us',
    warnings: [],
  });
});

describe('what is not allowed is replaced, with a warning', () => {
  test.each<[string, string, string, object, string]>([
    [
      'a policy',
      'allowed_approval_policies = ["on-request", "untrusted"]',
      'approval_policy = "never"',
      { approvalPolicy: 'on-request' },
      `approval_policy: never is not allowed by ${FILE}, on-request is used; allowed: on-request, untrusted`,
    ],
    [
      'a mode',
      'allowed_sandbox_modes = ["workspace-write", "read-only"]',
      'sandbox_mode = "danger-full-access"',
      { sandboxMode: 'workspace-write' },
      `sandbox_mode: danger-full-access is not allowed by ${FILE}, workspace-write is used; allowed: workspace-write, read-only`,
    ],
    [
      'a kind of web search',
      'allowed_web_search_modes = ["cached"]',
      'web_search = "live"',
      { webSearch: 'cached' },
      `web_search: live is not allowed by ${FILE}, cached is used; allowed: cached`,
    ],
    [
      'web search at all',
      'allowed_web_search_modes = []',
      'web_search = "live"',
      { webSearch: 'disabled' },
      `web_search: live is not allowed by ${FILE}, disabled is used; allowed: nothing else`,
    ],
    [
      'a feature',
      '[features]\nundo = false',
      '[features]\nundo = true',
      { features: { undo: false } },
      'features.undo is set to false by the administrator of this machine',
    ],
    [
      'an MCP server',
      '[mcp_servers.a.identity]\ncommand = "right"',
      '[mcp_servers.a]\ncommand = "wrong"',
      { mcpServers: [{ name: 'a', enabled: false }] },
      `mcp_servers.a is switched off: ${FILE} does not allow it`,
    ],
  ])('%s [CFG-21] [CFG-22] [CFG-23] [CFG-24]', async (_title, requirements, config, expected, warning) => {
    const loaded = await load(managed(requirements, { files: { 'home/config.toml': config } }));
    expect(loaded).toMatchObject({ ...expected, warnings: [warning] });
  });

  test('wherever it was chosen, also with -c [CFG-21]', async () => {
    const given = managed('allowed_sandbox_modes = ["read-only"]', { overrides: ['sandbox_mode=danger-full-access'] });
    expect((await load(given)).sandboxMode).toBe('read-only');
  });

  test('and what is allowed stays, without a word [CFG-21] [CFG-24]', async () => {
    const requirements =
      'allowed_approval_policies = ["granular", "never"]\n[mcp_servers.a.identity]\nurl = "http://h/m"';
    const config = 'approval_policy = "never"\nweb_search = "live"\n[mcp_servers.a]\nurl = "http://h/m"';
    expect(await load(managed(requirements, { files: { 'home/config.toml': config } }))).toMatchObject({
      approvalPolicy: 'never',
      webSearch: 'live',
      mcpServers: [{ enabled: true }],
      warnings: [],
    });
  });

  test('for flags and defaults as well, and a table never stands in [CFG-21]', async () => {
    const text = 'allowed_approval_policies = ["granular", "untrusted"]\nallowed_web_search_modes = ["live"]';
    const { requirements } = await load(managed(text));
    expect([
      constrainApprovalPolicy('never', requirements).value,
      constrainWebSearchMode('cached', requirements).value,
      constrainWebSearchMode('disabled', requirements),
    ]).toEqual(['untrusted', 'live', { value: 'disabled', notice: undefined }]);
  });
});

test('policy and mode of the managed configuration are the only ones allowed, beside read-only [CFG-27]', async () => {
  const files = { 'etc/managed_config.toml': 'approval_policy = "on-request"\nsandbox_mode = "workspace-write"' };
  const { requirements, approvalPolicy } = await load({ files, overrides: ['approval_policy=never'] });
  expect(approvalPolicy).toBe('on-request');
  expect(requirements).toMatchObject({
    sources: ['%/etc/managed_config.toml'],
    approvalPolicies: ['on-request'],
    sandboxModes: ['read-only', 'workspace-write'],
  });
});

test('a pinned feature that nobody knows is a warning [CFG-23]', async () => {
  expect((await load(managed('[features]\nnope = true'))).warnings).toEqual([
    `${FILE}: features.nope is not known and was ignored`,
  ]);
});

test.each<[string, string, object, readonly string[]]>([
  [
    'off',
    '[features]\nweb_search_request = true',
    { web_search_request: false, web_search: false },
    [
      'features.web_search_request is set to false by the administrator of this machine',
      'features.web_search_request is deprecated: set web_search = "live" at the top of the file instead',
    ],
  ],
  [
    'off',
    '[features]\nweb_search = true',
    { web_search_request: false, web_search: false },
    [
      'features.web_search_request is set to false by the administrator of this machine',
      'features.web_search is deprecated: set web_search = "live" at the top of the file instead',
    ],
  ],
  ['on', '', { web_search_request: true, web_search: true }, []],
  [
    'on',
    '[features]\nweb_search_request = false',
    { web_search_request: true, web_search: true },
    ['features.web_search_request is set to true by the administrator of this machine'],
  ],
])(
  'a feature that chooses the kind of web search and is pinned %s does so, whatever %j says [CFG-95]',
  async (state, config, features, warnings) => {
    const pin = `[features]\nweb_search_request = ${state === 'on'}`;
    const loaded = await load(managed(pin, { files: { 'home/config.toml': config } }));
    expect({ webSearch: loaded.webSearch, features: loaded.features, warnings: loaded.warnings }).toEqual({
      ...(state === 'on' ? { webSearch: 'live' } : {}),
      features,
      warnings,
    });
  },
);

test.each([
  [
    'allowed_approval_policies = []',
    'invalid-value: %:1: allowed_approval_policies must not be empty: nothing would be allowed',
  ],
  ['allowed_sandbox_modes = "read-only"', 'wrong-type: %:1: allowed_sandbox_modes must be a list of strings'],
  [
    '\nallowed_sandbox_modes = ["x"]',
    'invalid-value: %:2: allowed_sandbox_modes may be read-only, workspace-write, danger-full-access, found "x"',
  ],
  ['[features]\nundo = 1', 'wrong-type: %:2: features.undo must be true or false'],
  [
    '[rules]\nprefix_rules = [{ pattern = [{ token = "a" }], decision = "allow" }]',
    'invalid-value: %:2: rules.prefix_rules.0.decision may be prompt, forbidden, found "allow"',
  ],
  [
    '[rules]\nprefix_rules = [{ pattern = [], decision = "prompt" }]',
    'invalid-value: %:2: rules.prefix_rules.0.pattern must not be empty',
  ],
  ['[mcp_servers.a]\nx = 1', 'invalid-value: %:1: mcp_servers.a must have identity.command or identity.url'],
  ['enforce_residency = "eu"', 'invalid-value: %:1: enforce_residency may be us, found "eu"'],
])('requirements that can not be understood are an error: %# [CFG-26]', async (requirements, message) => {
  await withFiles(managed(requirements), async (options, place) => {
    expect(await problemOf(loadConfig(options), place)).toBe(message.replace('%', FILE));
  });
});

test('where requests have to be processed is a header of every provider, whatever that says itself [CFG-135]', async () => {
  const own = 'X-OpenAI-Internal-Codex-Residency';
  const config = `model_provider = "own"
[model_providers.own]
name = "Own"
base_url = "http://127.0.0.1:1/v1"
http_headers = { "${own}" = "moon", other = "1" }
env_http_headers = { "${own}" = "WHERE", more = "MORE" }
`;
  const residency = 'enforce_residency = "us"\n';
  const { provider } = await load(managed(residency, { files: { 'home/config.toml': config } }));
  expect([provider.httpHeaders, provider.envHttpHeaders]).toEqual([
    { other: '1', 'x-openai-internal-codex-residency': 'us' },
    { more: 'MORE' },
  ]);
  const builtIn = await load(managed(residency));
  expect(builtIn.provider.httpHeaders).toEqual({ 'x-openai-internal-codex-residency': 'us' });
});
