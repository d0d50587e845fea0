import { numberAt, objectAt, parseJsonObject, type ResponseItem, stringAt } from '@quire/protocol';
import { isToolOutput } from './call-pairs.ts';

/** Tools whose outputs older files hold as JSON. Source: the peer. */
const TOOLS_WITH_JSON_OUTPUT: ReadonlySet<string> = new Set(['shell', 'container.exec', 'local_shell', 'apply_patch']);

const LINE_COUNT = /^(Total output lines: \d+)\n\n?/;

/** Whether the call is one whose output may be JSON of an exit code and text. */
export function mayAnswerInJson(call: ResponseItem): boolean {
  if (call.type === 'local_shell_call') return true;
  return (call.type === 'function_call' || call.type === 'custom_tool_call') && TOOLS_WITH_JSON_OUTPUT.has(call.name);
}

/** The output as the text that today's tools give; the item itself when it is no such JSON. */
export function shellOutputAsText(item: ResponseItem): ResponseItem {
  if (!isToolOutput(item) || typeof item.output !== 'string' || !item.output.startsWith('{')) return item;
  const body = parseJsonObject(item.output);
  const output = body && stringAt(body, 'output');
  const metadata = body && objectAt(body, 'metadata');
  const exitCode = metadata && numberAt(metadata, 'exit_code');
  const seconds = metadata && numberAt(metadata, 'duration_seconds');
  if (output === undefined || exitCode === undefined || seconds === undefined) return item;
  const lineCount = LINE_COUNT.exec(output);
  const lines = [`Exit code: ${exitCode}`, `Wall time: ${seconds} seconds`];
  if (lineCount?.[1] !== undefined) lines.push(lineCount[1]);
  lines.push('Output:', output.slice(lineCount?.[0].length ?? 0));
  return { ...item, output: lines.join('\n') };
}
