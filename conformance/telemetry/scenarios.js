/** What both programs do while somebody collects their telemetry. */
import {
  catalogEntry,
  customToolCall,
  functionCall,
  refuseUpgrade,
  rehearse,
  respond,
  status,
  text,
  websocketTiming,
} from '@quire/simulator';
import { Programs, tokenServer } from '../homes/programs.js';

/**
 * @typedef {import('../lab.js').Lab} Lab
 * @typedef {import('../homes/programs.js').ProgramName} ProgramName
 * @typedef {import('@quire/simulator').Simulator} Simulator
 * @typedef {import('@quire/simulator').SimulatorOptions} SimulatorOptions
 * @typedef {{
 *   title: string,
 *   provider: () => SimulatorOptions & { steps?: readonly import('@quire/simulator').Step[] },
 *   webSocket?: boolean,
 *   login?: 'key' | 'person',
 *   model?: string,
 *   settings?: readonly string[],
 *   runs?: readonly (readonly string[])[],
 * }} Scenario `login`: what the provider is paid with. Absent: a key in a variable of its own.
 */

const MODEL = 'gpt-5.2-codex';
const KEY = 'sk-of-telemetry-0123456789';
const PATCH = '*** Begin Patch\n*** Add File: note.txt\n+hello\n*** End Patch\n';
const TIMING = {
  responses_duration_excl_engine_and_client_tool_time_ms: 1,
  engine_service_total_ms: 2,
  engine_iapi_ttft_total_ms: 3,
  engine_service_ttft_total_ms: 4,
  engine_iapi_tbt_across_engine_calls_ms: 5,
  engine_service_tbt_across_engine_calls_ms: 6,
};

const PLAIN = () => respond(text('Done.'));
/** @param {string} callId @param {string} cmd */
const command = (callId, cmd) => respond(functionCall(callId, 'exec_command', { cmd, login: false }));
const TOOLS = () => [
  command('call-1', 'echo hi'),
  command('call-2', 'echo boom; exit 3'),
  respond(customToolCall('call-3', 'apply_patch', PATCH)),
  respond(functionCall('call-4', 'no_such_tool', {})),
  PLAIN(),
];

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  { title: 'tools', provider: () => ({ steps: TOOLS() }) },
  { title: 'tools over WebSocket', webSocket: true, provider: () => ({ steps: TOOLS() }) },
  {
    title: 'a busy provider',
    provider: () => ({ steps: [status(/* code */ 503, { body: { error: { message: 'busy' } } }), PLAIN()] }),
  },
  {
    title: 'resume',
    provider: () => ({ steps: [PLAIN(), PLAIN()] }),
    runs: [['One.'], ['resume', '--last', 'Two.']],
  },
  {
    title: 'a compaction',
    settings: ['model_auto_compact_token_limit=40000'],
    provider: () => ({
      steps: [
        command('call-1', 'seq 1 8000'),
        respond(functionCall('call-2', 'exec_command', { cmd: 'echo hi', login: false }), {
          usage: { inputTokens: 50_000, outputTokens: 10 },
        }),
        respond(text('It went well.')),
        PLAIN(),
        PLAIN(),
      ],
    }),
  },
  {
    title: 'no WebSocket after all',
    webSocket: true,
    provider: () => ({ steps: [PLAIN()], transports: { websocket: refuseUpgrade(/* code */ 426) } }),
  },
  {
    title: 'times of the server, prompts, and a feature',
    webSocket: true,
    settings: ['features.runtime_metrics=true', 'otel.log_user_prompt=true', 'features.fast_mode=false'],
    provider: () => ({ steps: [respond(websocketTiming(TIMING), text('Done.'))] }),
  },
  { title: 'a model that nobody knows', model: 'mock-model', provider: () => ({ steps: [PLAIN()] }) },
  {
    title: 'a login, refused once',
    login: 'person',
    settings: ['model_reasoning_effort="high"', 'model_context_window=100000'],
    provider: () => ({
      steps: [status(/* code */ 401, { body: { error: { message: 'no' } } })],
      rules: rehearse(PLAIN),
      models: [catalogEntry(MODEL)],
      oauth: { opaqueAccessTokens: true },
    }),
  },
  {
    title: 'a login over WebSocket',
    login: 'person',
    webSocket: true,
    provider: () => ({
      steps: [command('call-1', 'sleep 0.2'), PLAIN()],
      models: [catalogEntry(MODEL)],
      oauth: { opaqueAccessTokens: true },
    }),
  },
  {
    title: 'a stored key',
    login: 'key',
    provider: () => ({ rules: rehearse(PLAIN), models: [catalogEntry(MODEL)], oauth: {} }),
  },
];

/**
 * Runs a scenario with one of the programs.
 * @param {Lab} lab
 * @param {import('../homes/programs.js').ProgramPaths} paths
 * @param {{ program: ProgramName, scenario: Scenario, collector: string }} run `collector` is its origin
 */
export async function play(lab, paths, { program, scenario, collector }) {
  const programs = new Programs(lab, paths);
  const service = await lab.provider([], { acceptsAnyClient: true, lenient: true, ...scenario.provider() });
  if (scenario.login === 'person') await programs.logInWithDevice(program, service);
  if (scenario.login === 'key') await programs.ok(program, ['login', '--with-api-key'], { stdin: `${KEY}\n` });
  const exporter = (/** @type {string} */ signal) =>
    `{otlp-http={endpoint="${collector}/v1/${signal}",protocol="json"}}`;
  const settings = [
    `chatgpt_base_url="${service.url}"`,
    ...providerSettings(service, scenario),
    `otel={environment="test",exporter=${exporter('logs')},trace_exporter=${exporter('traces')},metrics_exporter=${exporter('metrics')}}`,
    'analytics.enabled=false',
    ...(scenario.settings ?? []),
  ];
  const options = ['--json', '-m', scenario.model ?? MODEL, '-s', 'danger-full-access'];
  const common = ['exec', ...options, ...settings.flatMap((setting) => ['-c', setting])];
  const env = { ...tokenServer(service), LAB_KEY: KEY };
  for (const run of scenario.runs ?? [['Go.']]) await programs.ok(program, [...common, ...run], { env });
}

/** @param {Simulator} service @param {Scenario} scenario */
function providerSettings({ url }, { webSocket = false, login }) {
  const credentials = login === undefined ? 'env_key="LAB_KEY"' : 'requires_openai_auth=true';
  const provider = `name="lab",base_url="${url}",wire_api="responses",${credentials},supports_websockets=${webSocket}`;
  return [`model_providers.lab={${provider}}`, 'model_provider="lab"'];
}
