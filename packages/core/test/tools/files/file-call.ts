import type { DirectoryEntry, ThreadSettings, Tool, ToolContext, ToolResult, WorkspaceFiles } from '@quire/core';
import type { JsonObject, TurnId } from '@quire/protocol';
import { ApprovalDesk } from '../../../src/approval/approval-desk.ts';
import { settings } from '../../thread/harness.ts';

type Query = Parameters<WorkspaceFiles['search']>[0];

/** Files that are texts. Notes what is searched for. */
export class FakeFiles implements WorkspaceFiles {
  readonly queries: Query[] = [];
  readonly #files: ReadonlyMap<string, readonly string[]>;
  readonly #entries: readonly DirectoryEntry[];
  readonly #found: readonly string[];

  constructor(
    content: {
      readonly files?: Readonly<Record<string, readonly string[]>>;
      readonly entries?: readonly DirectoryEntry[];
      readonly found?: readonly string[];
    } = {},
  ) {
    this.#files = new Map(Object.entries(content.files ?? {}));
    this.#entries = content.entries ?? [];
    this.#found = content.found ?? [];
  }

  readLines: WorkspaceFiles['readLines'] = async (path, { firstLine = 1, onLine, signal }) => {
    signal.throwIfAborted();
    const lines = this.#files.get(path);
    if (lines === undefined) return { kind: 'failed', reason: `no ${path}` };
    let count = 0;
    for (const line of lines.slice(firstLine - 1)) {
      count += 1;
      if (!onLine(line)) break;
    }
    return { kind: 'ok', value: count };
  };

  listDirectory: WorkspaceFiles['listDirectory'] = async (path, { depth, signal }) => {
    signal.throwIfAborted();
    if (path === '/missing') return { kind: 'failed', reason: 'no /missing' };
    return { kind: 'ok', value: this.#entries.filter((entry) => entry.path.split('/').length <= depth) };
  };

  search: WorkspaceFiles['search'] = async (query, { signal }) => {
    signal.throwIfAborted();
    this.queries.push(query);
    if (query.pattern === '(') return { kind: 'failed', reason: 'rg failed: unclosed group' };
    return { kind: 'ok', value: this.#found.slice(0, query.limit) };
  };
}

/** Serves a call of the tool of this name. */
export function serve(
  tools: readonly Tool[],
  name: string,
  args: JsonObject | string,
  options: { readonly settings?: Partial<ThreadSettings>; readonly signal?: AbortSignal } = {},
): Promise<ToolResult> {
  const tool = tools.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  const context: ToolContext = {
    turnId: 'turn' as TurnId,
    settings: settings(options.settings),
    signal: options.signal ?? new AbortController().signal,
    emit: () => undefined,
    approvals: new ApprovalDesk({}),
    interrupt: () => undefined,
    dispatch: () => Promise.reject(new Error('nothing is dispatched')),
  };
  const text = typeof args === 'string' ? args : JSON.stringify(args);
  return tool.run({ type: 'function_call', name, call_id: 'call', arguments: text }, context);
}

/** A refusal as the model and people see it. */
export function refusal(tool: string, message: string): ToolResult {
  return { output: message, endItem: { kind: 'tool-error', id: 'call', tool, message }, failed: true };
}
