import { isJsonObject, type JsonObject, type JsonValue } from '@quire/protocol';
import { compileSchema, type SchemaCheck } from './json-schema.ts';

export type DynamicToolContent =
  | { readonly type: 'text'; readonly text: string }
  /** `url`: a `data:` URL of a PNG, JPEG, WebP or GIF file, or an address that the provider can fetch. */
  | { readonly type: 'image'; readonly url: string };

/** A function of the embedding program that the model may call. */
export interface DynamicToolDefinition {
  /** 1 to 64 characters of `A-Z a-z 0-9 _ -`; none of the built-in tools' names. */
  readonly name: string;
  /** For the model. */
  readonly description: string;
  /** JSON Schema of an object. What the model sends is checked against it before `run` sees it. */
  readonly inputSchema: JsonObject;
  /**
   * What it resolves to is told to the model, and so is the message of what it throws. When `signal` fires (the turn
   * was interrupted, or the time is over) nobody waits for it any longer.
   */
  readonly run: (
    input: JsonObject,
    options: { readonly signal: AbortSignal; readonly callId: string },
  ) => Promise<string | readonly DynamicToolContent[]>;
  /** May overlap with other such calls. Default false. */
  readonly parallelSafe?: boolean;
  /** Somebody has to allow each call. Default false. */
  readonly needsApproval?: boolean;
  /** Longest time of one call, approval not counted. Milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
}

export interface CheckedDefinition extends Required<DynamicToolDefinition> {
  readonly check: SchemaCheck;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** Timers take no more: 2^31 - 1. */
const MAX_TIMEOUT_MS = 2_147_483_647;
/** Source: what the API takes as the name of a function. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Names that mean something to models or belong to tools of the runtime, offered or not. */
const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'apply_patch',
  'applypatch',
  'close_agent',
  'exec_command',
  'grep_files',
  'image_generation',
  'js_repl',
  'js_repl_reset',
  'list_dir',
  'list_mcp_resource_templates',
  'list_mcp_resources',
  'local_shell',
  'read_file',
  'read_mcp_resource',
  'request_permissions',
  'request_user_input',
  'resume_agent',
  'send_input',
  'shell',
  'shell_command',
  'spawn_agent',
  'tool_search',
  'tool_suggest',
  'update_plan',
  'view_image',
  'wait',
  'wait_agent',
  'web_search',
  'write_stdin',
]);
const SERVER_PREFIX = 'mcp__';

/** Checks definitions as a whole. Error: `Error` that names the tool and says what is wrong with it. */
export function checkDefinitions(definitions: readonly DynamicToolDefinition[]): readonly CheckedDefinition[] {
  const seen = new Set<string>();
  return definitions.map((definition) => {
    checkName(definition.name, seen);
    return checkDefinition(definition);
  });
}

function checkName(name: string, seen: Set<string>): void {
  const shown = JSON.stringify(name);
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new Error(`dynamic tool ${shown}: a name has 1 to 64 letters, digits, underscores and hyphens`);
  }
  if (RESERVED_NAMES.has(name) || name.startsWith(SERVER_PREFIX)) {
    throw new Error(`dynamic tool ${shown}: the name belongs to a built-in tool or to a server; choose another`);
  }
  if (seen.has(name)) throw new Error(`dynamic tool ${shown}: two tools have this name`);
  seen.add(name);
}

function checkDefinition(definition: DynamicToolDefinition): CheckedDefinition {
  const { name, description, run, parallelSafe = false, needsApproval = false } = definition;
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = definition;
  const refuse = (problem: string, cause?: unknown): Error =>
    new Error(`dynamic tool ${JSON.stringify(name)}: ${problem}`, { cause });
  if (typeof description !== 'string') throw refuse('description must be a string');
  if (typeof run !== 'function') throw refuse('run must be a function');
  if (!(timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS)) {
    throw refuse(`timeoutMs must be more than 0 and at most ${MAX_TIMEOUT_MS}`);
  }
  try {
    const inputSchema = jsonCopy(definition.inputSchema);
    if (!isJsonObject(inputSchema) || inputSchema['type'] !== 'object') throw new Error('# must have type "object"');
    const check = compileSchema(inputSchema);
    return { name, description, inputSchema, run, parallelSafe, needsApproval, timeoutMs, check };
  } catch (cause) {
    throw refuse(`inputSchema: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

/** What is offered stays what was checked, whatever the program does to its object later. */
function jsonCopy(schema: JsonObject): JsonValue {
  return JSON.parse(JSON.stringify(schema ?? null)) as JsonValue;
}
