import type { ToolCallItem } from '@quire/protocol';
import type { ApprovalDecision } from '../ports/approvals.ts';
import type { Clock } from '../ports/clock.ts';
import { millisecondsText, type Span, type Telemetry } from '../ports/telemetry.ts';
import { nameOf, textOf } from './call-parts.ts';
import type { Tool, ToolContext, ToolResult } from './tool.ts';

/** Source for the words: the peer. */
const DECISIONS: Readonly<Record<ApprovalDecision['kind'], string>> = {
  approved: 'approved',
  'approved-for-session': 'approved_for_session',
  'approved-with-rule': 'approved_with_amendment',
  denied: 'denied',
  aborted: 'abort',
};

/** Names and numbers only: arguments and outputs are content. */
export async function recordCall<Context extends Omit<ToolContext, 'dispatch'>>(
  parts: { readonly telemetry: Telemetry; readonly clock: Clock; readonly parent: Span },
  { call, tool }: { readonly call: ToolCallItem; readonly tool: Tool | undefined },
  context: Context,
  work: (context: Context) => Promise<ToolResult>,
): Promise<ToolResult> {
  const { telemetry, clock, parent } = parts;
  const called = nameOf(call);
  // A name that nobody offered is the model's own words, and may be anything.
  const name = tool === undefined ? 'unknown' : called;
  const span = parent.startSpan('tool.call', { attributes: { 'tool.name': name, 'tool.call_id': call.call_id } });
  const server = tool?.kind === 'mcp' ? (called.split('__')[1] ?? '') : '';
  const about = {
    tool_name: name,
    tool_namespace: server === '' ? 'functions' : `mcp__${server}`,
    call_id: call.call_id,
  };
  const noteDecision: ToolContext['noteDecision'] = (decision, by) => {
    const source = by === 'person' ? 'User' : 'Config';
    telemetry.event('codex.tool_decision', { ...about, decision: DECISIONS[decision], source }, { span });
  };
  const startedAtMs = clock.now();
  const result = await work({ ...context, span, noteDecision });
  const durationMs = clock.now() - startedAtMs;
  const success = result.failed !== true;
  span.end({ error: success ? undefined : 'tool-failed', attributes: { 'tool.success': success } });
  const { mode } = context.settings.sandbox;
  const tags = { tool: name, success, sandbox: mode === 'danger-full-access' ? 'none' : mode, sandbox_policy: mode };
  telemetry.count('codex.tool.call', tags);
  telemetry.duration('codex.tool.call.duration_ms', durationMs, tags);
  telemetry.event(
    'codex.tool_result',
    {
      ...about,
      duration_ms: millisecondsText(durationMs),
      success: String(success),
      mcp_server: server,
      output_length: textOf(result.output).length,
    },
    { span },
  );
  return result;
}
