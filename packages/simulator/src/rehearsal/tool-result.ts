import { isJsonObject, type JsonValue, numberAt, objectAt, stringAt } from '@quire/protocol';

/** What a tool gave back. `ended`: it ran to an exit code. `not-run`: refused, aborted or not understood. */
export type ToolResult =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly output: string }
  | { readonly kind: 'not-run'; readonly message: string };

/** Forms of a command's result. Source: the tool output formats of `shell_command`, `exec_command` and `shell`. */
const EXIT_LINE = /^(?:Exit code: |Process exited with code )(-?\d+)$/m;
const OUTPUT_LINE = /^Output:(?:\n|$)/m;

export function parseToolResult(output: JsonValue): ToolResult {
  const text = textOf(output);
  const fromJson = parseJsonShape(text);
  if (fromJson !== undefined) return fromJson;
  const exit = EXIT_LINE.exec(text);
  const body = OUTPUT_LINE.exec(text);
  // The header comes before the output, so an "Exit code" printed by the command itself does not count.
  if (exit !== null && body !== null && exit.index < body.index) {
    return { kind: 'ended', exitCode: Number(exit[1]), output: text.slice(body.index + body[0].length) };
  }
  // A patch through `exec_command` comes with a second header around its own result.
  if (body !== null && /^Wall time: [\d.]+ seconds\nOutput:\n/.test(text)) {
    return parseToolResult(text.slice(body.index + body[0].length));
  }
  if (text.startsWith('Success.') || text === 'Plan updated') return { kind: 'ended', exitCode: 0, output: text };
  return { kind: 'not-run', message: text };
}

function textOf(output: JsonValue): string {
  if (typeof output === 'string') return output;
  if (!Array.isArray(output)) return JSON.stringify(output);
  return output.map((part) => (isJsonObject(part) ? (stringAt(part, 'text') ?? '') : '')).join('\n');
}

function parseJsonShape(text: string): ToolResult | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (!isJsonObject(parsed)) return undefined;
    const output = stringAt(parsed, 'output');
    const exitCode = numberAt(objectAt(parsed, 'metadata') ?? {}, 'exit_code');
    return output === undefined || exitCode === undefined ? undefined : { kind: 'ended', exitCode, output };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
