import { readFileSync } from 'node:fs';
import { isJsonObject, type JsonObject, stringAt } from '@quire/protocol';
import type { RecordedOAuthRequest, RecordedRequest, Simulator, SimulatorOptions } from '@quire/simulator';
import type { CommandResult } from '../end-process.ts';
import { safeLine } from '../exec/safe-text.ts';
import { systemReason } from '../exec/setup-error.ts';
import { EXIT } from '../exit-codes.ts';
import { say } from '../say.ts';
import { parseSimulateArguments, type SimulateArguments } from './arguments.ts';
import { collectorSettings, printTelemetry } from './print-telemetry.ts';

const SIMULATE_HELP = `Start a model provider on this machine that plays a script; for demos and tests, without a key.

Usage: quire simulate [--port N] [--script FILE] [--models FILE] [--any-client] [--login] [--collector]

      --port N         Port on 127.0.0.1; a free one by default
      --script FILE    JSON script of answers; by default a rehearsal that repairs a small repository
      --models FILE    JSON list of the models to offer
      --any-client     Also serve clients that are no agents, such as the openai package: every event is sent, and
                       what only agents send is not asked for
      --login          Also log people in, on simulated pages: for quire login without an account
      --collector      Also be an OpenTelemetry collector, and print what it gets
  -h, --help           Show this text

One line is printed for every request. Ctrl-C ends it.
`;

/** How long the next request is awaited, in milliseconds: as long as a timer can. */
const ANY_TIME_MS = 2_147_483_647;

/** `quire simulate`: serves until a signal comes. */
export async function simulateCommand(argv: readonly string[]): Promise<CommandResult> {
  const parsed = parseSimulateArguments(argv);
  if (parsed.kind === 'help') return say('stdout', SIMULATE_HELP);
  if (parsed.kind === 'usage-error') {
    process.stderr.write(
      `quire: ${safeLine(parsed.message)}\nUsage: quire simulate [OPTIONS]; see quire simulate --help\n`,
    );
    return { exitCode: EXIT.usage, settled: true };
  }
  try {
    await serve(parsed.arguments);
    return { exitCode: EXIT.completed, settled: true };
  } catch (error) {
    process.stderr.write(`quire: ${safeLine(systemReason(error))}\n`);
    return { exitCode: EXIT.failed, settled: true };
  }
}

async function serve(given: SimulateArguments): Promise<void> {
  const library = await import('@quire/simulator');
  const script = given.scriptPath === undefined ? undefined : library.loadScript(readJsonFile(given.scriptPath));
  const answers: SimulatorOptions = script ?? { rules: library.createRepairRehearsal() };
  const general: SimulatorOptions = given.anyClient
    ? { acceptsAnyClient: true, ...(script !== undefined && { steps: script.steps.map(library.everyEvent) }) }
    : {};
  const models = given.modelsPath === undefined ? {} : { models: readModels(given.modelsPath) };
  const stopping = new AbortController();
  const stop = (): void => stopping.abort(new Error('stopped'));
  process.on('SIGINT', stop).on('SIGTERM', stop);
  process.stdout.on('error', stop); // nobody reads the lines any more
  const login: SimulatorOptions = given.login
    ? { oauth: { asksForConsent: true, deviceInterval: '1' }, usage: library.usageReport(sampleLimits(Date.now())) }
    : {};
  const { signal } = stopping;
  const simulator = await library.Simulator.start({ port: given.port, ...answers, ...models, ...general, ...login });
  const collector = given.collector ? await library.OtlpCollector.start() : undefined;
  try {
    const settings = collector === undefined ? [] : collectorSettings(collector);
    process.stdout.write(greeting(simulator.url, { isRehearsal: script === undefined, settings }));
    if (given.login) process.stdout.write(loginGreeting(simulator));
    await Promise.all([
      printRequests(simulator, signal),
      printLogins(simulator, signal),
      collector && printTelemetry(collector, signal),
    ]);
  } finally {
    await collector?.[Symbol.asyncDispose]();
    await simulator.stop();
  }
}

function greeting(
  url: string,
  options: {
    readonly isRehearsal: boolean;
    /** Further arguments. */
    readonly settings: readonly string[];
  },
): string {
  const provider = `model_providers.simulator={name="simulator",base_url="${url}",wire_api="responses"}`;
  const who = options.isRehearsal
    ? 'A rehearsal answers, not a language model.'
    : 'A script answers, not a language model.';
  const use = options.isRehearsal
    ? '-m rehearsal -s danger-full-access "the tests fail, please repair the code"'
    : '"hello"';
  return [
    `Serving on ${url}`,
    `${who} In another terminal:`,
    '',
    `  quire exec -c model_provider=simulator -c '${provider}' ${[...options.settings, use].join(' ')}`,
    '',
    'Ctrl-C ends this.',
    '',
  ].join('\n');
}

/** A home of its own, so that no real login is replaced or shown to this server, and no simulated one to the real. */
function loginGreeting({ issuer, url }: Simulator): string {
  return [
    '',
    'To log in here, with a home folder of its own:',
    '',
    '  export QUIRE_HOME="$(mktemp -d)"',
    `  export CODEX_REFRESH_TOKEN_URL_OVERRIDE=${issuer}/oauth/token`,
    `  quire login --experimental_issuer ${issuer}`,
    '  quire login status',
    `  quire status -c chatgpt_base_url=${issuer}`,
    `  quire exec -c openai_base_url=${url} -m rehearsal --skip-git-repo-check "hello"`,
    '  quire logout',
    '',
    'With --device-auth the login shows a code to type in on a page of this server.',
    '',
  ].join('\n');
}

/** Something for `quire status` to show. */
function sampleLimits(nowMs: number): Parameters<typeof import('@quire/simulator').usageReport>[0] {
  const inHours = (hours: number): number => Math.round(nowMs / 1000) + hours * 3600;
  return {
    planType: 'plus',
    primary: { usedPercent: 38, windowMinutes: 300, resetAt: inHours(/* hours */ 2) },
    secondary: { usedPercent: 71, windowMinutes: 10_080, resetAt: inHours(/* hours */ 100) },
    credits: { hasCredits: true, unlimited: false, balance: '12.50' },
  };
}

/** A device asks again and again until its code was typed in. */
function isNoPoll({ endpoint }: RecordedOAuthRequest): boolean {
  return endpoint !== 'device-token';
}

/** One line per request to the authorization server. Until the signal fires. */
async function printLogins(simulator: Simulator, signal: AbortSignal): Promise<void> {
  try {
    for (let index = 0; ; index += 1) {
      const request = await simulator.oauthRequest(isNoPoll, { index, signal, timeoutMs: ANY_TIME_MS });
      const grant = request.fields['grant_type'];
      process.stdout.write(`login: ${request.endpoint}${grant === undefined ? '' : ` ${safeLine(grant)}`}\n`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** One line per request as it arrives, and one more when its answer was not sent whole. Until the signal fires. */
async function printRequests(simulator: Simulator, signal: AbortSignal): Promise<void> {
  const options = { signal, timeoutMs: ANY_TIME_MS };
  const outcomes: Promise<void>[] = [];
  try {
    for (let index = 0; ; index += 1) {
      const request = await simulator.request(index, options);
      process.stdout.write(`${describeRequest(request)}\n`);
      outcomes.push(printOutcome(simulator, index, options));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await Promise.all(outcomes);
  }
}

/** Never rejects: a simulator that is stopped first has nothing more to say about a request. */
async function printOutcome(
  simulator: Simulator,
  index: number,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  const prefix = `request ${index}: `;
  try {
    const outcome = await simulator.outcome(index, options);
    if (outcome !== 'sent') process.stdout.write(`   #${index + 1} ${outcome}\n`);
    for (const violation of simulator.violations.filter((text) => text.startsWith(prefix))) {
      process.stdout.write(`   #${index + 1} broken rule: ${safeLine(violation.slice(prefix.length))}\n`);
    }
  } catch {
    return; // stopped
  }
}

function describeRequest(request: RecordedRequest): string {
  const model = safeLine(stringAt(request.body, 'model') ?? 'no model');
  const last = request.input.at(-1);
  const what = last === undefined ? 'no input' : safeLine(stringAt(last, 'type') ?? 'an item');
  return `#${request.index + 1} ${request.transport} ${safeLine(request.path)} ${model}, ${request.input.length} items, last: ${what}`;
}

function readModels(path: string): readonly JsonObject[] {
  const json = readJsonFile(path);
  const list = isJsonObject(json) ? json['models'] : json;
  if (!Array.isArray(list) || !list.every(isJsonObject)) {
    throw new Error(`${path} must hold a JSON list of models, or an object with such a list as "models"`);
  }
  return list;
}

function readJsonFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} can not be read: ${systemReason(error)}`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not valid JSON`, { cause: error });
  }
}
