import type { JsonObject } from '@quire/protocol';
import {
  customToolCall,
  functionCall,
  type Output,
  precompute,
  type RecordedRequest,
  reasoning,
  respond,
  type Step,
  type StreamAnswer,
  text,
} from '@quire/simulator';

/** The tool adds a line: a second execution would show. */
export const RAN_FILE = 'ran.txt';
export const REASONING = 'Looking närer';
export const MESSAGE = 'I will add a line → now.';
export const FINAL = 'The line is there ✓.';
export const CALL_ID = 'call-append';

/** Which tool the recorded answer calls; both add a line to the same file. */
export type RecordedTool = 'apply_patch' | 'shell_command';

const CALLS: Readonly<Record<RecordedTool, Output>> = {
  apply_patch: customToolCall(
    CALL_ID,
    'apply_patch',
    `*** Begin Patch\n*** Update File: ${RAN_FILE}\n@@\n+ran\n*** End Patch`,
  ),
  shell_command: functionCall(CALL_ID, 'shell_command', { command: `echo ran >> ${RAN_FILE}`, login: false }),
};

/** The outputs of the answer in order, by what tells in a request that the client has got them. */
function outputsFor(tool: RecordedTool): readonly (readonly [isHeld: (item: JsonObject) => boolean, Output])[] {
  return [
    [(item) => item['type'] === 'reasoning', reasoning(REASONING, { encrypted: 'c2VhbGVk' })],
    [(item) => item['role'] === 'assistant', text(MESSAGE, { chunks: 2 })],
    [(item) => item['call_id'] === CALL_ID, CALLS[tool]],
  ];
}

/** What one whole turn adds to the history, each exactly once. */
export const WHOLE_TURN: readonly string[] = [
  `reasoning ${REASONING}`,
  `message ${MESSAGE}`,
  `call ${CALL_ID}`,
  `output ${CALL_ID}`,
  `message ${FINAL}`,
];

/** Reasoning, a message and a call in one response: the bytes are the same each time, ids too. */
export function recordedAnswer(tool: RecordedTool): { readonly answer: StreamAnswer; readonly bytes: Buffer } {
  const outputs = outputsFor(tool).map(([, output]) => output);
  const answer = precompute(respond(...outputs), { label: 'r' });
  const context = { responseId: '', nextItemId: (prefix: string) => prefix };
  const parts = [...answer.parts(context)].map((part) => (part.kind === 'precomputed' ? part.sse : Buffer.alloc(0)));
  return { answer, bytes: Buffer.concat(parts) };
}

/** Offsets right behind each event of a body. */
export function eventBoundaries(bytes: Buffer): readonly number[] {
  const boundaries: number[] = [];
  for (let at = bytes.indexOf('\n\n'); at !== -1; at = bytes.indexOf('\n\n', at + 2)) boundaries.push(at + 2);
  return boundaries;
}

/** Goes on where the request's input ends: sends only what is not in it yet, with ids of its own. */
export function continuation(request: RecordedRequest, tool: RecordedTool): Step {
  const missing = outputsFor(tool).filter(([isHeld]) => !request.input.some(isHeld));
  return missing.length === 0 ? respond(text(FINAL)) : respond(...missing.map(([, output]) => output));
}
