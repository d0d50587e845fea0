/** How the rehearsal works through a repair, written as if every tool answered at once. */
import { type Candidate, findCandidates } from './candidates.ts';
import { type Evidence, readEvidence } from './evidence.ts';
import { type LineEdit, lineBefore, patchOf, reverseEdit } from './line-edit.ts';
import { readProject } from './project.ts';
import type { Action, PlanStep } from './toolbox.ts';
import type { Procedure, Turn } from './turn.ts';

/** What an interrupted repair left behind; shared by the segments of one thread. */
export interface Workspace {
  /** An edit that may be in the file and is not known to be right. */
  applied: LineEdit | undefined;
}

export interface RepairOptions {
  readonly hasPlan: boolean;
  /** How many candidate edits are tried before giving up. */
  readonly maxCandidates: number;
}

export const INTRODUCTION =
  'This is a rehearsal, not a language model: a small set of rules that drives real tools and reads what they return.';

const TEST_TIMEOUT_MS = 30_000;

/** Ends the procedure with a plain statement. */
class Stop extends Error {
  override readonly name = 'Stop';
}

export function* repair(workspace: Workspace, options: RepairOptions): Procedure {
  try {
    if (workspace.applied !== undefined) yield* undoLeftover(workspace, workspace.applied);
    return yield* repairProject(workspace, options);
  } catch (error) {
    if (error instanceof Stop) return `${INTRODUCTION} ${error.message}`;
    throw error;
  }
}

function* repairProject(workspace: Workspace, options: RepairOptions): Procedure {
  const project = yield* readProject({ plan: plan(options, /* doneCount */ 0), run });
  if (project.kind === 'unknown') return `${INTRODUCTION} ${project.reason} Nothing was changed.`;

  const first = yield* runTests(project.testCommand, `Running the tests with \`${project.testCommand}\`.`);
  if (first.exitCode === 0) {
    return `${INTRODUCTION} \`${project.testCommand}\` passes already, so there was nothing to repair and nothing was changed.`;
  }
  const evidence = readEvidence(first.output);
  const files = yield* project.readFiles(evidence, { plan: plan(options, /* doneCount */ 1) });
  const candidates = findCandidates({ ...files, evidence }).slice(0, options.maxCandidates);
  const found = yield* tryCandidates(candidates, { workspace, testCommand: project.testCommand, evidence, options });
  return found === undefined
    ? describeDefeat(evidence, { testCommand: project.testCommand, triedCount: candidates.length })
    : describeRepair(evidence, found, project.testCommand);
}

interface Trial {
  readonly workspace: Workspace;
  readonly testCommand: string;
  readonly evidence: Evidence;
  readonly options: RepairOptions;
}

/** Applies one candidate after the other until the tests pass. The file is as it was when none does. */
function* tryCandidates(candidates: readonly Candidate[], trial: Trial): Procedure<Candidate | undefined> {
  for (const [index, candidate] of candidates.entries()) {
    const opening = index === 0 ? `${describeEvidence(trial.evidence)} ` : '';
    const say = `${opening}In ${placeOf(candidate)}, ${candidate.reason}? Trying it.`;
    const isApplied = yield* applyEdit(trial.workspace, candidate, { say });
    if (!isApplied) continue;
    const outcome = yield* judgeEdit(trial, candidate);
    if (outcome.exitCode === 0) {
      trial.workspace.applied = undefined;
      const steps = plan(trial.options, /* doneCount */ 3);
      if (steps.length > 0) yield { actions: steps };
      return candidate;
    }
    const isReverted = yield* applyEdit(trial.workspace, reverseEdit(candidate), {
      say: 'That was not it; undoing it.',
    });
    if (!isReverted)
      throw new Stop(`A change in ${placeOf(candidate)} could not be undone; look at that line by hand.`);
    trial.workspace.applied = undefined;
  }
  return undefined;
}

/** Runs the tests on an edit. When they cannot be run any more the edit is undone before the procedure stops. */
function* judgeEdit(trial: Trial, candidate: Candidate): Procedure<{ readonly exitCode: number }> {
  try {
    return yield* runTests(trial.testCommand, 'Running the tests again.');
  } catch (error) {
    if (error instanceof Stop) {
      yield* applyEdit(trial.workspace, reverseEdit(candidate), {
        say: 'The tests cannot be run; undoing the change.',
      });
      trial.workspace.applied = undefined;
    }
    throw error;
  }
}

/** False when the patch does not fit the file. Throws `Stop` when the tool refused it. */
function* applyEdit(workspace: Workspace, edit: LineEdit, words: { readonly say: string }): Procedure<boolean> {
  // Before the yield: an interrupted patch may have been written or not.
  const before = workspace.applied;
  workspace.applied = before ?? edit;
  const [result] = yield { say: words.say, actions: [{ kind: 'patch', patch: patchOf(edit) }] };
  if (result?.kind === 'ended' && result.exitCode === 0) return true;
  const message = result === undefined ? 'no result' : result.kind === 'ended' ? result.output : result.message;
  // An aborted patch may have been written: a later segment has to look after it.
  if (!message.startsWith('aborted')) workspace.applied = before;
  if (/verification failed|Failed to find/.test(message)) return false;
  throw new Stop(`apply_patch was refused or failed, so I stop here. It said: ${excerpt(message)}`);
}

/** The edit of an interrupted repair: not being there is as good as being undone. */
function* undoLeftover(workspace: Workspace, edit: LineEdit): Procedure<void> {
  const say = `${INTRODUCTION} An earlier attempt was interrupted; undoing its change in ${placeOf(edit)} first.`;
  yield* applyEdit(workspace, reverseEdit(edit), { say });
  workspace.applied = undefined;
}

function* runTests(command: string, say: string): Procedure<{ readonly exitCode: number; readonly output: string }> {
  const results = yield* run({ say, actions: [{ kind: 'shell', command, timeoutMs: TEST_TIMEOUT_MS }] });
  return results[0] ?? { exitCode: 1, output: '' };
}

/** Does a turn whose commands must at least run. Throws `Stop` when one was refused. */
function* run(turn: Turn): Procedure<readonly { readonly exitCode: number; readonly output: string }[]> {
  const results = yield turn;
  return results.map((result) => {
    if (result.kind === 'ended') return result;
    throw new Stop(`A tool did not run, so I stop here. It said: ${excerpt(result.message)}`);
  });
}

const PLAN = ['Look at the repository and run its tests', 'Find the failing code', 'Change it and run the tests again'];

/** The plan with so many steps done, as an action if the tool is offered. */
function plan(options: RepairOptions, doneCount: number): readonly Action[] {
  if (!options.hasPlan) return [];
  const steps = PLAN.map((step, index): PlanStep => {
    const status = index < doneCount ? 'completed' : index === doneCount ? 'in_progress' : 'pending';
    return { step, status };
  });
  return [{ kind: 'plan', steps }];
}

function describeEvidence(evidence: Evidence): string {
  const [title] = evidence.failures;
  const [mismatch] = evidence.mismatches;
  const [error] = evidence.errors;
  const subject = title === undefined ? 'A test fails' : `The test "${title}" fails`;
  if (mismatch !== undefined && evidence.unknownNames.length === 0) {
    return `${subject}: expected ${show(mismatch.expected)}, got ${show(mismatch.actual)}.`;
  }
  return error === undefined ? `${subject}.` : `${subject}: ${error}.`;
}

function describeRepair(evidence: Evidence, fix: Candidate, testCommand: string): string {
  return [
    `Repaired: \`${testCommand}\` passes now.`,
    '',
    `- ${describeEvidence(evidence)}`,
    `- The cause was in ${placeOf(fix)}: ${fix.reason}.`,
    `- Before: \`${lineBefore(fix).trim()}\``,
    `- After: \`${fix.after.trim()}\``,
    '',
    INTRODUCTION,
  ].join('\n');
}

function describeDefeat(
  evidence: Evidence,
  facts: { readonly testCommand: string; readonly triedCount: number },
): string {
  const tried =
    facts.triedCount === 0
      ? 'No rule of mine fits what I read.'
      : `I tried ${facts.triedCount} single-line change(s); none made the tests pass, and each was undone.`;
  return [
    `I could not fix it. \`${facts.testCommand}\` still fails and the files are as they were.`,
    '',
    `- ${describeEvidence(evidence)}`,
    `- ${tried}`,
    '',
    `${INTRODUCTION} A real model may well see more.`,
  ].join('\n');
}

function placeOf(edit: LineEdit): string {
  return `${edit.path}:${edit.lineIndex + 1}`;
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function excerpt(message: string): string {
  const line = message.trim().split('\n')[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}
