import type { RecordedRequest } from '../recorded-request.ts';
import { text } from '../script/items.ts';
import type { Output } from '../script/output.ts';
import { respond } from '../script/respond.ts';
import { type Rehearsal, rehearse } from '../script/script.ts';
import type { Step } from '../script/step.ts';
import { INTRODUCTION, repair, type Workspace } from './procedure.ts';
import { outputOf, Toolbox } from './toolbox.ts';
import { type FinishedCall, readTranscript, type Segment } from './transcript.ts';
import type { Procedure, Turn } from './turn.ts';

export interface RepairRehearsalOptions {
  /** How many single-line edits are tried before it gives up. 24 when absent. */
  readonly maxCandidates?: number;
}

const DEFAULT_MAX_CANDIDATES = 24;
const REPAIR_PROMPT = /\b(?:tests?|fix|repair|bugs?|fail(?:s|ing|ed|ure|ures)?|broken)\b/i;

/**
 * A stand-in for a model that repairs a small Node.js repository through the client's tools.
 *
 * It keeps no state: each request's `input` is played again from the start, so retries and resumed threads
 * lead to the same next step. Without a repair to do, or without a shell tool, it says what it is.
 */
export function createRepairRehearsal(options: RepairRehearsalOptions = {}): Rehearsal {
  const maxCandidates = options.maxCandidates ?? DEFAULT_MAX_CANDIDATES;
  return rehearse((request) => answer(request, maxCandidates));
}

function answer(request: RecordedRequest, maxCandidates: number): Step {
  const toolbox = new Toolbox(request);
  const segments = readTranscript(request.input);
  if (!REPAIR_PROMPT.test(segments.at(-1)?.prompt ?? '')) return speak(request, [text(explainItself(), FINAL)]);
  if (!toolbox.hasShell) {
    return speak(request, [
      text(`${INTRODUCTION} It needs a shell tool to look at a repository, and none is offered.`, FINAL),
    ]);
  }
  const workspace: Workspace = { applied: undefined };
  const procedureOptions = { hasPlan: toolbox.hasPlan, maxCandidates };
  let state: Replay = { kind: 'strayed' };
  for (const segment of segments) {
    if (REPAIR_PROMPT.test(segment.prompt)) state = replay(repair(workspace, procedureOptions), segment, toolbox);
  }
  const index = segments.length - 1;
  switch (state.kind) {
    case 'ended':
      return speak(request, [text(state.message, FINAL)]);
    case 'waiting':
      return speak(request, outputsOf(state, { toolbox, segmentIndex: index }));
    case 'strayed':
      return speak(request, [
        text(`${INTRODUCTION} The calls in this thread are not ones it would have made, so it stops here.`, FINAL),
      ]);
  }
}

const FINAL = { phase: 'final_answer' } as const;

type Replay =
  | { readonly kind: 'ended'; readonly message: string }
  /** `turn` is next; its first `doneCount` actions have results already, `callCount` calls went before. */
  | { readonly kind: 'waiting'; readonly turn: Turn; readonly doneCount: number; readonly callCount: number }
  /** The transcript holds a call the procedure would not have made. */
  | { readonly kind: 'strayed' };

/** Plays the procedure against the calls made so far. */
function replay(procedure: Procedure, segment: Segment, toolbox: Toolbox): Replay {
  let position = 0;
  let step = procedure.next([]);
  while (step.done !== true) {
    const results: FinishedCall['result'][] = [];
    for (const action of step.value.actions) {
      const call = segment.calls[position];
      if (call === undefined) {
        return { kind: 'waiting', turn: step.value, doneCount: results.length, callCount: position };
      }
      const expected = toolbox.callFor(action);
      if (expected.name !== call.name || expected.input !== call.input) return { kind: 'strayed' };
      results.push(call.result);
      position += 1;
    }
    step = procedure.next(results);
  }
  return { kind: 'ended', message: step.value };
}

function outputsOf(
  state: Extract<Replay, { kind: 'waiting' }>,
  context: { readonly toolbox: Toolbox; readonly segmentIndex: number },
): readonly Output[] {
  const { turn, doneCount, callCount } = state;
  const outputs: Output[] = [];
  if (turn.say !== undefined && doneCount === 0) outputs.push(text(turn.say, { phase: 'commentary', chunks: 4 }));
  for (const [index, action] of turn.actions.slice(doneCount).entries()) {
    const callId = `rehearsal_${context.segmentIndex}_${callCount + index}`;
    outputs.push(outputOf(context.toolbox.callFor(action), callId));
  }
  return outputs;
}

function explainItself(): string {
  return [
    INTRODUCTION,
    'It can repair a small Node.js project whose tests fail: ask it to "fix the failing tests" in a folder with a package.json.',
    'For anything else, configure a real provider.',
  ].join(' ');
}

/** Tokens are the usual estimate of four bytes each: nothing here counts real ones. */
function speak(request: RecordedRequest, outputs: readonly Output[]): Step {
  return respond(...outputs, {
    usage: { inputTokens: Math.ceil(request.rawBody.length / 4), outputTokens: 40 * outputs.length },
  });
}
