import type { HookEvent } from '@quire/core';
import { isJsonObject, type JsonObject, objectAt, stringAt } from '@quire/protocol';
import type { ProgramEnd } from '../process/follow-program.ts';

export type HookAnswer =
  | { readonly kind: 'go-on'; readonly text: string | undefined }
  /** Before a call: it does not run. After it: the check did not pass. */
  | { readonly kind: 'refuse'; readonly text: string };

/** `notice` is for the person only. */
export type HookReading = (HookAnswer | { readonly kind: 'fault'; readonly problem: string }) & {
  readonly notice?: string | undefined;
};

/** Source: observed, peer 0.169; what that passes over as unsupported is a fault here. */
const REFUSAL_EXIT_CODE = 2;

/**
 * What a hook says: exit code 0 goes on, 2 refuses with standard error as the reason, anything else is a fault. With
 * exit code 0, JSON on standard output may say more; other text there means nothing.
 */
export function readAnswer(event: HookEvent, run: ProgramEnd): HookReading {
  if (run.kind === 'fault') return run;
  if (run.exitCode === REFUSAL_EXIT_CODE) {
    return { kind: 'refuse', text: run.stderr.trim() || 'the hook gave no reason' };
  }
  if (run.exitCode !== 0) return fault(`ended with exit code ${run.exitCode}${firstLineOf(run.stderr)}`);
  const text = run.stdout.trim();
  if (!/^[[{]/.test(text)) return { kind: 'go-on', text: undefined };
  const answer = parse(text);
  if (answer === undefined) return fault('printed JSON that can not be understood');
  return { ...readJson(event, answer), notice: nonBlank(answer, 'systemMessage') };
}

function readJson(event: HookEvent, answer: JsonObject): HookReading {
  const specific = objectAt(answer, 'hookSpecificOutput') ?? {};
  const named = stringAt(specific, 'hookEventName');
  if (named !== undefined && named !== event) return fault(`answered ${named} at ${event}`);
  const decision = decisionOf(answer, specific);
  if (decision === 'refuse') {
    const reason = nonBlank(specific, 'permissionDecisionReason') ?? nonBlank(answer, 'reason');
    const stop = answer['continue'] === false ? nonBlank(answer, 'stopReason') : undefined;
    return { kind: 'refuse', text: reason ?? stop ?? 'the hook gave no reason' };
  }
  if (decision !== 'go-on') return fault(`answered ${JSON.stringify(decision)}, which is not supported`);
  if ((specific['updatedInput'] ?? specific['updatedMCPToolOutput'] ?? undefined) !== undefined) {
    return fault('wants to change the call, which is not supported');
  }
  return { kind: 'go-on', text: nonBlank(specific, 'additionalContext') };
}

/** A word that is not known is given back. */
function decisionOf(answer: JsonObject, specific: JsonObject): 'go-on' | 'refuse' | (string & {}) {
  if (answer['continue'] === false) return 'refuse';
  const words = [answer['decision'], specific['permissionDecision']].filter(
    (word) => (word ?? undefined) !== undefined,
  );
  if (words.includes('block') || words.includes('deny')) return 'refuse';
  const odd = words.find((word) => word !== 'approve' && word !== 'allow');
  return odd === undefined ? 'go-on' : typeof odd === 'string' ? odd : 'no word';
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function nonBlank(answer: JsonObject, key: string): string | undefined {
  return stringAt(answer, key)?.trim() || undefined;
}

function firstLineOf(stderr: string): string {
  const line = stderr.trim().split('\n', 1)[0] ?? '';
  return line === '' ? '' : `: ${line.slice(0, 200)}`;
}

function fault(problem: string): HookReading {
  return { kind: 'fault', problem };
}
