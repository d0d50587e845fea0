import type { FileChangeSummary, ToolCallItem, ToolSpec, TurnItem } from '@quire/protocol';
import { stringAt } from '@quire/protocol';
import { authorizePatch } from '../approval/authorize-patch.ts';
import {
  freeformPatchTool,
  functionPatchTool,
  PatchError,
  type PatchPlan,
  type PlacedEdits,
  parsePatch,
  patchFailureText,
  placeEdits,
  planPatch,
} from '../patch/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { PatchFiles } from '../ports/patch-files.ts';
import type { TurnDiff } from '../thread/turn-diff.ts';
import { invalid, parseArguments } from './call-arguments.ts';
import { formatSeconds, type Tool, type ToolContext, type ToolResult } from './tool.ts';
import { toolError } from './tool-router.ts';

interface ApplyPatchPorts {
  readonly files: PatchFiles;
  readonly clock: Clock;
  /** Told of every file that changed. */
  readonly turnDiff: TurnDiff;
}

/** Edits files by patch. All forms of the call, also those found inside a shell command, end in `applyText`. */
export class ApplyPatchTool implements Tool {
  readonly name = 'apply_patch';
  readonly kind = 'patch';
  readonly parallelSafe = false;
  readonly spec: ToolSpec;
  readonly #ports: ApplyPatchPorts;

  constructor(form: 'freeform' | 'function', ports: ApplyPatchPorts) {
    this.spec = form === 'freeform' ? freeformPatchTool : functionPatchTool;
    this.#ports = ports;
  }

  run(call: ToolCallItem, context: ToolContext): Promise<ToolResult> {
    const { cwd } = context.settings;
    if (call.type === 'custom_tool_call') return this.applyText(call, call.input, { ...context, cwd });
    const parsed = parseArguments(call);
    const text = parsed.kind === 'ok' ? stringAt(parsed.value, 'input') : undefined;
    if (text !== undefined) return this.applyText(call, text, { ...context, cwd });
    const reading = parsed.kind === 'ok' ? invalid('missing field `input`: the patch as a string') : parsed;
    return Promise.resolve(toolError(call, this.name, reading.message));
  }

  /** Verifies the whole patch, asks the policy, then writes all of it or nothing. */
  async applyText(
    call: ToolCallItem,
    text: string,
    context: ToolContext & { readonly cwd: string },
  ): Promise<ToolResult> {
    const startedAtMs = this.#ports.clock.now();
    let verified: VerifiedPatch;
    try {
      verified = await this.#verify(text, context.cwd);
    } catch (error) {
      return toolError(call, this.name, verificationFailure(error));
    }
    const { plan, targets } = verified;
    const callId = call.call_id ?? this.name;
    const item = { kind: 'file-change', id: callId, changes: plan.changes, status: 'in-progress' } as const;
    context.emit({ kind: 'item-start', turnId: context.turnId, item });
    const authorization = await authorizePatch({ callId, changes: plan.changes, targets }, context);
    if (authorization.kind === 'refused') {
      const { message } = authorization;
      return { output: message, endItem: { ...item, status: 'declined', message }, failed: true };
    }
    context.signal.throwIfAborted();
    if (authorization.wasAsked && !(await this.#isStill(verified, text, context.cwd))) {
      const message = 'patch rejected: the files changed while the patch was asked about; read them and try again';
      return { output: message, endItem: { ...item, status: 'declined', message }, failed: true };
    }
    return this.#write(item, verified, startedAtMs);
  }

  async #verify(text: string, cwd: string): Promise<VerifiedPatch> {
    const { files } = this.#ports;
    const plan = await planPatch(parsePatch(text), { cwd, read: (path) => files.read(path) });
    return { plan, ...(await placeEdits(plan, (path) => files.resolveTarget(path))) };
  }

  /** Whether the patch would still write the same, and to the same places, as what was shown. */
  async #isStill(shown: VerifiedPatch, text: string, cwd: string): Promise<boolean> {
    try {
      const { edits, targets } = await this.#verify(text, cwd);
      return JSON.stringify([edits, targets]) === JSON.stringify([shown.edits, shown.targets]);
    } catch {
      return false; // it can not even be applied any more
    }
  }

  async #write(item: PatchItem, { plan, edits }: VerifiedPatch, startedAtMs: number): Promise<ToolResult> {
    const { files, clock, turnDiff } = this.#ports;
    try {
      await files.apply(edits);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const output = outputText({ exitCode: 1, durationMs: clock.now() - startedAtMs, text: message });
      return { output, endItem: { ...item, status: 'failed', message }, failed: true };
    }
    turnDiff.record(plan.files);
    const output = outputText({ exitCode: 0, durationMs: clock.now() - startedAtMs, text: plan.successText });
    return { output, endItem: { ...item, status: 'completed' } };
  }
}

interface VerifiedPatch extends PlacedEdits {
  readonly plan: PatchPlan;
}

type PatchItem = Extract<TurnItem, { kind: 'file-change' }> & { readonly changes: readonly FileChangeSummary[] };

/** Nothing was announced or written yet: whatever went wrong, the patch can not be verified. */
function verificationFailure(error: unknown): string {
  if (error instanceof PatchError) return patchFailureText(error);
  const reason = error instanceof Error ? error.message : String(error);
  return `apply_patch verification failed: ${reason}`;
}

function outputText(outcome: {
  readonly exitCode: number;
  readonly durationMs: number;
  readonly text: string;
}): string {
  return `Exit code: ${outcome.exitCode}\nWall time: ${formatSeconds(outcome.durationMs)} seconds\nOutput:\n${outcome.text}`;
}
