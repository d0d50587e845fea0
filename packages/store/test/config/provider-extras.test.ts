import { describe, expect, test } from 'vitest';
import { ossBaseUrl } from '../../src/config/oss-provider.ts';
import { chooseOssProvider, loadConfig } from '../../src/index.ts';
import { problemOf, withFiles } from './config-folder.ts';

const PROVIDER = '[model_providers.m]\nname = "M"\n';

async function load(text: string) {
  let result: object = {};
  await withFiles(
    { files: { 'home/config.toml': `model_provider = "m"\n${PROVIDER}${text}` } },
    async (options, place) => {
      const { providerTokenCommand } = await loadConfig(options);
      result = JSON.parse(JSON.stringify(providerTokenCommand ?? {}).replaceAll(place, '%')) as object;
    },
  );
  return result;
}

describe('the token command of a provider', () => {
  test('has defaults, and runs where its file is [CFG-70]', async () => {
    expect(await load('auth = { command = "token" }')).toEqual({
      command: 'token',
      args: [],
      cwd: '%/home',
      timeoutMs: 5000,
      refreshIntervalMs: 300_000,
    });
  });

  test('can be told everything [CFG-70]', async () => {
    const auth = 'command = "./t", args = ["a"], cwd = "sub", timeout_ms = 7, refresh_interval_ms = 0';
    expect(await load(`auth = { ${auth} }\nrequires_openai_auth = false`)).toEqual({
      command: './t',
      args: ['a'],
      cwd: '%/home/sub',
      timeoutMs: 7,
      refreshIntervalMs: 0,
    });
  });

  test('is that of the selected provider only [CFG-70]', async () => {
    await withFiles({ files: { 'home/config.toml': `${PROVIDER}auth = { command = "token" }` } }, async (options) => {
      expect((await loadConfig(options)).providerTokenCommand).toBeUndefined();
    });
  });

  test.each([
    ['auth = { command = " " }', 'invalid-value: %:4: model_providers.m.auth.command must not be empty'],
    [
      'auth = { args = [] }',
      'invalid-value: %:4: model_providers.m.auth.command is missing; name the program that prints the token',
    ],
    ['auth = "token"', 'wrong-type: %:4: model_providers.m.auth must be a table, found a string'],
    [
      'auth = { command = "t", timeout_ms = 0 }',
      'invalid-value: %:4: model_providers.m.auth.timeout_ms must be at least 1, found 0',
    ],
    [
      'auth = { command = "t" }\nenv_key = "K"',
      'invalid-value: %:5: model_providers.m.env_key does not go with auth; keep one of them',
    ],
    [
      'auth = { command = "t" }\nexperimental_bearer_token = "s"',
      'invalid-value: %:5: model_providers.m.experimental_bearer_token does not go with auth; keep one of them',
    ],
    [
      'auth = { command = "t" }\nrequires_openai_auth = true',
      'invalid-value: %:5: model_providers.m.requires_openai_auth does not go with auth; keep one of them',
    ],
  ])('%# that contradicts itself is an error [CFG-70]', async (text, message) => {
    const file = `model_provider = "m"\n${PROVIDER}${text}`;
    await withFiles({ files: { 'home/config.toml': file } }, async (options, place) => {
      expect(await problemOf(loadConfig(options), place)).toBe(message.replace('%', '%/home/config.toml'));
    });
  });
});

describe('--oss', () => {
  test.each([
    [
      { named: 'lmstudio', configured: 'ollama' },
      { providerId: 'lmstudio', defaultModel: 'openai/gpt-oss-20b' },
    ],
    [
      { named: undefined, configured: 'ollama' },
      { providerId: 'ollama', defaultModel: 'gpt-oss:20b' },
    ],
  ] as const)('means the server that is named, or else the configured one: %# [CFG-71]', (choice, expected) => {
    expect(chooseOssProvider(choice)).toEqual(expected);
  });

  test.each([
    [
      undefined,
      'unknown-provider: --oss does not say which server: set oss_provider to ollama or lmstudio, or give --local-provider',
    ],
    [
      'x',
      'unknown-provider: --oss does not know "x": set oss_provider to ollama or lmstudio, or give --local-provider',
    ],
  ])('without a server that is known is an error: %s [CFG-71]', async (named, message) => {
    const choose = async () => chooseOssProvider({ named, configured: undefined });
    expect(await problemOf(choose(), '/none')).toBe(message);
  });

  test.each([
    [{}, undefined],
    [{ CODEX_OSS_PORT: ' ' }, undefined],
    [{ CODEX_OSS_PORT: '8080' }, 'http://localhost:8080/v1'],
    [{ CODEX_OSS_PORT: '8080', CODEX_OSS_BASE_URL: 'http://h/v1' }, 'http://h/v1'],
  ])('takes an address from the environment: %# [CFG-71]', (environment, url) => {
    expect(ossBaseUrl(environment)).toBe(url);
  });

  test.each([
    [{ CODEX_OSS_PORT: '0' }, 'invalid-value: CODEX_OSS_PORT must be a port between 1 and 65535'],
    [
      { CODEX_OSS_BASE_URL: 'h' },
      'invalid-value: CODEX_OSS_BASE_URL must be an address that begins with http:// or https://',
    ],
  ])('and refuses what is none: %# [CFG-71]', async (environment, message) => {
    const read = async () => ossBaseUrl(environment);
    expect(await problemOf(read(), '/none')).toBe(message);
  });
});

test('how people sign in is read, and a project has no say in it [CFG-72]', async () => {
  const own =
    'forced_login_method = "chatgpt"\nforced_chatgpt_workspace_id = ["a", " b "]\nchatgpt_base_url = "https://h/"\n';
  const files = {
    'home/config.toml': `${own}cli_auth_credentials_store = "keyring"\n[projects."%/project"]\ntrust_level = "trusted"\n`,
    'project/.codex/config.toml': 'forced_login_method = "api"\ncli_auth_credentials_store = "ephemeral"\n',
  };
  await withFiles({ files }, async (options) => {
    expect(await loadConfig(options)).toMatchObject({
      forcedLoginMethod: 'chatgpt',
      forcedWorkspaceIds: ['a', 'b'],
      credentialsStore: 'keyring',
      chatgptBaseUrl: 'https://h/',
    });
  });
  await withFiles({ overrides: ['forced_chatgpt_workspace_id=one'] }, async (options) => {
    expect((await loadConfig(options)).forcedWorkspaceIds).toEqual(['one']);
  });
});
