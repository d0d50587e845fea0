import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeJwt, Simulator, status } from '@quire/simulator';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BuiltCommand, buildCommand, type Home } from '../support/commands.ts';

let command: BuiltCommand;
beforeAll(async () => {
  command = await buildCommand();
});
afterAll(() => command[Symbol.asyncDispose]());

/** Instructions are a part of what is recorded, but of no report. */
const INSTRUCTION = 'Instruction9-of-a-person';
/** Found again in whatever form it is repeated. */
const MARK = 'Sentinel7';
let count = 0;
const secret = (): string => {
  count += 1;
  return `${MARK}-${String(count).padStart(4, '0')}-abcdef`;
};

const inMonths = Math.floor(Date.now() / 1000) + 90 * 24 * 3600;

function authText(): string {
  return JSON.stringify({
    auth_mode: 'chatgpt',
    OPENAI_API_KEY: secret(),
    tokens: {
      id_token: encodeJwt({ email: 'person@example.test', secret: secret() }),
      access_token: encodeJwt({ exp: inMonths, secret: secret() }),
      refresh_token: secret(),
      // Shown by status, as by login status.
      account_id: 'account-1',
    },
    last_refresh: new Date().toISOString(),
    extra: { nested: [secret()] },
  });
}

/** A secret in every place of the configuration that may hold one. */
function configText(origin: string): string {
  const base = origin.replace('http://', `http://${secret()}:${secret()}@`);
  return `model_provider = "p"
chatgpt_base_url = "${origin}/backend-api"
developer_instructions = "${INSTRUCTION}"
instructions = "use ${INSTRUCTION}"
notify = ["notifier", "--token", "${secret()}"]

[model_providers.p]
name = "P"
base_url = "${base}/v1"
requires_openai_auth = true
supports_websockets = true
request_max_retries = 0
stream_max_retries = 0
query_params = { key = "${secret()}", api-version = "${secret()}" }
http_headers = { "X-Key" = "${secret()}" }
env_http_headers = { "X-Other" = "HEADER_VARIABLE" }

[model_providers.q]
name = "Q"
base_url = "https://q.invalid/${secret()}?token=${secret()}"
experimental_bearer_token = "${secret()}"

[model_providers.r]
name = "R"
base_url = "https://r.invalid"
[model_providers.r.auth]
command = "print-token"
args = ["${secret()}"]

[mcp_servers.a]
command = "/nowhere/server"
args = ["--token", "${secret()}"]
env = { A_KEY = "${secret()}" }
env_vars = ["SERVER_VARIABLE"]

[mcp_servers.b]
url = "https://${secret()}:${secret()}@b.invalid/${secret()}?key=${secret()}"
bearer_token_env_var = "BEARER_VARIABLE"
http_headers = { Authorization = "${secret()}" }

[shell_environment_policy]
set = { DEPLOY_KEY = "${secret()}" }

[otel]
environment = "${secret()}"
[otel.exporter.otlp-http]
endpoint = "https://o.invalid/${secret()}"
protocol = "json"
headers = { authorization = "${secret()}" }

[profiles.x.model_providers.s]
name = "S"
base_url = "https://s.invalid"
http_headers = { "X-Profile" = "${secret()}" }

[made_up]
words = "${secret()}"
`;
}

const environment = () => ({
  HEADER_VARIABLE: secret(),
  SERVER_VARIABLE: secret(),
  BEARER_VARIABLE: secret(),
  OPENAI_API_KEY: secret(),
  OPENAI_ORGANIZATION: secret(),
  GITHUB_TOKEN: secret(),
  DATABASE_URL: `postgres://u:${secret()}@h/d`,
  https_proxy: `http://${secret()}:${secret()}@127.0.0.1:1`,
});

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Files of the home that hold a secret and are not the ones in which a person put it. */
async function leakedInto(home: Home): Promise<readonly string[]> {
  const own = ['auth.json', 'config.toml'].map((name) => join(home.path, name));
  const files = (await filesBelow(home.path)).filter((file) => !own.includes(file));
  const texts = await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const));
  return texts.filter(([, text]) => text.includes(MARK)).map(([file]) => file);
}

test('no secret of a login, a header, the environment or the configuration is in any report, bundle or file [DOCTOR-22] [DOCTOR-23]', async () => {
  await using simulator = await Simulator.start({ lenient: true });
  const home = await command.home(configText(simulator.issuer));
  const auth = authText();
  await home.write('auth.json', auth);
  const env = environment();
  const { access_token: token } = (JSON.parse(auth) as { readonly tokens: { readonly access_token: string } }).tokens;
  // A server that repeats what it was sent, wherever it can.
  const refusal = status(/* code */ 401, {
    headers: {
      'x-request-id': 'req-of-the-refusal',
      'cf-ray': 'ray-1',
      'x-openai-authorization-error': `bad ${token}`,
      'x-error-json': Buffer.from(JSON.stringify({ error: { code: 'token_expired' } })).toString('base64'),
    },
    body: { error: { message: `${token} ${Object.values(env).join(' ')}` } },
  });
  simulator.setModelsAnswer(refusal);
  simulator.setTransports({ http: refusal, websocket: refusal });
  simulator.setUsage(refusal);
  const refresh = { CODEX_REFRESH_TOKEN_URL_OVERRIDE: 'http://127.0.0.1:1/oauth/token' };

  const run = (...argv: readonly string[]) => home.run(argv, { ...env, ...refresh });
  const bundle = join(home.path, 'bundle.json');
  const ended = [
    await run('exec', '--skip-git-repo-check', 'say hello'),
    await run('status'),
    await run('status', '--json'),
    await run('doctor'),
    await run('doctor', '--json', '--bundle', bundle),
    await run('doctor', '--profile', 'x', '--offline'),
    await run('doctor', '--offline', '-c', 'model_provider=q', '-c', `sandbox_mode="${secret()}"`),
  ];

  expect(ended.map(({ code }) => code)).toEqual([1, 1, 1, 1, 1, expect.any(Number), 1]);
  const text = ended.map(({ stdout, stderr }) => stdout + stderr).join('\n');
  // What tells that something was looked at, and not that nothing was said.
  expect(text).toContain('credentials: ok, a ChatGPT login');
  expect(text.split('\n').filter((line) => line.includes(MARK))).toEqual([]);
  expect(text + (await readFile(bundle, 'utf8'))).not.toContain(INSTRUCTION);
  for (const part of token.split('.')) expect(text).not.toContain(part);
  expect(await leakedInto(home)).toEqual([]);

  const written = JSON.parse(await readFile(bundle, 'utf8'));
  expect(written.lastRefusal).toMatchObject({
    providerId: 'p',
    tags: {
      endpoint: '/responses',
      auth_header_attached: 'true',
      auth_header_name: 'authorization',
      auth_mode: 'Chatgpt',
      auth_401_request_id: 'req-of-the-refusal',
      auth_401_cf_ray: 'ray-1',
      auth_401_error: 'bad [hidden]',
      auth_401_error_code: 'token_expired',
      auth_recovery_mode: 'managed',
      auth_env_openai_api_key_present: 'true',
    },
  });
  expect(JSON.stringify(written)).not.toContain(token);
});

test('an ephemeral run leaves nothing of a refusal behind, and one that works neither [DOCTOR-24]', async () => {
  await using simulator = await Simulator.start({
    lenient: true,
    transports: { http: status(/* code */ 401, { body: {} }) },
  });
  const provider = `model_provider = "p"\n[model_providers.p]\nname = "P"\nbase_url = "${simulator.url}"\nenv_key = "P_KEY"\nstream_max_retries = 0\n`;
  const home = await command.home(provider);
  const argv = ['exec', '--skip-git-repo-check', 'say hello'];
  await home.run([...argv, '--ephemeral'], { P_KEY: 'key-of-the-test' });
  expect(await readdir(home.path)).not.toContain('last-401.json');
  await home.run(argv, { P_KEY: 'key-of-the-test' });
  const record = JSON.parse(await readFile(join(home.path, 'last-401.json'), 'utf8'));
  expect(record).toMatchObject({ provider: 'p', reason: 'not_chatgpt_auth', tags: { auth_mode: 'ApiKey' } });
});
