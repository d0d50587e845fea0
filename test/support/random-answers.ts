import {
  customToolCall,
  cutAfterBytes,
  endAfterEvents,
  failed,
  functionCall,
  incomplete,
  malformedEvent,
  missingCompletion,
  type Output,
  reasoning,
  reset,
  respond,
  type Step,
  status,
  text,
} from '@quire/simulator';

type Random = () => number;

/** Longest chain of tool rounds; then the answer calls nothing. */
const MAX_ROUNDS = 4;

/** An answer of random items with a random fault. `label` makes its call ids unique. */
export function randomAnswer(random: Random, options: { readonly label: string; readonly round: number }): Step {
  const count = Math.floor(random() * 4);
  const callsTools = options.round < MAX_ROUNDS;
  const outputs = Array.from({ length: count }, (_, index) => {
    const makers = callsTools ? [...WORDS, ...CALLS] : WORDS;
    return pick(makers, random)(`${options.label}-${index}`, random);
  });
  return pick(FAULTS, random)(outputs, random);
}

type Maker = (callId: string, random: Random) => Output;

const WORDS: readonly Maker[] = [
  () => reasoning('A thought.'),
  () => text('Some words.', { chunks: 3 }),
  () => text(''),
  () => malformedEvent(),
];

const CALLS: readonly Maker[] = [
  (callId) => shell(callId, `echo ${callId}`),
  (callId) => shell(callId, 'echo failing >&2; exit 3'),
  (callId, random) => shell(callId, `sleep ${(random() * 0.2).toFixed(2)}`),
  (callId) => functionCall(callId, 'shell_command', '{"command": '),
  (callId) => functionCall(callId, 'shell_command', {}),
  (callId) => functionCall(callId, 'no_such_tool', { a: 1 }),
  (callId) => functionCall(callId, 'update_plan', { plan: [{ step: callId, status: 'pending' }] }),
  (callId) => patch(callId, `*** Add File: ${callId}.txt\n+text`),
  (callId) => patch(callId, '*** Update File: missing.txt\n@@\n-a\n+b'),
  (callId) => customToolCall(callId, 'apply_patch', 'not a patch'),
];

const FAULTS: readonly ((outputs: readonly Output[], random: Random) => Step)[] = [
  (outputs) => respond(...outputs),
  (outputs) => respond(...outputs),
  (outputs) => respond(...outputs),
  (outputs, random) => cutAfterBytes(Math.floor(random() * 2_000), respond(...outputs)),
  (outputs, random) => endAfterEvents(Math.floor(random() * 8), respond(...outputs)),
  (outputs) => missingCompletion(respond(...outputs)),
  (outputs) => respond(...outputs, failed({ code: 'server_error', message: 'Something broke.' })),
  (outputs) => respond(...outputs, failed({ code: 'invalid_prompt', message: 'No.' })),
  (outputs) => respond(...outputs, incomplete('max_output_tokens')),
  (outputs, random) => reset({ afterBytes: Math.floor(random() * 1_000) }, respond(...outputs)),
  () => reset(),
  () => status(/* code */ 500, { body: 'broken' }),
  () => status(/* code */ 400, { body: { error: { message: 'bad', code: 'invalid_request_error' } } }),
];

function shell(callId: string, script: string): Output {
  return functionCall(callId, 'shell_command', { command: script, login: false });
}

function patch(callId: string, section: string): Output {
  return customToolCall(callId, 'apply_patch', `*** Begin Patch\n${section}\n*** End Patch`);
}

function pick<Entry>(entries: readonly Entry[], random: Random): Entry {
  const entry = entries[Math.floor(random() * entries.length)];
  if (entry === undefined) throw new Error('nothing to pick from');
  return entry;
}
