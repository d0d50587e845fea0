import { isJsonObject, type JsonObject, type JsonValue, stringAt } from '@quire/protocol';
import type { RecordedRequest } from '../recorded-request.ts';
import { customToolCall, functionCall } from '../script/items.ts';
import type { Output } from '../script/output.ts';

/** Something the rehearsal wants done, whatever the tools for it are called. */
export type Action =
  | { readonly kind: 'shell'; readonly command: string; readonly timeoutMs?: number }
  | { readonly kind: 'patch'; readonly patch: string }
  | { readonly kind: 'plan'; readonly steps: readonly PlanStep[] };

export interface PlanStep {
  readonly step: string;
  readonly status: 'pending' | 'in_progress' | 'completed';
}

/** A call as it goes on the wire, without ids. */
export interface ToolCall {
  readonly form: 'function' | 'custom';
  readonly name: string;
  /** Argument text, or the input of a custom tool. */
  readonly input: string;
}

const SHELL_TOOLS = ['shell_command', 'exec_command', 'shell'] as const;

/** The offered tools, seen as ways to do an action. */
export class Toolbox {
  readonly #forms: ReadonlyMap<string, 'function' | 'custom'>;

  constructor(request: RecordedRequest) {
    const offered = [request.body['tools'], ...request.input.map((item) => item['tools'])];
    this.#forms = new Map(offered.flatMap(flattenTools));
  }

  get hasShell(): boolean {
    return SHELL_TOOLS.some((name) => this.#forms.has(name));
  }

  get hasPlan(): boolean {
    return this.#forms.has('update_plan');
  }

  callFor(action: Action): ToolCall {
    if (action.kind === 'shell') return this.#shell(action.command, action.timeoutMs);
    if (action.kind === 'plan') return functionForm('update_plan', { plan: action.steps.map((step) => ({ ...step })) });
    switch (this.#forms.get('apply_patch')) {
      case 'custom':
        return { form: 'custom', name: 'apply_patch', input: action.patch };
      case 'function':
        return functionForm('apply_patch', { input: action.patch });
      case undefined:
        return this.#shell(`apply_patch <<'EOF'\n${action.patch}\nEOF`);
    }
  }

  #shell(command: string, timeoutMs?: number): ToolCall {
    const limit = timeoutMs === undefined ? {} : { timeout_ms: timeoutMs };
    switch (SHELL_TOOLS.find((name) => this.#forms.has(name))) {
      case 'exec_command':
        return functionForm('exec_command', {
          cmd: command,
          ...(timeoutMs === undefined ? {} : { yield_time_ms: 30_000 }),
        });
      case 'shell':
        return functionForm('shell', { command: ['bash', '-lc', command], ...limit });
      default:
        return functionForm('shell_command', { command, ...limit });
    }
  }
}

export function outputOf(call: ToolCall, callId: string): Output {
  return call.form === 'custom'
    ? customToolCall(callId, call.name, call.input)
    : functionCall(callId, call.name, call.input);
}

function functionForm(name: string, args: JsonObject): ToolCall {
  return { form: 'function', name, input: JSON.stringify(args) };
}

function flattenTools(tools: JsonValue | undefined): readonly (readonly [string, 'function' | 'custom'])[] {
  if (!Array.isArray(tools)) return [];
  return tools.filter(isJsonObject).flatMap((tool: JsonObject) => {
    if (tool['type'] === 'namespace') return flattenTools(tool['tools']);
    const name = stringAt(tool, 'name');
    return name === undefined ? [] : [[name, tool['type'] === 'custom' ? 'custom' : 'function'] as const];
  });
}
