import { numberAt, stringAt, type ToolCallItem } from '@quire/protocol';
import { type ArgumentReading, invalid as invalidArguments, parseArguments } from '../call-arguments.ts';

/** Source: the peer. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** A day; also within what timers of the platform can hold. */
const LONGEST_TIMEOUT_MS = 86_400_000;

const PRAGMA = /^[ \t]*\/\/ codex-js-repl:([^\r\n]*)(?:\r?\n|$)/;

export interface CellInput {
  /** With the line of the pragma, so that line numbers are those that the model knows. */
  readonly code: string;
  readonly timeoutMs: number;
}

/** What a call asks to run: free text with an optional pragma, or the function form `{code, timeout_ms?}`. */
export function readCellInput(call: ToolCallItem): ArgumentReading<CellInput> {
  if (call.type === 'custom_tool_call') return readText(call.input);
  const parsed = parseArguments(call);
  if (parsed.kind === 'invalid') return parsed;
  const code = stringAt(parsed.value, 'code');
  if (code === undefined) return invalidArguments('missing field `code`: the JavaScript to run, as a string');
  const reading = readText(code);
  // A null stands for an absent field: models write it for what is optional.
  if (reading.kind === 'invalid' || (parsed.value['timeout_ms'] ?? undefined) === undefined) return reading;
  const timeoutMs = numberAt(parsed.value, 'timeout_ms');
  if (timeoutMs === undefined || !(timeoutMs >= 1)) return invalidArguments('`timeout_ms` must be a positive number');
  return { kind: 'ok', value: { code, timeoutMs: bounded(timeoutMs) } };
}

function readText(code: string): ArgumentReading<CellInput> {
  const pragma = PRAGMA.exec(code);
  const timeoutMs = pragma === null ? DEFAULT_TIMEOUT_MS : readPragma(pragma[1] ?? '');
  if (timeoutMs === undefined) {
    return invalid('the first line can only set a time limit, like `// codex-js-repl: timeout_ms=15000`');
  }
  const body = code.slice(pragma?.[0].length ?? 0).trimStart();
  const problem = problemOf(body);
  return problem === undefined ? { kind: 'ok', value: { code, timeoutMs } } : invalid(problem);
}

function readPragma(text: string): number | undefined {
  let timeoutMs = DEFAULT_TIMEOUT_MS;
  for (const setting of text.split(/[\s,]+/)) {
    if (setting === '') continue;
    const value = /^timeout_ms=(\d+)$/.exec(setting)?.[1];
    if (value === undefined || Number(value) < 1) return undefined;
    timeoutMs = bounded(Number(value));
  }
  return timeoutMs;
}

/** Models wrap code out of habit; run as it stands, it would be a string, an object or a syntax error. */
function problemOf(body: string): string | undefined {
  if (body === '') return 'there is no code; send the JavaScript itself';
  if (body.startsWith('```')) return 'the input begins with a code fence; send the JavaScript alone, without Markdown';
  if (body.startsWith('"'))
    return 'the input begins with a quotation mark; send the JavaScript itself, not a JSON string';
  if (!body.startsWith('{')) return undefined;
  return 'the input begins with a brace; send the JavaScript itself, not a JSON object, and put `;` before a block';
}

function bounded(timeoutMs: number): number {
  return Math.min(Math.ceil(timeoutMs), LONGEST_TIMEOUT_MS);
}

function invalid(message: string): { readonly kind: 'invalid'; readonly message: string } {
  return { kind: 'invalid', message: `js_repl: ${message}` };
}
