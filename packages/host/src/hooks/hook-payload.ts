import type { HookedCall } from '@quire/core';
import { isJsonObject, type JsonObject, type JsonValue } from '@quire/protocol';
import type { HookSession } from './hook-options.ts';

interface FinishedCall extends HookedCall {
  readonly output: string;
  readonly succeeded: boolean;
}

/**
 * What a hook reads, one line of JSON. The names are those of the peer, 0.169, and so are `Bash` for every command and
 * `tool_input.command` for commands and patches. `tool`, `tool_kind` and `tool_succeeded` are our own.
 */
export function hookPayload(
  call: HookedCall | FinishedCall,
  about: { readonly threadId: string; readonly session: HookSession | undefined },
): string {
  const command = commandOf(call);
  const finished = 'output' in call;
  return `${JSON.stringify({
    session_id: about.threadId,
    turn_id: call.turnId,
    transcript_path: about.session?.transcriptPath ?? null,
    cwd: call.cwd,
    hook_event_name: finished ? 'PostToolUse' : 'PreToolUse',
    model: about.session?.model ?? '',
    permission_mode: about.session?.permissionMode ?? 'default',
    tool_name: nameOf(call, command),
    tool_input: command === undefined ? call.input : { ...objectOf(call.input), command },
    ...(finished ? { tool_response: call.output, tool_succeeded: call.succeeded } : {}),
    tool_use_id: call.callId,
    tool: call.tool,
    tool_kind: call.kind,
  })}\n`;
}

function nameOf({ kind, tool }: HookedCall, command: string | undefined): string {
  if (command === undefined) return tool;
  return kind === 'patch' ? 'apply_patch' : 'Bash';
}

/** The line or the patch; absent for tools of another kind, and for what only writes to a command that runs. */
function commandOf({ kind, input }: HookedCall): string | undefined {
  if (kind !== 'command' && kind !== 'patch') return undefined;
  if (!isJsonObject(input)) return typeof input === 'string' ? input : undefined;
  const value = input['command'] ?? input['cmd'] ?? input['input'];
  return typeof value === 'string' ? value : isTextList(value) ? value.map(quote).join(' ') : undefined;
}

function objectOf(input: JsonValue): JsonObject {
  return isJsonObject(input) ? input : {};
}

function isTextList(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
