/** What is measured: the prompts, what the provider answers, and how an answer is known to be right. */
import { event, functionCall, precompute, rawBytes, rehearse, respond, text } from '@quire/simulator';
import { isHistoryPresent } from './history.js';
import { ASSEMBLY, COMPACTED_HISTORY, LONG_HISTORY, LONG_WORK } from './sizes.js';

/**
 * @typedef {import('@quire/simulator').RecordedRequest} RecordedRequest
 * @typedef {import('@quire/simulator').Output} Output
 * @typedef {import('@quire/simulator').Step} Step
 * @typedef {{ wall?: number, cpu?: number, memory?: number, peakMib?: number }} Targets
 *   largest accepted ratio to the native peer; `peakMib` is a size of its own
 * @typedef {{
 *   title: string, prompt: string, finalText: string, requestCount: number, targets: Targets, webSocket?: boolean,
 *   resumes?: import('./history.js').HistoryKind,
 *   answer: (request: RecordedRequest) => Step,
 *   isRight: (requests: readonly RecordedRequest[]) => boolean,
 * }} Scenario
 *   `webSocket`: over WebSocket, by the clients that speak it; `answer` gets requests that count from 0 in each run; `isRight` looks at what the provider received
 */

const ROUNDS = 50;
const DELTAS = 100_000;
const OUTPUT_BYTES = 4 * 1024 * 1024;
const WORDS = ['alpha ', 'beta ', 'gamma ', 'delta ', 'omega '];

const FINAL_TEXT = 'All done.';
const LONG_TEXT = Array.from({ length: DELTAS }, (_entry, index) => WORDS[index % WORDS.length] ?? '')
  .join('')
  .trimEnd();
const BIG_LINE = 'one of many lines of a large output, as a test run would print it';

/** Identifies the fixtures in a result: change anything here and results are no longer comparable. */
export const FIXTURE = {
  version: 2,
  rounds: ROUNDS,
  deltas: DELTAS,
  outputBytes: OUTPUT_BYTES,
  history: LONG_HISTORY,
  compacted: COMPACTED_HISTORY,
  assembly: ASSEMBLY,
  work: LONG_WORK,
};

const OVER_SSE = /** @type {const} @satisfies {Readonly<Record<string, Scenario>>} */ ({
  'cold-one-tool': {
    title: 'one command, then a final text; everything starts cold',
    prompt: 'Run the command.',
    finalText: FINAL_TEXT,
    requestCount: 2,
    targets: { wall: 0.7, memory: 0.6 },
    answer: (request) => (request.index === 0 ? callShell(request, 'echo marker-0') : FINAL_ANSWER),
    isRight: (requests) => outputsOf(requests).length === 1 && /marker-0/.test(outputsOf(requests)[0] ?? ''),
  },
  'text-only': {
    title: 'one short answer, no tool',
    prompt: 'Say something.',
    finalText: FINAL_TEXT,
    requestCount: 1,
    targets: {},
    answer: () => FINAL_ANSWER,
    isRight: () => true,
  },
  'fifty-tool-rounds': {
    title: `${ROUNDS} commands, one after the other, each in a response of its own`,
    prompt: 'Run the commands.',
    finalText: FINAL_TEXT,
    requestCount: ROUNDS + 1,
    targets: { wall: 0.4 },
    answer: (request) => (request.index < ROUNDS ? callShell(request, `echo marker-${request.index}`) : FINAL_ANSWER),
    isRight: (requests) => {
      const outputs = outputsOf(requests);
      return outputs.length === ROUNDS && outputs.every((output, index) => output.includes(`marker-${index}`));
    },
  },
  'hundred-thousand-deltas': {
    title: `one answer of ${DELTAS.toLocaleString('en')} text deltas`,
    prompt: 'Tell a long story.',
    finalText: LONG_TEXT,
    requestCount: 1,
    targets: { wall: 0.6 },
    answer: () => LONG_ANSWER,
    isRight: () => true,
  },
  'four-mebibyte-output': {
    title: 'one command that prints 4 MiB',
    prompt: 'Run the command.',
    finalText: FINAL_TEXT,
    requestCount: 2,
    targets: {},
    answer: (request) =>
      request.index === 0 ? callShell(request, `yes '${BIG_LINE}' | head -c ${OUTPUT_BYTES}`) : FINAL_ANSWER,
    isRight: (requests) => (outputsOf(requests)[0] ?? '').includes(BIG_LINE),
  },
  'resume-50000': {
    title: `one short answer in a resumed thread of ${(LONG_HISTORY.turns * LONG_HISTORY.itemsPerTurn).toLocaleString('en')} items, 100 MB at full size`,
    prompt: 'Say something.',
    finalText: FINAL_TEXT,
    requestCount: 1,
    targets: { wall: 0.5, memory: 0.6 },
    resumes: 'long',
    answer: () => FINAL_ANSWER,
    isRight: (requests) => requests[0] !== undefined && isHistoryPresent('long', requests[0].input),
  },
  'resume-compacted': {
    title: `one short answer in a resumed thread of half a gigabyte, of which a compaction left the last ${COMPACTED_HISTORY.turnsBehind} turns`,
    prompt: 'Say something.',
    finalText: FINAL_TEXT,
    requestCount: 1,
    targets: { peakMib: 150 },
    resumes: 'compacted',
    answer: () => FINAL_ANSWER,
    isRight: (requests) => requests[0] !== undefined && isHistoryPresent('compacted', requests[0].input),
  },
});

/** @type {Readonly<Record<string, Scenario>>} */
export const SCENARIOS = {
  ...OVER_SSE,
  'websocket-fifty-tool-rounds': {
    ...OVER_SSE['fifty-tool-rounds'],
    title: `${OVER_SSE['fifty-tool-rounds'].title}, over WebSocket`,
    targets: {},
    webSocket: true,
  },
  'websocket-hundred-thousand-deltas': {
    ...OVER_SSE['hundred-thousand-deltas'],
    title: `${OVER_SSE['hundred-thousand-deltas'].title}, over WebSocket`,
    targets: { wall: 0.4, cpu: 0.4 },
    webSocket: true,
    answer: () => LONG_ANSWER_IN_FRAMES,
  },
};

/** Served, but not measured as a run of a program: see long-work.js. @type {Scenario} */
const LONG_WORK_SCENARIO = {
  title: 'turns with one command each, whose output is large',
  prompt: '',
  finalText: FINAL_TEXT,
  requestCount: 0,
  targets: {},
  answer: (request) => {
    const usage = { inputTokens: Math.ceil(request.rawBody.length / 4), outputTokens: 10 };
    // Who asks for a summary offers no tools.
    if (!Array.isArray(request.body['tools']) || request.body['tools'].length === 0) {
      return respond(text('All commands so far were fine.'), { usage });
    }
    const last = String(request.input.at(-1)?.['type']);
    if (last === 'function_call_output') return respond(text(FINAL_TEXT), { usage });
    return callShell(request, `yes '${BIG_LINE}' | head -c ${LONG_WORK.outputBytes}`, { usage });
  },
  isRight: (requests) => {
    const withOutput = requests.filter(({ input }) => input.at(-1)?.['type'] === 'function_call_output');
    return withOutput.length === LONG_WORK.turns && outputsOf(withOutput).every((output) => output.includes(BIG_LINE));
  },
};

/** @param {string} name @returns {Scenario} */
export function scenarioOf(name) {
  const scenario = name === 'long-work' ? LONG_WORK_SCENARIO : SCENARIOS[name];
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  return scenario;
}

/** Rules for the simulator. @param {Scenario} scenario */
export function rulesOf(scenario) {
  return rehearse(scenario.answer);
}

const FINAL_ANSWER = respond(...message(FINAL_TEXT, [FINAL_TEXT]));
const LONG_ANSWER = respond(...message(LONG_TEXT, LONG_TEXT.split(/(?<= )/)));
const LONG_ANSWER_IN_FRAMES = precompute(
  respond(text(LONG_TEXT, { chunks: LONG_TEXT.split(/(?<= )/), id: 'msg_bench_0' })),
  { label: 'bench' },
);

/**
 * The shell tool under the name and with the parameter that this client offers.
 * @param {RecordedRequest} request
 * @param {string} command
 * @param {import('@quire/simulator').RespondOptions} [options]
 */
function callShell(request, command, options = {}) {
  const tools = Array.isArray(request.body['tools']) ? request.body['tools'].map((tool) => Object(tool)['name']) : [];
  const callId = `call_${request.index}`;
  if (tools.includes('exec_command')) return respond(functionCall(callId, 'exec_command', { cmd: command }), options);
  if (tools.includes('shell_command')) return respond(functionCall(callId, 'shell_command', { command }), options);
  return respond(functionCall(callId, 'bash', { command }));
}

/**
 * A message with the part events that the provider really sends; one of the clients needs them to see the deltas.
 * The deltas are encoded once, so that serving them costs the provider only the writing.
 * @param {string} content
 * @param {readonly string[]} pieces
 * @returns {Output[]}
 */
function message(content, pieces) {
  const id = 'msg_bench_0';
  const item = { type: 'message', role: 'assistant', id };
  const place = { item_id: id, output_index: 0, content_index: 0 };
  const part = (/** @type {string} */ text) => ({ type: 'output_text', text, annotations: [] });
  const deltas = pieces.map((delta, index) => {
    const json = JSON.stringify({ type: 'response.output_text.delta', sequence_number: index + 3, ...place, delta });
    return `event: response.output_text.delta\ndata: ${json}\n\n`;
  });
  return [
    event({
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...item, status: 'in_progress', content: [] },
    }),
    event({ type: 'response.content_part.added', ...place, part: part('') }),
    rawBytes(deltas.join('')),
    event({ type: 'response.output_text.done', ...place, text: content }),
    event({ type: 'response.content_part.done', ...place, part: part(content) }),
    event({
      type: 'response.output_item.done',
      output_index: 0,
      item: { ...item, status: 'completed', content: [part(content)] },
    }),
  ];
}

/** Text of each tool output in the last request. @param {readonly RecordedRequest[]} requests */
function outputsOf(requests) {
  return (requests.at(-1)?.toolOutputs ?? []).map(({ output }) =>
    typeof output === 'string' ? output : JSON.stringify(output),
  );
}
